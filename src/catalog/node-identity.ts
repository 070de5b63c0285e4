import { moveAddresses, serviceAddressKeys } from './address-index.ts'
import { removeNode } from './deregister.ts'
import { noteCome } from './gone-subjects.ts'
import type { NodeDefinition } from './model.ts'
import type { CheckRow, NodeRow, ServiceRow } from './rows.ts'
import { touchCheck } from './touch.ts'
import type { Change } from './touch.ts'
import { subject } from './versions.ts'

/** The check that says that an agent stands for a node. */
const nodeCheckId = 'serfHealth'

/** What was on a node under the name that it had before. */
export interface Belongings {
  readonly services: readonly ServiceRow[]
  readonly checks: readonly CheckRow[]
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
  change: Change,
): { readonly isReplaced: boolean; readonly moved: Belongings | undefined } {
  if (node.id === '' || before?.id === node.id) return { isReplaced: false, moved: undefined }
  const { sql } = change
  const isReplaced =
    before !== undefined && before.id !== '' && sql.check.get(key, nodeCheckId) !== undefined
  if (isReplaced) removeNode(before, change)
  let moved: Belongings | undefined
  for (const other of sql.nodesWithId.all(node.id)) {
    if (other.key === key) continue
    moved ??= {
      services: sql.servicesOfNode.all(other.key),
      checks: sql.checksOfNode.all(other.key),
    }
    removeNode(other, change)
  }
  return { isReplaced, moved }
}

/** Puts on a node what it had under its old name, but for what is there already. */
export function putBelongings(key: string, { services, checks }: Belongings, change: Change): void {
  const { sql, rows, index } = change
  for (const service of services) {
    if (sql.hasService.get(key, service.id) !== undefined) continue
    const row = { ...service, node_key: key, modify_index: index }
    rows.putService(undefined, row)
    moveAddresses(key, row.id, undefined, serviceAddressKeys(row), change)
    const name = subject.service(row.name)
    change.touch(name)
    noteCome(name, change)
  }
  for (const check of checks) {
    if (sql.check.get(key, check.check_id) !== undefined) continue
    if (check.service_id !== '' && sql.hasService.get(key, check.service_id) === undefined) continue
    rows.putCheck(undefined, { ...check, node_key: key, modify_index: index })
    touchCheck(key, check.service_id, change)
  }
  if (services.length > 0) change.touch(subject.services)
}
