import { formatDuration } from '../base/duration.ts'
import { svcdError } from '../base/errors.ts'
import { parseIp } from '../base/ip.ts'
import type { ServiceDefinition, Status, TaggedAddress } from '../state/catalog/model.ts'
import type { AgentCheckDefinition, AgentServiceDefinition } from './agent-definition.ts'
import { checkPlan, isProbed } from './check-plan.ts'
import { plainFieldsOf } from './plain-fields.ts'
import { serviceWarnings } from './registration-warnings.ts'
import { checkBytes, definitionBytesMax, extraBytesMax } from './sizes.ts'
import type { AgentCheckBody, AgentServiceBody, ServiceCheckBody } from './shapes.ts'
import {
  checkedAddress,
  checkedId,
  checkedMeta,
  checkedName,
  checkedPort,
  checkedStatus,
  checkedTaggedAddresses,
  checkedTags,
  checkedWeights,
  cutOutput,
  refuseServerId,
} from './validate.ts'

/** Consul's minimum is a minute, because its reaper runs every 30 s. Here each check has its own deadline. */
const deregisterAfterMsMin = 1000

/** A definition with warnings about values that the sender may not expect. */
export interface Accepted<T> {
  readonly definition: T
  readonly warnings: readonly string[]
}

type AgentOwner = AgentCheckDefinition['owner']

/** The service of a PUT agent/service/register, or of a definition file. */
export function agentService(
  body: AgentServiceBody,
  owner: AgentOwner = 'agent',
): Accepted<AgentServiceDefinition> {
  const name = checkedName(body.Name ?? '', 'Name')
  if (name === '') throw svcdError('missing-service-name', {})
  const service = serviceDefinition(body, name, owner)
  const warnings = serviceWarnings(service)
  const bodies = checkBodies(body)
  const checks = bodies.map((check, n) => {
    const id = bodies.length === 1 ? `service:${service.id}` : `service:${service.id}:${n + 1}`
    const status = checkedStatus(check.Status, 'invalid-service-check-status')
    const defaults = { id, name: `Service '${name}' check`, serviceId: service.id, owner, status }
    return checkDefinition(check, check.CheckID, defaults, warnings)
  })
  refuseTwins(checks)
  return { definition: { service, checks }, warnings }
}

function serviceDefinition(
  body: AgentServiceBody,
  name: string,
  owner: AgentOwner,
): ServiceDefinition {
  const id = body.ID === undefined || body.ID === '' ? name : body.ID
  refuseServerId(id)
  const address = checkedAddress(body.Address ?? '', 'service address')
  const port = checkedPort(body.Port ?? 0, 'Port')
  const tagged = checkedTaggedAddresses(body.TaggedAddresses ?? {})
  return {
    id: checkedId(id, 'ID'),
    name,
    address,
    port,
    tags: checkedTags(body.Tags ?? [], 'Tags'),
    meta: checkedMeta(body.Meta ?? {}, 'Service Meta', false),
    weights: checkedWeights(body.Weights),
    taggedAddresses: withOwnFamily(tagged, address, port),
    ...plainFieldsOf(body),
    owner,
    extra: extraFields(body),
  }
}

/** An agent lists a service's IP address under `lan_ipv4` and `wan_ipv4` (or 6) as well. */
function withOwnFamily(
  tagged: Record<string, TaggedAddress>,
  address: string,
  port: number,
): Record<string, TaggedAddress> {
  const ip = parseIp(address)
  if (ip === undefined) return tagged
  const family = ip.length === 4 ? 'ipv4' : 'ipv6'
  return { [`lan_${family}`]: { address, port }, [`wan_${family}`]: { address, port }, ...tagged }
}

type MeshFields = Pick<AgentServiceBody, 'Kind' | 'Proxy' | 'Connect' | 'Locality' | 'SocketPath'>

