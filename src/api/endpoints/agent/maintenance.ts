import type { FastifyRequest } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import type { AgentCheckDefinition } from '../../../definition/agent-definition.ts'
import { cutOutput } from '../../../definition/validate.ts'
import { nodeMaintenanceId, serviceMaintenancePrefix } from '../../../health/judge.ts'
import type { LocalAgent } from '../../../ports/agent.ts'
import type { Origin } from '../../../ports/writes.ts'
import { endpoint } from '../../context.ts'
import { originOf } from '../../../http/origin.ts'
import { parameter, parametersOf, parsedBoolean } from '../../../http/parameters.ts'
import { sendDone } from '../../../http/reply.ts'
import { unknownService } from './nearest-id.ts'
import { mustAllowServiceChange } from './rights.ts'

const maintenanceQuery = {
  enable: {
    type: 'boolean',
    description: 'true turns maintenance mode on, false turns it off',
  },
  reason: { type: 'string', description: 'Why maintenance mode is enabled' },
}

/**
 * Maintenance mode: a critical check without a probe takes a service, or a whole node, out of
 * answers.
 */
export const maintenanceEndpoints = [
  endpoint({
    method: 'PUT',
    path: '/v1/agent/service/maintenance/{service_id}',
    permission: { handlerChecks: [{ resource: 'service', access: 'write' }] },
    audited: { parameters: ['enable'] },
    summary: 'Enable or disable maintenance mode for a service',
    query: maintenanceQuery,
    errors: [404, 503],
    async handle(context, request, reply) {
      const { agent } = context
      const serviceId = request.params
      if (serviceId === '') throw svcdError('missing-name', { what: 'service ID' })
      const isOn = enableParameter(request)
      const caller = mustAllowServiceChange(context, request, serviceId)
      if (agent.service(serviceId) === undefined) throw unknownService(agent, serviceId, caller)
      const checkId = `${serviceMaintenancePrefix}${serviceId}`
      const origin = originOf(request, `agent/service/maintenance ${serviceId}`)
      await setMaintenance(agent, isOn, maintenanceCheck(checkId, serviceId, request), origin)
      return sendDone(reply)
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/agent/maintenance',
    permission: { resource: 'node', access: 'write', name: 'own-node' },
    audited: { parameters: ['enable'] },
    summary: 'Enable or disable maintenance mode for this node',
    query: maintenanceQuery,
    errors: [503],
    async handle({ agent }, request, reply) {
      const isOn = enableParameter(request)
      const check = maintenanceCheck(nodeMaintenanceId, '', request)
      await setMaintenance(agent, isOn, check, originOf(request, 'agent/maintenance'))
      return sendDone(reply)
    },
  }),
]

function enableParameter(request: FastifyRequest): boolean {
  const value = parameter(parametersOf(request), 'enable') ?? ''
  if (value === '') throw svcdError('missing-name', { what: 'value for enable' })
  const isOn = parsedBoolean(value)
  if (isOn === undefined) throw svcdError('invalid-enable', { value })
  return isOn
}

function maintenanceCheck(
  checkId: string,
  serviceId: string,
  request: FastifyRequest,
): AgentCheckDefinition {
  const what = serviceId === '' ? 'node' : 'service'
  const reason = parameter(parametersOf(request), 'reason') ?? ''
  const noReason = `Maintenance mode is enabled for this ${what}, but no reason was provided. This is a default message.`
  return {
    check: {
      checkId,
      name: serviceId === '' ? 'Node Maintenance Mode' : 'Service Maintenance Mode',
      status: 'critical',
      evidence: 'intent',
      notes: cutOutput(reason === '' ? noReason : reason),
      output: '',
      serviceId,
      type: 'maintenance',
      interval: '0s',
      timeout: '0s',
      definition: {},
    },
    owner: 'agent',
    plan: { kind: 'none' },
    successBeforePassing: 0,
    failuresBeforeWarning: 0,
    failuresBeforeCritical: 0,
    deregisterAfterMs: 0,
  }
}

async function setMaintenance(
  agent: LocalAgent,
  isOn: boolean,
  definition: AgentCheckDefinition,
  origin: Origin,
): Promise<void> {
  const { checkId } = definition.check
  if (isOn) await agent.registerCheck(definition, origin)
  else if (agent.hasCheck(checkId)) await agent.deregisterCheck(checkId, origin)
}
