import type { Outcome } from '../machine/command.ts'
import { isSameRow } from '../machine/table.ts'
import type { RegisterCommand } from './commands.ts'
import type { CheckDefinition, NodeDefinition, ServiceDefinition } from './model.ts'
import { addressKeys, reachOfNode, reachOfService } from './addresses.ts'
import { moveAddresses, nodeAddressKeys, serviceAddressKeys } from './address-index.ts'
import { identityChange, putBelongings, settleIdentity, willHaveService } from './node-identity.ts'
import { settledFormat } from './schema.ts'
import { keptEvidence, touchCheck, touchServiceGone, touchServices } from './change.ts'
import type { CatalogChange } from './change.ts'
import { objectJson, reverseLabels } from './rows.ts'
import { withPlainCells } from './service-fields.ts'
import type { CheckRow, NodeRow, ServiceRow } from './tables.ts'
import { subject } from './subjects.ts'
import { checksTable, nodesTable, servicesTable } from './tables.ts'

/** Applies a registration. Unchanged rows keep their modify index, and wake no waiter. */
export function register(body: RegisterCommand, change: CatalogChange): Outcome {
  const { sql, gate } = change
  const nodeKey = body.nodeName.toLowerCase()
  const refusal = refuse(body, nodeKey, change)
  if (refusal !== undefined) return refusal
  if (body.node !== undefined && !isKept(body, body.node, nodeKey, change)) {
    putNode(nodeKey, body.node, change)
  }
  const wasThere = body.service !== undefined && putService(nodeKey, body.service, change)
  // A service that was not there before has no checks.
  if (body.replaceChecks && body.service !== undefined && wasThere) {
    const listed = new Set(body.checks.map((check) => check.checkId))
    for (const row of sql.checksOfService.all(nodeKey, body.service.id)) {
      if (listed.has(row.check_id)) continue
      gate.remove(checksTable, row)
      touchCheck(nodeKey, row.service_id, change, body.service)
    }
  }
  for (const check of body.checks)
    putCheck({ nodeKey, check, service: body.service, wasThere, change })
  return { ok: true, index: gate.index }
}

/** All is judged before anything is written, so that a refused registration changes nothing. */
function refuse(
  body: RegisterCommand,
  nodeKey: string,
  change: CatalogChange,
): Outcome | undefined {
  const { index } = change.gate
  if (body.node === undefined && !change.nodes.has(nodeKey)) {
    return { ok: false, index, error: 'unknown-node', subject: body.nodeName }
  }
  for (const check of body.checks) {
    const id = check.serviceId
    if (id === '' || id === body.service?.id) continue
    if (!hasService(body, nodeKey, id, change)) {
      return { ok: false, index, error: 'unknown-service', subject: id }
    }
  }
  return undefined
}

/** Whether the node has the service when its row is written: it may be another machine then, or have a new name. */
function hasService(
  body: RegisterCommand,
  nodeKey: string,
  id: string,
  change: CatalogChange,
): boolean {
  const { sql, gate } = change
  const { node } = body
  const isSettled = gate.usedFormat >= settledFormat
  if (!isSettled || node === undefined || isKept(body, node, nodeKey, change)) {
    return sql.hasService.get(nodeKey, id) !== undefined
  }
  const identity = identityChange(nodeKey, node, sql.node.get(nodeKey), change)
  return willHaveService(nodeKey, id, identity, change)
}

/**
 * Whether the node stays as it is. It is judged here, by the state that the log leads to: the
 * server that proposed the command may lag behind. A node without an address has not been described
 * yet.
 */
function isKept(
  body: RegisterCommand,
  node: NodeDefinition,
  key: string,
  change: CatalogChange,
): boolean {
  return (body.isNodeKept === true || node.address === '') && change.nodes.has(key)
}

