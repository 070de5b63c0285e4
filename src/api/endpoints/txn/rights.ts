import type { Rights } from '../../../access/rights.ts'
import { Viewer } from '../../../access/viewer.ts'
import { must } from '../../../base/assert.ts'
import { SvcdError } from '../../../base/errors.ts'
import { destinationOf } from '../../../definition/proxy-destination.ts'
import type { AskedOps, OpFault } from '../../../definition/txn-operations.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { mustAllow } from '../../../http/requesters.ts'
import type { Requester } from '../../../access/requester.ts'
import type { Check, Node, Service } from '../../../state/catalog/model.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import type { TxnOp } from '../../../state/txn/commands.ts'
import type { Result, Stored } from '../../../state/txn/outcome.ts'
import type { ApiContext } from '../../context.ts'
import { writeHolder } from '../catalog/rights.ts'
import { failureOf } from './failures.ts'

// The rights that the operations of a transaction need. Writes and comparisons are refused. Keys that are read are
// filtered. A node, service or check that may not be read counts as missing.

/**
 * The same operations, but a read of a key that the caller may not read does not fail when the key is missing, because
 * the failure would reveal that. Its result is filtered.
 */
export function hiddenAsMissing(asked: AskedOps, rights: Rights): AskedOps {
  if (rights.allowsAll('key', 'read')) return asked
  const ops = asked.ops.map((op): TxnOp => {
    if (op.verb !== 'get' || rights.allows('key', op.key, 'read')) return op
    return { verb: 'get-or-empty', key: op.key }
  })
  return { ...asked, ops }
}

/**
 * A fault for each operation that the caller may not do. A read of a node, service or check that it may not read fails
 * as if there were none, because success would reveal that there is one.
 */
export function rightsFaults(
  context: Pick<ApiContext, 'catalog' | 'requesterOf' | 'denials'>,
  request: Asked,
  { ops, places }: AskedOps,
): readonly OpFault[] {
  const requester = context.requesterOf(request)
  const { rights } = requester.caller
  const all = (['key', 'node', 'service'] as const).every((each) => rights.allowsAll(each, 'write'))
  if (all) return []
  return context.catalog.read((reader) =>
    ops.flatMap((op, at) => {
      const check = (): void => mustAllowOp(requester, reader, op, ops.slice(0, at))
      const shown = shownOf(op)
      const what = faultOf(() =>
        shown === undefined ? check() : context.denials.watch(request, shown, check),
      )
      return what === undefined ? [] : { op: must(places[at]), what }
    }),
  )
}

/** The operation in a log line: `register node n1`. Undefined if it does not change nodes, services or checks. */
function shownOf(op: TxnOp): string | undefined {
  if (op.verb === 'set-node') return `register node ${op.definition.name}`
  if (op.verb === 'set-service') return `register service ${op.definition.name} of node ${op.node}`
  if (op.verb === 'set-check') return `register check ${op.definition.checkId} of node ${op.node}`
  if (op.verb === 'delete-node') return `deregister node ${op.node}`
  if (op.verb === 'delete-service') return `deregister service ${op.id} of node ${op.node}`
  return op.verb === 'delete-check' ? `deregister check ${op.id} of node ${op.node}` : undefined
}

function faultOf(check: () => void): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (error instanceof SvcdError) return error.message
    throw error
  }
}

