import type { Outcome, RegisterCommand } from '../machine/command.ts'
import type { CheckDefinition, NodeDefinition, ServiceDefinition } from './model.ts'
import { addressKeys, reachOfNode, reachOfService } from './addresses.ts'
import { moveAddresses, nodeAddressKeys, serviceAddressKeys } from './address-index.ts'
import { noteCome, touchServiceGone } from './gone-subjects.ts'
import { putBelongings, settleIdentity } from './node-identity.ts'
import { touchCheck, touchServices } from './touch.ts'
import type { Change } from './touch.ts'
import { objectJson, reverseLabels } from './rows.ts'
import type { CheckRow, NodeRow, ServiceRow } from './rows.ts'
import { subject } from '../machine/versions.ts'

/** Applies a registration. Unchanged rows keep their modify index, and wake no waiter. */
export function register(body: RegisterCommand, change: Change): Outcome {
  const { sql, index } = change
  const nodeKey = body.nodeName.toLowerCase()
  const refusal = refuse(body, nodeKey, change)
  if (refusal !== undefined) return refusal
  if (body.node !== undefined && !isKept(body, body.node, nodeKey, change)) {
    putNode(nodeKey, body.node, change)
  }
  // A service that was not there before has no checks.
  const wasThere = body.service !== undefined && putService(nodeKey, body.service, change)
  if (body.replaceChecks && body.service !== undefined && wasThere) {
    const listed = new Set(body.checks.map((check) => check.checkId))
    for (const row of sql.checksOfService.all(nodeKey, body.service.id)) {
      if (listed.has(row.check_id)) continue
      change.rows.deleteCheck(row)
      touchCheck(nodeKey, row.service_id, change)
    }
  }
  for (const check of body.checks) putCheck(nodeKey, check, change)
  return { ok: true, index }
}

/** All is judged before anything is written, so that a refused registration changes nothing. */
function refuse(body: RegisterCommand, nodeKey: string, change: Change): Outcome | undefined {
  const { sql, index } = change
  if (body.node === undefined && !hasNode(nodeKey, change)) {
    return { ok: false, index, error: 'unknown-node', subject: body.nodeName }
  }
  for (const check of body.checks) {
    const id = check.serviceId
    if (id === '' || id === body.service?.id) continue
    if (sql.hasService.get(nodeKey, id) === undefined) {
      return { ok: false, index, error: 'unknown-service', subject: id }
    }
  }
  return undefined
}

/**
 * Whether the node stays as it is. It is judged here, by the state that the log leads to: the
 * server that proposed the command may lag behind. A node without an address has not been described
 * yet.
 */
function isKept(body: RegisterCommand, node: NodeDefinition, key: string, change: Change): boolean {
  return (body.isNodeKept === true || node.address === '') && hasNode(key, change)
}

function hasNode(key: string, { sql, nodes }: Change): boolean {
  if (nodes.has(key)) return true
  if (sql.hasNode.get(key) === undefined) return false
  nodes.add(key)
  return true
}

function putNode(key: string, node: NodeDefinition, change: Change): void {
  const { sql, index } = change
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
  if (before !== undefined && sameRow(before, row)) return
  change.rows.putNode(before, row)
  moveAddresses(key, '', before && nodeAddressKeys(before), addressKeys(reachOfNode(node)), change)
  change.touch(subject.nodes)
  change.touch(subject.node(key))
  if (before === undefined) noteCome(subject.node(key), change)
  else touchServices(key, change)
  if (moved !== undefined) putBelongings(key, moved, change)
}

/** Returns whether it was there before. */
function putService(nodeKey: string, service: ServiceDefinition, change: Change): boolean {
  const { sql, index } = change
  const before = sql.service.get(nodeKey, service.id)
  const row = serviceRow(nodeKey, service, before?.create_index ?? index, index)
  if (before !== undefined && sameRow(before, row)) return true
  change.rows.putService(before, row)
  const keys = addressKeys(reachOfService(service))
  moveAddresses(nodeKey, service.id, before && serviceAddressKeys(before), keys, change)
  change.touch(subject.node(nodeKey))
  change.touch(subject.service(service.name))
  if (before?.name_key !== row.name_key) noteCome(subject.service(service.name), change)
  if (before !== undefined && before.name_key !== row.name_key) touchServiceGone(before, change)
  if (before === undefined || before.name !== row.name || before.tags !== row.tags) {
    change.touch(subject.services)
    // Checks are listed with their service's name and tags.
    if (before !== undefined) change.touch(subject.checks)
  }
  return before !== undefined
}

function serviceRow(
  nodeKey: string,
  service: ServiceDefinition,
  createIndex: number,
  modifyIndex: number,
): ServiceRow {
  return {
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
    enable_tag_override: service.enableTagOverride ? 1 : 0,
    owner: service.owner,
    extra: objectJson(service.extra),
    create_index: createIndex,
    modify_index: modifyIndex,
  }
}

function putCheck(nodeKey: string, check: CheckDefinition, change: Change): void {
  const { sql, index } = change
  const before = sql.check.get(nodeKey, check.checkId)
  const row: CheckRow = {
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
    definition: JSON.stringify(check.definition),
    create_index: before?.create_index ?? index,
    modify_index: index,
  }
  if (before !== undefined && sameRow(before, row)) return
  change.rows.putCheck(before, row)
  touchCheck(nodeKey, check.serviceId, change)
  if (before !== undefined && before.service_id !== check.serviceId) {
    touchCheck(nodeKey, before.service_id, change)
  }
}

/** Whether two rows say the same, their modify index aside. */
function sameRow<T extends { modify_index: number }>(before: T, after: T): boolean {
  for (const name of Object.keys(after) as (keyof T)[]) {
    if (name !== 'modify_index' && before[name] !== after[name]) return false
  }
  return true
}