function putNode(key: string, node: NodeDefinition, change: CatalogChange): void {
  const { sql, gate } = change
  const { index } = gate
  const found = sql.node.get(key)
  const { isReplaced, moved } = settleIdentity(key, node, found, change)
  const before = isReplaced ? undefined : found
  const row: NodeRow = {
    key,
    reversed_key: reverseLabels(key),
    name: node.name,
    id: node.id,
    address: node.address,
    tagged_addresses: JSON.stringify(node.taggedAddresses),
    meta: JSON.stringify(node.meta),
    create_index: before?.create_index ?? index,
    modify_index: index,
  }
  if (before !== undefined && isSameRow(before, row)) return
  gate.put(nodesTable, row, before)
  moveAddresses(key, '', before && nodeAddressKeys(before), addressKeys(reachOfNode(node)), change)
  gate.touch(subject.nodes)
  gate.touch(subject.node(key))
  if (before === undefined) gate.come(subject.node(key))
  else touchServices(key, change)
  if (moved !== undefined) putBelongings(key, moved, change)
}

/** Returns whether it was there before. */
function putService(nodeKey: string, service: ServiceDefinition, change: CatalogChange): boolean {
  const { sql, gate } = change
  const { index } = gate
  const before = sql.service.get(nodeKey, service.id)
  const row = serviceRow(nodeKey, service, before?.create_index ?? index, gate)
  if (before !== undefined && isSameRow(before, row)) return true
  gate.put(servicesTable, row, before)
  const keys = addressKeys(reachOfService(service))
  moveAddresses(nodeKey, service.id, before && serviceAddressKeys(before), keys, change)
  gate.touch(subject.node(nodeKey))
  gate.touch(subject.service(service.name))
  if (before?.name_key !== row.name_key) gate.come(subject.service(service.name))
  if (before !== undefined && before.name_key !== row.name_key) touchServiceGone(before, change)
  if (before === undefined || before.name !== row.name || before.tags !== row.tags) {
    gate.touch(subject.services)
    // Checks are listed with their service's name and tags.
    if (before !== undefined) gate.touch(subject.checks)
  }
  return before !== undefined
}

function serviceRow(
  nodeKey: string,
  service: ServiceDefinition,
  createIndex: number,
  { index, usedFormat }: CatalogChange['gate'],
): ServiceRow {
  const row = {
    node_key: nodeKey,
    id: service.id,
    name: service.name,
    name_key: service.name.toLowerCase(),
    address: service.address,
    port: service.port,
    tags: service.tags.length === 0 ? '[]' : JSON.stringify(service.tags),
    meta: objectJson(service.meta),
    weight_passing: service.weights.passing,
    weight_warning: service.weights.warning,
    tagged_addresses: objectJson(service.taggedAddresses),
    owner: service.owner,
    extra: objectJson(service.extra),
    create_index: createIndex,
    modify_index: index,
  }
  return withPlainCells(row, service, usedFormat)
}

interface CheckPut {
  readonly nodeKey: string
  readonly check: CheckDefinition
  /** Of the same command; it is in its row already. */
  readonly service: ServiceDefinition | undefined
  /** The service was there before the command. */
  readonly wasThere: boolean
  readonly change: CatalogChange
}

function putCheck({ nodeKey, check, service, wasThere, change }: CheckPut): void {
  const { sql, gate } = change
  const row = checkRow(nodeKey, check, gate)
  // The checks of a new service are new as well, nearly always: they need not be looked for.
  const isLikelyNew = !wasThere && check.serviceId === service?.id
  if (isLikelyNew && gate.add(checksTable, row)) {
    touchCheck(nodeKey, check.serviceId, change, service)
    return
  }
  const before = sql.check.get(nodeKey, check.checkId)
  if (before !== undefined) {
    row.create_index = before.create_index
    if (isSameRow(before, row)) return
  }
  gate.put(checksTable, row, before)
  touchCheck(nodeKey, check.serviceId, change, service)
  if (before !== undefined && before.service_id !== check.serviceId) {
    touchCheck(nodeKey, before.service_id, change, service)
  }
}

/** As that of a check that was not there before. */
function checkRow(nodeKey: string, check: CheckDefinition, gate: CatalogChange['gate']): CheckRow {
  const { index } = gate
  return {
    node_key: nodeKey,
    check_id: check.checkId,
    name: check.name,
    status: check.status,
    notes: check.notes,
    output: check.output,
    service_id: check.serviceId,
    type: check.type,
    interval: check.interval,
    timeout: check.timeout,
    definition: objectJson(check.definition),
    create_index: index,
    modify_index: index,
    evidence: keptEvidence(check, gate),
  }
}
