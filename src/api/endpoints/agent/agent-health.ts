import type { FastifyReply, FastifyRequest } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import type { SvcdError } from '../../../base/errors.ts'
import type { Check, Service } from '../../../state/catalog/model.ts'
import { aggregatedStatus } from '../../../health/judge.ts'
import type { AggregatedStatus } from '../../../health/judge.ts'
import { endpoint } from '../../context.ts'
import { rowsOf } from '../../../http/answer.ts'
import type { Answer } from '../../../http/answer.ts'
import { agentServiceJson, checkJson } from '../../../http/encode.ts'
import { parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { isPretty, renderJson, sendBody } from '../../../http/reply.ts'
import { mustAllow } from '../../../http/requesters.ts'
import { agentServiceRow, checkRow } from '../../../http/row-schemas.ts'
import { list, object, orNull, schemaNamed, text } from '../../../http/schemas.ts'
import { writeFor } from '../../../http/long-answers.ts'
import type { ApiContext } from '../../context.ts'

// For load balancers, which look only at the status.
const statusCode: Readonly<Record<AggregatedStatus, number>> = {
  passing: 200,
  warning: 429,
  critical: 503,
  maintenance: 503,
}

// From best to worst.
const ranks: readonly AggregatedStatus[] = ['passing', 'warning', 'critical', 'maintenance']

const serviceHealth = schemaNamed(
  'ServiceHealth',
  object({
    AggregatedStatus: text,
    Service: orNull(agentServiceRow),
    Checks: orNull(list(checkRow)),
  }),
)

const healthQuery = {
  format: { type: 'string', description: 'A format other than JSON: text' },
  ...query.pretty,
}

/** agent/health/*: this agent's services in one HTTP status. */
export const healthEndpointsOfAgent = [
  endpoint({
    method: 'GET',
    path: '/v1/agent/health/service/id/{service_id}',
    permission: { handlerChecks: [{ resource: 'service', access: 'read' }] },
    summary: 'Read the health of a service of this agent as an HTTP status',
    query: healthQuery,
    answer: serviceHealth,
    alsoAnswers: [404, 429, 503],
    async handle(context, request, reply) {
      const { agent } = context
      const id = request.params
      const service = agent.service(id)
      if (service === undefined) {
        const missing = { AggregatedStatus: 'critical', Service: null, Checks: null }
        const fault = svcdError('no-health-of-service-id', { id })
        return sendFault(request, reply, fault, json(request, missing))
      }
      mustAllow(context.requesterOf(request), {
        resource: 'service',
        name: service.name,
        access: 'read',
      })
      const health = healthOf(context, service, agent.checksOfService(''))
      const status = health.AggregatedStatus
      return send(request, reply, statusCode[status], status, json(request, health))
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/agent/health/service/name/{service}',
    permission: { resource: 'service', access: 'read', name: 'argument' },
    summary: 'Read the health of all services with a name on this agent as an HTTP status',
    query: healthQuery,
    answer: list(serviceHealth),
    alsoAnswers: [404, 429, 503],
    async handle(context, request, reply) {
      const { agent, catalog } = context
      const name = request.params
      const { rights } = context.callerOf(request)
      // Names match without regard to case, rules do not.
      const services = agent
        .servicesNamed(name)
        .filter((service) => rights.allows('service', service.name, 'read'))
      if (services.length === 0) {
        const fault = svcdError('no-health-of-service-name', { name })
        return sendFault(request, reply, fault, json(request, []))
      }
      let status: AggregatedStatus = 'passing'
      const ofNode = agent.checksOfService('')
      const rowOf = (service: Service) => {
        const health = healthOf(context, service, ofNode)
        status = worse(status, health.AggregatedStatus)
        return health
      }
      const answer = (): Answer => ({ kind: 'list', rows: rowsOf(services, rowOf) })
      const body = await writeFor(context, request, reply, catalog, answer)
      return send(request, reply, statusCode[status], status, body)
    },
  }),
]

function healthOf(
  { agent, identity }: Pick<ApiContext, 'agent' | 'identity'>,
  service: Service,
  ofNode: readonly Check[],
) {
  const own = [...agent.checksOfService(service.id), ...ofNode].toSorted(byId)
  return {
    AggregatedStatus: aggregatedStatus(own),
    Service: agentServiceJson(service, identity.datacenter),
    Checks: own.map(checkJson),
  }
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

function sendFault(
  request: FastifyRequest,
  reply: FastifyReply,
  { row, message }: SvcdError,
  body: Buffer,
): FastifyReply | Promise<FastifyReply> {
  return send(request, reply, row.http, message, body)
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
    parameter(request.query as Parameters, 'format') === 'text' ||
    (request.headers.accept ?? '').startsWith('text/plain')
  if (!wantsText) return sendBody(request, reply, body)
  // The reason repeats what the client has asked for: no browser may take it for a page.
  return reply
    .header('content-type', 'text/plain; charset=utf-8')
    .header('X-Content-Type-Options', 'nosniff')
    .send(reason)
}
