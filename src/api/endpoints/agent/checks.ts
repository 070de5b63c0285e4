import { Viewer } from '../../../access/viewer.ts'
import { svcdError } from '../../../base/errors.ts'
import { agentCheck } from '../../../definition/agent-registration.ts'
import { agentCheckShape, checkUpdateShape } from '../../../definition/shapes.ts'
import { checkedStatus, cutOutput } from '../../../definition/validate.ts'
import type { Check, Status } from '../../../state/catalog/model.ts'
import { endpoint } from '../../context.ts'
import type { ApiEndpoint } from '../../context.ts'
import { rowsOf } from '../../../http/answer.ts'
import { json } from '../../../http/body.ts'
import { checkJson } from '../../../http/encode.ts'
import { checkFields, filterOf } from '../../../http/filters.ts'
import { originOf } from '../../../http/origin.ts'
import { parameter, readOptions } from '../../../http/parameters.ts'
import { nodeAndService } from '../../../http/permissions.ts'
import * as query from '../../../http/query-docs.ts'
import { sendDone, warn } from '../../../http/reply.ts'
import { checkRow } from '../../../http/row-schemas.ts'
import { map } from '../../../http/schemas.ts'
import { named } from './nearest-id.ts'
import { mustAllowCheckChange, mustAllowCheck } from './rights.ts'
import { sendMap } from './send-map.ts'

/** The report of a TTL check by one of Consul's verbs. */
function report(verb: string, status: Status): ApiEndpoint {
  return endpoint({
    method: 'PUT',
    path: `/v1/agent/check/${verb}/{check_id}`,
    permission: nodeAndService.write,
    isChange: false,
    summary: `Report the status of a TTL check: ${verb}`,
    query: { note: { type: 'string', description: 'The output of the check' } },
    errors: [404, 503],
    async handle(context, request, reply) {
      const { agent } = context
      const id = request.params
      const note = cutOutput(parameter(request.query, 'note') ?? '')
      const origin = originOf(request, `agent/check/${verb} ${id}`)
      const caller = mustAllowCheckChange(context, request, id)
      await named({ agent, caller }, () => agent.updateTtl(id, status, note, origin), id)
      return sendDone(reply)
    },
  })
}

/** agent/check and agent/checks: the checks of this agent. */
export const checkEndpoints = [
  endpoint({
    method: 'GET',
    path: '/v1/agent/checks',
    permission: nodeAndService.read,
    summary: 'List the checks of this agent',
    query: { ...query.filter, ...query.dc, ...query.pretty },
    answer: map(checkRow),
    async handle(context, request, reply) {
      const { agent, identity } = context
      readOptions(request.query, identity)
      const filter = filterOf(request.query, checkFields)
      const viewer = new Viewer(context.callerOf(request))
      const entryOf = (check: Check) => {
        const { node, serviceName } = check
        const isSeen =
          serviceName === '' ? viewer.sees('node', node) : viewer.sees('service', serviceName)
        if (!isSeen) return undefined
        const row = checkJson(check)
        return filter?.(row) === false ? undefined : ([row.CheckID, row] as const)
      }
      return sendMap(context, request, reply, viewer, () => rowsOf(agent.checks(), entryOf))
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/agent/check/register',
    permission: nodeAndService.write,
    summary: 'Register a check with this agent',
    body: json(agentCheckShape),
    errors: [404, 413, 503],
    async handle(context, request, reply) {
      const { agent } = context
      const { definition, warnings } = agentCheck(request.body)
      const { checkId, serviceId } = definition.check
      mustAllowCheck(context, request, definition)
      if (serviceId !== '' && agent.service(serviceId) === undefined) {
        throw svcdError('unknown-service-of-check', { id: serviceId })
      }
      await agent.registerCheck(definition, originOf(request, `agent/check/register ${checkId}`))
      warn(reply, warnings)
      return sendDone(reply)
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/agent/check/deregister/{check_id}',
    permission: nodeAndService.write,
    summary: 'Deregister a check of this agent',
    errors: [404, 503],
    async handle(context, request, reply) {
      const { agent } = context
      const id = request.params
      const origin = originOf(request, `agent/check/deregister ${id}`)
      const caller = mustAllowCheckChange(context, request, id)
      await named({ agent, caller }, () => agent.deregisterCheck(id, origin), id)
      return sendDone(reply)
    },
  }),
  report('pass', 'passing'),
  report('warn', 'warning'),
  report('fail', 'critical'),
  endpoint({
    method: 'PUT',
    path: '/v1/agent/check/update/{check_id}',
    permission: nodeAndService.write,
    isChange: false,
    summary: 'Report the status and output of a TTL check',
    body: json(checkUpdateShape),
    errors: [404, 503],
    async handle(context, request, reply) {
      const { agent } = context
      const id = request.params
      const { Status, Output } = request.body
      if (Status === undefined || Status === '') {
        throw svcdError('invalid-reported-status', { status: '' })
      }
      const status = checkedStatus(Status, 'invalid-reported-status')
      const output = cutOutput(Output ?? '')
      const origin = originOf(request, `agent/check/update ${id}`)
      const caller = mustAllowCheckChange(context, request, id)
      await named({ agent, caller }, () => agent.updateTtl(id, status, output, origin), id)
      return sendDone(reply)
    },
  }),
]