/** The fields that are stored so that clients can read them back. Empty ones are not stored. Throws `field-too-large`. */
export function extraFields(body: MeshFields): Readonly<Record<string, unknown>> {
  const extra: Record<string, unknown> = {}
  if (body.Kind !== undefined && body.Kind !== '') extra['Kind'] = body.Kind
  if (body.SocketPath !== undefined && body.SocketPath !== '') extra['SocketPath'] = body.SocketPath
  if (isFilled(body.Proxy)) extra['Proxy'] = body.Proxy
  if (isFilled(body.Connect)) extra['Connect'] = body.Connect
  if (isFilled(body.Locality)) extra['Locality'] = body.Locality
  const names = Object.keys(extra)
  if (names.length > 0) checkBytes(names.join(', '), JSON.stringify(extra), extraBytesMax)
  return extra
}

function isFilled(value: Readonly<Record<string, unknown>> | undefined): boolean {
  return value !== undefined && Object.keys(value).length > 0
}

function checkBodies(body: AgentServiceBody): readonly ServiceCheckBody[] {
  const list = body.Checks ?? []
  const { Check: single } = body
  // Templates produce "Check": {}. Like Consul, treat it as no check.
  return single === undefined || Object.keys(single).length === 0 ? list : [single, ...list]
}

function refuseTwins(checks: readonly AgentCheckDefinition[]): void {
  const ids = new Set<string>()
  for (const { check } of checks) {
    if (ids.has(check.checkId)) {
      const reason = `two checks have the ID ${JSON.stringify(check.checkId)}`
      throw svcdError('invalid-field', { field: 'Checks', reason })
    }
    ids.add(check.checkId)
  }
}

/** The check of a PUT agent/check/register, or of a definition file. */
export function agentCheck(
  body: AgentCheckBody,
  owner: AgentOwner = 'agent',
): Accepted<AgentCheckDefinition> {
  const name = body.Name ?? ''
  if (name === '') throw svcdError('missing-check-name', {})
  const warnings: string[] = []
  const status = checkedStatus(body.Status)
  const defaults = { id: name, name, serviceId: body.ServiceID ?? '', owner, status }
  return { definition: checkDefinition(body, body.ID, defaults, warnings), warnings }
}

interface CheckDefaults {
  readonly id: string
  readonly name: string
  readonly serviceId: string
  readonly owner: AgentOwner
  readonly status: Status
}

function checkDefinition(
  body: ServiceCheckBody,
  id: string | undefined,
  defaults: CheckDefaults,
  warnings: string[],
): AgentCheckDefinition {
  const plan = checkPlan(body, warnings)
  checkBytes('check definition', JSON.stringify(plan), definitionBytesMax)
  return {
    check: {
      checkId: checkedId(id === undefined || id === '' ? defaults.id : id, 'CheckID'),
      name: checkedName(
        body.Name === undefined || body.Name === '' ? defaults.name : body.Name,
        'check name',
      ),
      status: defaults.status,
      notes: cutOutput(body.Notes ?? ''),
      output: '',
      serviceId: defaults.serviceId,
      type: plan.kind,
      interval: formatDuration(isProbed(plan) && plan.kind !== 'alias' ? plan.intervalMs : 0),
      timeout: formatDuration(body.Timeout ?? 0),
      definition: {},
    },
    owner: defaults.owner,
    plan,
    successBeforePassing: threshold(body.SuccessBeforePassing, 'SuccessBeforePassing'),
    failuresBeforeWarning: threshold(
      body.FailuresBeforeWarning ?? body.FailuresBeforeCritical,
      'FailuresBeforeWarning',
    ),
    failuresBeforeCritical: threshold(body.FailuresBeforeCritical, 'FailuresBeforeCritical'),
    deregisterAfterMs: deregisterAfter(body.DeregisterCriticalServiceAfter ?? 0, warnings),
  }
}

function threshold(value: number | undefined, field: string): number {
  if (value !== undefined && value < 0) {
    throw svcdError('invalid-field', { field, reason: `${value} is negative` })
  }
  return value ?? 0
}

function deregisterAfter(afterMs: number, warnings: string[]): number {
  if (afterMs <= 0) return 0
  if (afterMs >= deregisterAfterMsMin) return afterMs
  warnings.push('DeregisterCriticalServiceAfter is below the minimum of 1s, so 1s is used')
  return deregisterAfterMsMin
}
