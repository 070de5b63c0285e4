import { nameHolder } from '../catalog/name-holder.ts'
import type { CatalogChange } from '../catalog/change.ts'
import type { DeregisterCommand, RegisterCommand } from '../catalog/commands.ts'
import { deregister } from '../catalog/deregister.ts'
import type { Check, Node, Service } from '../catalog/model.ts'
import type { CatalogReader } from '../catalog/query.ts'
import { register } from '../catalog/register.ts'
import type { CatalogOp, ReadOp } from './commands.ts'
import type { Reason } from './outcome.ts'

/** An operation that writes the catalog. */
export type CatalogWriteOp = Exclude<CatalogOp, ReadOp>

export interface CatalogParts {
  readonly change: CatalogChange
  /** On the same connection. */
  readonly reader: CatalogReader
}

/**
 * Writes the catalog by the commands of its endpoints, so that the same rules hold. Returns what is there now,
 * nothing to tell (null), or why it failed.
 */
export function writeCatalog(
  op: CatalogWriteOp,
  parts: CatalogParts,
): Node | Service | Check | null | Reason {
  const fault = staleness(op, parts.change)
  if (fault !== undefined) return fault
  switch (op.verb) {
    case 'set-node':
      return setNode(op, parts)
    case 'set-service': {
      const { node, definition } = op
      const refusal = put({ nodeName: node, service: definition }, parts)
      return refusal ?? parts.reader.service(node, definition.id) ?? null
    }
    case 'set-check': {
      const { node, definition } = op
      const refusal = put({ nodeName: node, checks: [definition] }, parts)
      return refusal ?? parts.reader.check(node, definition.checkId) ?? null
    }
    case 'delete-node':
      return remove({ nodeName: op.node }, parts)
    case 'delete-service':
      return remove({ nodeName: op.node, serviceId: op.id }, parts)
    case 'delete-check':
      return remove({ nodeName: op.node, checkId: op.id }, parts)
  }
}

function setNode(
  { definition }: Extract<CatalogOp, { readonly verb: 'set-node' }>,
  parts: CatalogParts,
): Node | Reason | null {
  const { name, id } = definition
  const holder = nameHolder(parts.reader, name, id)
  if (holder !== undefined) return { why: 'name-taken', id: holder.id, address: holder.address }
  const refusal = put({ nodeName: name, node: definition }, parts)
  return refusal ?? parts.reader.node(name) ?? null
}

function put(
  body: Pick<RegisterCommand, 'nodeName'> & Partial<RegisterCommand>,
  { change }: CatalogParts,
): Reason | undefined {
  const whole = { kind: 'register', checks: [], replaceChecks: false, ...body } as const
  const outcome = register(whole, change)
  if (outcome.ok) return undefined
  return { why: outcome.error === 'unknown-service' ? 'unknown-service' : 'unknown-node' }
}

function remove(body: Omit<DeregisterCommand, 'kind'>, { change }: CatalogParts): null {
  deregister({ kind: 'deregister', ...body }, change)
  return null
}

/** Whether a condition is not met: a set takes 0 for what is not there, and a delete takes nothing for it. */
function staleness(op: CatalogWriteOp, change: CatalogChange): Reason | undefined {
  if (op.index === undefined) return undefined
  const now = modifyIndexOf(op, change)
  const isDelete = op.verb.startsWith('delete')
  const fits = now === undefined ? !isDelete && op.index === '0' : op.index === String(now)
  return fits ? undefined : { why: 'stale' }
}

function modifyIndexOf(op: CatalogWriteOp, { sql }: CatalogChange): number | undefined {
  switch (op.verb) {
    case 'set-node':
      return sql.node.get(op.definition.name.toLowerCase())?.modify_index
    case 'delete-node':
      return sql.node.get(op.node.toLowerCase())?.modify_index
    case 'set-service':
      return sql.service.get(op.node.toLowerCase(), op.definition.id)?.modify_index
    case 'delete-service':
      return sql.service.get(op.node.toLowerCase(), op.id)?.modify_index
    case 'set-check':
      return sql.check.get(op.node.toLowerCase(), op.definition.checkId)?.modify_index
    case 'delete-check':
      return sql.check.get(op.node.toLowerCase(), op.id)?.modify_index
  }
}
