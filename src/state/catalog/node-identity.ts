import { moveAddresses, serviceAddressKeys } from './address-index.ts'
import { removeNode } from './deregister.ts'
import { nodeCheckId, type NodeDefinition } from './model.ts'
import type { CheckRow, NodeRow, ServiceRow } from './tables.ts'
import { touchCheck } from './change.ts'
import type { CatalogChange } from './change.ts'
import { subject } from './subjects.ts'
import { checksTable, servicesTable } from './tables.ts'

/** The entries of a node under its earlier name. */
export interface Belongings {
  readonly services: readonly ServiceRow[]
  readonly checks: readonly CheckRow[]
}

/** What a registration does to the nodes that are there. */
export interface IdentityChange {
  /** The node of this name is another machine, and goes. */
  readonly isReplaced: boolean
  /** The node under its earlier names, which go. More than one only where an earlier release took it for another one. */
  readonly earlier: readonly NodeRow[]
}

const sameIdentity: IdentityChange = { isReplaced: false, earlier: [] }

/** `before` is the row of the node as it is. Nothing is written. */
export function identityChange(
  key: string,
  { id }: NodeDefinition,
  before: NodeRow | undefined,
  { sql }: CatalogChange,
): IdentityChange {
  if (id === '' || before?.id === id) return sameIdentity
  const isReplaced =
    before !== undefined && before.id !== '' && sql.check.get(key, nodeCheckId) !== undefined
  return { isReplaced, earlier: sql.nodesWithId.all(id).filter((other) => other.key !== key) }
}

/** Whether the node has that service after the change. */
export function willHaveService(
  key: string,
  id: string,
  { isReplaced, earlier }: IdentityChange,
  { sql }: CatalogChange,
): boolean {
  const hasOne = (nodeKey: string): boolean => sql.hasService.get(nodeKey, id) !== undefined
  return (!isReplaced && hasOne(key)) || earlier.some((node) => hasOne(node.key))
}

/**
 * A node is who its id says. The same id under another name is a renamed node: the old name goes, and what
 * is registered on it goes along. Another id under the name of an agent's node is another machine: it owns
 * nothing of its predecessor. (A node that no agent stands for is whatever is written of it last.)
 *
 * To be called before the node's row is written; `before` is that row as it was. Returns what is to be put
 * on the node then.
 */
export function settleIdentity(
  key: string,
  node: NodeDefinition,
  before: NodeRow | undefined,
  change: CatalogChange,
): { readonly isReplaced: boolean; readonly moved: Belongings | undefined } {
  const { sql } = change
  const { isReplaced, earlier: others } = identityChange(key, node, before, change)
  if (isReplaced && before !== undefined) removeNode(before, change)
  if (others.length === 0) return { isReplaced, moved: undefined }
  const moved = {
    services: newest(
      others.flatMap((other) => sql.servicesOfNode.all(other.key)),
      ({ id }) => id,
    ),
    checks: newest(
      others.flatMap((other) => sql.checksOfNode.all(other.key)),
      (row) => row.check_id,
    ),
  }
  for (const other of others) removeNode(other, change)
  return { isReplaced, moved }
}

/** Of rows with the same id the one that was written last; all replicas must choose the same, so ties go by the key. */
function newest<R extends ServiceRow | CheckRow>(
  rows: readonly R[],
  idOf: (row: R) => string,
): readonly R[] {
  const byId = new Map<string, R>()
  for (const row of rows) {
    const rival = byId.get(idOf(row))
    const isNewer =
      rival === undefined ||
      row.modify_index > rival.modify_index ||
      (row.modify_index === rival.modify_index && row.node_key < rival.node_key)
    if (isNewer) byId.set(idOf(row), row)
  }
  return [...byId.values()]
}

/** Puts on a node what it had under its old name, but for what is there already. */
export function putBelongings(
  key: string,
  { services, checks }: Belongings,
  change: CatalogChange,
): void {
  const { sql, gate } = change
  const { index } = gate
  for (const service of services) {
    if (sql.hasService.get(key, service.id) !== undefined) continue
    const row = { ...service, node_key: key, modify_index: index }
    gate.put(servicesTable, row, undefined)
    moveAddresses(key, row.id, undefined, serviceAddressKeys(row), change)
    const name = subject.service(row.name)
    gate.touch(name)
    gate.come(name)
  }
  for (const check of checks) {
    if (sql.check.get(key, check.check_id) !== undefined) continue
    if (check.service_id !== '' && sql.hasService.get(key, check.service_id) === undefined) continue
    gate.put(checksTable, { ...check, node_key: key, modify_index: index }, undefined)
    touchCheck(key, check.service_id, change)
  }
  if (services.length > 0) gate.touch(subject.services)
}
