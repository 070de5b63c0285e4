import { Viewer } from '../../../access/viewer.ts'
import { agentService } from '../../../definition/agent-registration.ts'
import { placeWarnings } from '../../../definition/registration-warnings.ts'
import { agentServiceShape } from '../../../definition/shapes.ts'
import type { Service } from '../../../state/catalog/model.ts'
import { endpoint } from '../../context.ts'
import { rowsOf } from '../../../http/answer.ts'
import { json } from '../../../http/body.ts'
import { agentServiceJson } from '../../../http/encode.ts'
import { filterOf, serviceFields } from '../../../http/filters.ts'
import { originOf } from '../../../http/origin.ts'
import { flagParameter, readOptions } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { sendDone, warn } from '../../../http/reply.ts'
import { agentServiceRow } from '../../../http/row-schemas.ts'
import { map } from '../../../http/schemas.ts'
import { named } from './nearest-id.ts'
import { mustAllowServiceChange, mustAllowService } from './rights.ts'
import { sendMap } from './send-map.ts'
import { explained } from './unknown-service.ts'

/** agent/service and agent/services: the services of this agent. */
export const serviceEndpoints = [
  endpoint({
    method: 'PUT',
    path: '/v1/agent/service/register',
    permission: { handlerChecks: [{ resource: 'service', access: 'write' }] },
    summary: 'Register a service with this agent',
    query: {
      'replace-existing-checks': {
        type: 'boolean',
        description: 'Remove the checks of the service that the body does not list',
      },
    },
    body: json(agentServiceShape),
    errors: [413, 503],
    async handle(context, request, reply) {
      const { agent, identity, said } = context
      const { definition, warnings: own } = agentService(request.body)
      const replaceExistingChecks = flagParameter(request.query, 'replace-existing-checks')
      const { id, name } = definition.service
      mustAllowService(context, request, definition)
      const origin = originOf(request, `agent/service/register ${id}`)
      const options = { replaceExistingChecks }
      const { replaced } = await agent.registerService(definition, options, origin)
      const place = placeWarnings(definition.service, replaced, identity.address)
      const warnings = place.length === 0 ? own : [...own, ...place]
      warn(reply, warnings)
      said.say({ id, name }, warnings)
      return sendDone(reply)
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/agent/service/deregister/{service_id}',
    permission: { handlerChecks: [{ resource: 'service', access: 'write' }] },
    summary: 'Deregister a service of this agent',
    errors: [404, 503],
    async handle(context, request, reply) {
      const { agent } = context
      const id = request.params
      const origin = originOf(request, `agent/service/deregister ${id}`)
      const caller = mustAllowServiceChange(context, request, id)
      const act = (): Promise<void> => agent.deregisterService(id, origin)
      await named({ agent, caller }, () => explained(act, id, context, caller.rights), id)
      return sendDone(reply)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/agent/services',
    permission: { filteredBy: [{ resource: 'service', access: 'read' }] },
    summary: 'List the services of this agent',
    query: { ...query.filter, ...query.dc, ...query.pretty },
    answer: map(agentServiceRow),
    async handle(context, request, reply) {
      const { agent, identity } = context
      readOptions(request.query, identity)
      const filter = filterOf(request.query, serviceFields)
      const viewer = new Viewer(context.callerOf(request))
      const entryOf = (service: Service) => {
        if (!viewer.sees('service', service.name)) return undefined
        const row = agentServiceJson(service, identity.datacenter)
        return filter?.(row) === false ? undefined : ([row.ID, row] as const)
      }
      return sendMap(context, request, reply, viewer, () => rowsOf(agent.services(), entryOf))
    },
  }),
]
