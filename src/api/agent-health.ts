import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Check, Service } from '../catalog/model.ts'
import { aggregatedStatus } from '../health/select.ts'
import type { AggregatedStatus } from '../health/select.ts'
import type { Backend } from './backend.ts'
import { agentServiceJson, checkJson } from './encode.ts'
import { parameter, parametersOf } from './parameters.ts'
import { sendJson } from './reply.ts'
import { addRoute, tailOf } from './route.ts'

const idPrefix = '/v1/agent/health/service/id/'
const namePrefix = '/v1/agent/health/service/name/'

// For load balancers, which look at nothing but the status.
const statusCode: Readonly<Record<AggregatedStatus, number>> = {
  passing: 200,
  warning: 429,
  critical: 503,
  maintenance: 503,
}

// From best to worst.
const ranks: readonly AggregatedStatus[] = ['passing', 'warning', 'critical', 'maintenance']

/** agent/health/*: this agent's services in one HTTP status. */
export function addAgentHealthRoutes(app: FastifyInstance, { agent, identity }: Backend): void {
  const healthOf = (service: Service, checks: readonly Check[]) => {
    const own = checks.filter(({ serviceId }) => serviceId === service.id || serviceId === '')
    return {
      AggregatedStatus: aggregatedStatus(own),
      Service: agentServiceJson(service, identity.datacenter),
      Checks: own.map(checkJson),
    }
  }

  addRoute(app, 'GET', `${idPrefix}*`, async (request, reply) => {
    const id = tailOf(request, idPrefix)
    const service = agent.service(id)
    if (service === undefined) {
      const missing = { AggregatedStatus: 'critical', Service: null, Checks: null }
      return send(request, reply, 404, `ServiceId ${id} not found`, missing)
    }
    const health = healthOf(service, agent.checks())
    const status = health.AggregatedStatus
    return send(request, reply, statusCode[status], status, health)
  })

  addRoute(app, 'GET', `${namePrefix}*`, async (request, reply) => {
    const name = tailOf(request, namePrefix)
    const services = agent.services().filter((service) => service.name === name)
    if (services.length === 0) {
      return send(request, reply, 404, `ServiceName ${name} Not Found`, [])
    }
    const checks = agent.checks()
    const all = services.map((service) => healthOf(service, checks))
    const worst = Math.max(...all.map((health) => ranks.indexOf(health.AggregatedStatus)))
    const status = ranks[worst] ?? 'critical'
    return send(request, reply, statusCode[status], status, all)
  })
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  code: number,
  reason: string,
  json: unknown,
): FastifyReply | Promise<FastifyReply> {
  // A header holds no more than Latin-1, an ID any text.
  reply.code(code).header('X-Consul-Reason', encodeURI(reason).replaceAll('%20', ' '))
  const wantsText =
    parameter(parametersOf(request), 'format') === 'text' ||
    (request.headers.accept ?? '').startsWith('text/plain')
  if (!wantsText) return sendJson(request, reply, json)
  return reply.header('content-type', 'text/plain; charset=utf-8').send(reason)
}