/** `before`: the operations that are done first. */
function mustAllowOp(
  requester: Requester,
  reader: CatalogReader,
  op: TxnOp,
  before: readonly TxnOp[],
): void {
  const write = (resource: 'key' | 'node' | 'service', name: string): void =>
    mustAllow(requester, { resource, name, access: 'write' })
  switch (op.verb) {
    case 'get':
    case 'get-or-empty':
    case 'get-tree':
      return
    case 'get-node':
    case 'get-service':
    case 'get-check':
      if (isHidden(new Viewer(requester.caller), reader, op))
        throw failureOf(op, { why: 'not-there' })
      return
    // Their success or failure reveals something about the key.
    case 'check-index':
    case 'check-session':
    case 'check-not-exists':
      return mustAllow(requester, { resource: 'key', name: op.key, access: 'read' })
    case 'set':
    case 'lock':
    case 'unlock':
    case 'delete':
      return write('key', op.key)
    case 'delete-tree':
      return mustAllow(requester, { resource: 'key', name: op.key, access: 'write-prefix' })
    case 'set-node': {
      const { name, id } = op.definition
      // The one with the ID gets a new name with that. Names match without regard to case, rules do not.
      const byId = id === '' ? undefined : reader.nodeById(id)
      for (const each of new Set([name, reader.node(name)?.name, byId?.name])) {
        if (each !== undefined) write('node', each)
      }
      return
    }
    case 'delete-node':
      return write('node', reader.node(op.node)?.name ?? op.node)
    case 'set-service': {
      const { definition } = op
      const replaced = reader.service(op.node, definition.id)?.name
      for (const name of new Set([definition.name, replaced, destinationOf(definition)])) {
        if (name !== undefined) write('service', name)
      }
      return
    }
    case 'delete-service': {
      const service = serviceBefore(before, op.node, op.id) ?? reader.service(op.node, op.id)
      if (service === undefined) return write('node', op.node)
      return write('service', service.name)
    }
    case 'set-check': {
      const { checkId, serviceId } = op.definition
      writeHolder(write, reader, op.node, serviceId, serviceBefore(before, op.node, serviceId))
      const replaced = reader.check(op.node, checkId)
      if (replaced !== undefined) writeHolder(write, reader, op.node, replaced.serviceId)
      return
    }
    case 'delete-check':
      return writeHolder(write, reader, op.node, reader.check(op.node, op.id)?.serviceId ?? '')
  }
}

/** Whether there is what an operation reads, but the viewer may not see it. */
function isHidden(
  viewer: Viewer,
  reader: CatalogReader,
  op: Extract<TxnOp, { readonly verb: 'get-node' | 'get-service' | 'get-check' }>,
): boolean {
  if (op.verb === 'get-node') {
    const node = op.id === '' ? reader.node(op.node) : reader.nodeById(op.id)
    return node !== undefined && !viewer.sees('node', node.name)
  }
  if (op.verb === 'get-service') {
    const service = reader.service(op.node, op.id)
    return service !== undefined && !viewer.seesInstance(service.node, service.name)
  }
  const check = reader.check(op.node, op.id)
  return check !== undefined && !viewer.seesCheck(check.node, check.serviceName)
}

/** The service that an earlier operation of the transaction registers; its name was checked there. */
function serviceBefore(
  before: readonly TxnOp[],
  node: string,
  id: string,
): { readonly id: string; readonly name: string } | undefined {
  const isIt = (op: TxnOp): boolean =>
    op.verb === 'set-service' &&
    op.node.toLowerCase() === node.toLowerCase() &&
    op.definition.id === id
  const found = before.findLast(isIt)
  return found?.verb === 'set-service' ? found.definition : undefined
}

/** The result of an operation as far as the viewer sees it; undefined: not at all. A caller who may write also sees what it wrote. */
export function seenResult(viewer: Viewer, op: TxnOp, result: Result): Result | undefined {
  switch (op.verb) {
    case 'get':
    case 'get-or-empty':
      return viewer.sees('key', op.key) ? result : undefined
    case 'get-tree':
      return (result as readonly (readonly [string, ...Stored])[]).filter(([key]) =>
        viewer.sees('key', key),
      )
    case 'get-node':
      return viewer.sees('node', (result as Node).name) ? result : undefined
    case 'get-service': {
      const { node, name } = result as Service
      return viewer.seesInstance(node, name) ? result : undefined
    }
    case 'get-check': {
      const { node, serviceName } = result as Check
      return viewer.seesCheck(node, serviceName) ? result : undefined
    }
    case 'set':
    case 'delete':
    case 'delete-tree':
    case 'lock':
    case 'unlock':
    case 'check-index':
    case 'check-not-exists':
    case 'check-session':
    case 'set-node':
    case 'delete-node':
    case 'set-service':
    case 'delete-service':
    case 'set-check':
    case 'delete-check':
      return result
  }
}
