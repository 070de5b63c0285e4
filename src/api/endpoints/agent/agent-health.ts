import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Check, Service } from '../../../state/catalog/model.ts'
import { aggregatedStatus } from '../../../health/judge.ts'
import type { AggregatedStatus } from '../../../health/judge.ts'
import { rowsOf } from '../../http/answer.ts'
import type { Answer } from '../../http/answer.ts'
import type { Backend } from '../../../ports/backend.ts'
import { agentServiceJson, checkJson } from '../../http/encode.ts'
import { parameter, parametersOf } from '../../http/parameters.ts'
import { isPretty, renderJson, sendBody } from '../../http/reply.ts'
import { addRoute, tailOf } from '../../http/route.ts'
import { writeSliced } from '../../http/sliced-answer.ts'

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
export function addAgentHealthRoutes(app: FastifyInstance, backend: Backend): void {
  const { agent, identity } = backend
  const healthOf = (service: Service, ofNode: readonly Check[]) => {
    const own = [...agent.checksOfService(service.id), ...ofNode].toSorted(byId)
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
      return send(request, reply, 404, `ServiceId ${id} not found`, json(request, missing))
    }
    const health = healthOf(service, agent.checksOfService(''))
    const status = health.AggregatedStatus
    return send(request, reply, statusCode[status], status, json(request, health))
  })

  addRoute(app, 'GET', `${namePrefix}*`, async (request, reply) => {
    const name = tailOf(request, namePrefix)
    const services = agent.servicesNamed(name)
    if (services.length === 0) {
      return send(request, reply, 404, `ServiceName ${name} Not Found`, json(request, []))
    }
    let status: AggregatedStatus = 'passing'
    const ofNode = agent.checksOfService('')
    const rowOf = (service: Service) => {
      const health = healthOf(service, ofNode)
      status = worse(status, health.AggregatedStatus)
      return health
    }
    const answer = (): Answer => ({ kind: 'list', rows: rowsOf(services, rowOf) })
    const body = await writeSliced(backend, answer, isPretty(request))
    return send(request, reply, statusCode[status], status, body)
  })
}

function worse(a: AggregatedStatus, b: AggregatedStatus): AggregatedStatus {
  return ranks.indexOf(a) < ranks.indexOf(b) ? b : a
}

function byId(a: Check, b: Check): number {
  return a.checkId < b.checkId ? -1 : 1
}

function json(request: FastifyRequest, value: unknown): Buffer {
  return renderJson(value, isPretty(request))
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  code: number,
  reason: string,
  body: Buffer,
): FastifyReply | Promise<FastifyReply> {
  // A header holds no more than Latin-1, an ID any text.
  reply.code(code).header('X-Consul-Reason', encodeURI(reason).replaceAll('%20', ' '))
  const wantsText =
    parameter(parametersOf(request), 'format') === 'text' ||
    (request.headers.accept ?? '').startsWith('text/plain')
  if (!wantsText) return sendBody(request, reply, body)
  return reply.header('content-type', 'text/plain; charset=utf-8').send(reason)
}
