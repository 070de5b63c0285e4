import { formatDuration } from '../base/duration.ts'
import { svcdError } from '../base/errors.ts'
import type { RegisterCommand } from '../state/catalog/commands.ts'
import type { CheckDefinition, NodeDefinition, ServiceDefinition } from '../state/catalog/model.ts'
import { extraFields } from './agent-registration.ts'
import {
  checkBytes,
  checkCount,
  checksMax,
  checkTextBytesMax,
  definitionBytesMax,
  taggedAddressesMax,
} from './sizes.ts'
import { plainFieldsOf } from './plain-fields.ts'
import type {
  CatalogCheckBody,
  CatalogRegisterBody,
  CatalogServiceBody,
  CheckDefinitionBody,
} from './shapes.ts'
import {
  catalogWeights,
  checkedAddress,
  checkedEvidence,
  checkedId,
  checkedMeta,
  checkedName,
  checkedPort,
  checkedStatus,
  checkedTaggedAddress,
  checkedTaggedAddresses,
  checkedTags,
  cutOutput,
} from './validate.ts'

/**
 * The command that PUT catalog/register asks for. Under SkipNodeUpdate it keeps a node as it is, but creates
 * one that does not exist; which it is, is known when the command is applied.
 */
export function catalogRegistration(body: CatalogRegisterBody): RegisterCommand {
  const nodeName = checkedName(body.Node ?? '', 'Node')
  if (nodeName === '') throw svcdError('missing-node', {})
  const { Check: single, Checks: list = [] } = body
  const checks = single === undefined ? list : [single, ...list]
  checkCount('Checks', checks.length, checksMax)
  return {
    kind: 'register',
    nodeName,
    node: catalogNode(body, nodeName),
    isNodeKept: body.SkipNodeUpdate === true ? true : undefined,
    service: body.Service === undefined ? undefined : catalogService(body.Service),
    checks: checks.map((check) => catalogCheck(check, nodeName)),
    replaceChecks: false,
  }
}

/** What a registration says of a node. Throws an SvcdError, as those below. */
export function catalogNode(
  body: Pick<
    CatalogRegisterBody,
    'ID' | 'Address' | 'TaggedAddresses' | 'NodeMeta' | 'SkipNodeUpdate'
  >,
  name: string,
): NodeDefinition {
  const { SkipNodeUpdate: isKept = false } = body
  const address = checkedAddress(body.Address ?? '', 'Address')
  // A new node may be without an address, which a later registration gives it.
  if (address === '' && !isKept) throw svcdError('missing-node-address', { node: name })
  const given = Object.entries(body.TaggedAddresses ?? {})
  checkCount('TaggedAddresses', given.length, taggedAddressesMax)
  const tagged = given.map(([tag, tagAddress]) => [
    checkedName(tag, 'TaggedAddresses'),
    checkedTaggedAddress(tag, tagAddress, `TaggedAddresses.${tag}`),
  ])
  return {
    name,
    id: checkedUuid(body.ID ?? ''),
    address,
    taggedAddresses: Object.fromEntries(tagged) as Record<string, string>,
    meta: checkedMeta(body.NodeMeta ?? {}, 'Node Meta', true),
  }
}

function checkedUuid(id: string): string {
  if (id === '' || /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
    return id.toLowerCase()
  }
  throw svcdError('bad-node-id', { id })
}

export function catalogService(
  body: Omit<CatalogServiceBody, 'CreateIndex' | 'ModifyIndex'>,
): ServiceDefinition {
  const name = checkedName(body.Service ?? '', 'Service.Service')
  if (name === '') throw svcdError('missing-catalog-service-name', {})
  return {
    id: checkedId(body.ID === undefined || body.ID === '' ? name : body.ID, 'Service.ID'),
    name,
    address: checkedAddress(body.Address ?? '', 'service address'),
    port: checkedPort(body.Port ?? 0, 'Service.Port'),
    tags: checkedTags(body.Tags ?? [], 'Service.Tags'),
    meta: checkedMeta(body.Meta ?? {}, 'Service Meta', true),
    weights: catalogWeights(body.Weights),
    taggedAddresses: checkedTaggedAddresses(body.TaggedAddresses ?? {}),
    ...plainFieldsOf(body),
    owner: 'catalog',
    extra: extraFields(body),
  }
}

export function catalogCheck(
  body: Omit<CatalogCheckBody, 'CreateIndex' | 'ModifyIndex'>,
  nodeName: string,
): CheckDefinition {
  const id = body.CheckID === undefined || body.CheckID === '' ? (body.Name ?? '') : body.CheckID
  if (id === '') throw svcdError('missing-check-name', {})
  const { Node: given = '' } = body
  // Consul's Go client writes the field whatever it holds.
  if (given !== '' && given.toLowerCase() !== nodeName.toLowerCase()) {
    throw svcdError('check-node-differs', { given, node: nodeName })
  }
  const definition = definitionOf(body.Definition ?? {})
  const {
    ServiceID: serviceId = '',
    Type: type = '',
    Interval: interval = '',
    Timeout: timeout = '',
  } = body
  for (const [field, text] of Object.entries({ serviceId, type, interval, timeout })) {
    checkBytes(`check ${field}`, text, checkTextBytesMax)
  }
  checkBytes('check definition', JSON.stringify(definition), definitionBytesMax)
  return {
    checkId: checkedId(id, 'CheckID'),
    name: checkedName(body.Name ?? '', 'check name'),
    status: checkedStatus(body.Status),
    evidence: checkedEvidence(body.Evidence),
    notes: cutOutput(body.Notes ?? ''),
    output: cutOutput(body.Output ?? ''),
    serviceId,
    type: type === '' ? typeOf(definition) : type,
    interval,
    timeout,
    definition,
  }
}

const durations = ['Interval', 'Timeout', 'TTL', 'DeregisterCriticalServiceAfter'] as const

/** The definition as Consul writes it back: no empty fields, durations as text. */
function definitionOf(body: CheckDefinitionBody): Readonly<Record<string, unknown>> {
  const definition: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(body)) {
    if (value !== '' && value !== false && value !== 0) definition[key] = value
  }
  for (const key of durations) {
    const durationMs = body[key] ?? 0
    if (durationMs !== 0) definition[key] = formatDuration(durationMs)
  }
  return definition
}

const typeByField: readonly (readonly [string, string])[] = [
  ['HTTP', 'http'],
  ['GRPC', 'grpc'],
  ['TCP', 'tcp'],
  ['UDP', 'udp'],
  ['H2PING', 'h2ping'],
  ['TTL', 'ttl'],
  ['DockerContainerID', 'docker'],
  ['ScriptArgs', 'script'],
  ['AliasService', 'alias'],
  ['AliasNode', 'alias'],
  ['OSService', 'os_service'],
]

function typeOf(definition: Readonly<Record<string, unknown>>): string {
  return typeByField.find(([field]) => definition[field] !== undefined)?.[1] ?? ''
}
