import { hasFields, isObject, isOptional, isText } from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import { checkShape, nodeShape, serviceShape } from '../catalog/commands.ts'
import type { CheckDefinition, NodeDefinition, ServiceDefinition } from '../catalog/model.ts'
import { isKey, isUnsigned } from '../kv/commands.ts'
import type { Json } from '../machine/command.ts'
import type { About, CommandKind } from '../machine/family.ts'

/** The first format whose servers know transactions. They have no table. */
export const txnFormat = 11

/** Consul's limit. */
export const opsMax = 128

/** Several operations on keys and on the catalog, which are all done at one moment, or none of them is. */
export interface TxnCommand {
  readonly kind: 'txn'
  /** Each sees what those before it did. At most {@link opsMax}. */
  readonly ops: readonly TxnOp[]
}

// Values are in base64; flags and indexes are decimal texts, up to 2^64-1. Flags left out are 0.

interface KeyWrite {
  readonly key: string
  readonly value: string
  readonly flags?: string | undefined
}

/** An operation on keys. */
export type KeyOp =
  /** `index`: the ModifyIndex that the key must have, 0 = it must not be there. */
  | (KeyWrite & { readonly verb: 'set'; readonly index?: string | undefined })
  | (KeyWrite & { readonly verb: 'lock' | 'unlock'; readonly session: string })
  | { readonly verb: 'get' | 'get-or-empty' | 'check-not-exists'; readonly key: string }
  /** Of all keys that begin with `key`. */
  | { readonly verb: 'get-tree'; readonly key: string }
  | { readonly verb: 'delete-tree'; readonly key: string }
  | { readonly verb: 'check-index'; readonly key: string; readonly index: string }
  | { readonly verb: 'check-session'; readonly key: string; readonly session: string }
  /** `index`: the ModifyIndex that the key must have if it is there. */
  | { readonly verb: 'delete'; readonly key: string; readonly index?: string | undefined }

/** `index` of a set: as of keys. `index` of a delete: the ModifyIndex that it must have; it must be there. */
interface Conditional {
  readonly index?: string | undefined
}

/** An operation on a node, a service or a check. `node` is the name of a node. */
export type CatalogOp =
  /** By its ID if it is not ''. */
  | { readonly verb: 'get-node'; readonly node: string; readonly id: string }
  | (Conditional & { readonly verb: 'set-node'; readonly definition: NodeDefinition })
  | (Conditional & { readonly verb: 'delete-node'; readonly node: string })
  | { readonly verb: 'get-service' | 'get-check'; readonly node: string; readonly id: string }
  | (Conditional & {
      readonly verb: 'set-service'
      readonly node: string
      readonly definition: ServiceDefinition
    })
  | (Conditional & {
      readonly verb: 'set-check'
      readonly node: string
      readonly definition: CheckDefinition
    })
  | (Conditional & {
      readonly verb: 'delete-service' | 'delete-check'
      readonly node: string
      readonly id: string
    })

export type TxnOp = KeyOp | CatalogOp

/** An operation that changes nothing. */
export type ReadOp = Extract<TxnOp, { readonly verb: (typeof readVerbs)[number] }>

export const readVerbs = [
  'get',
  'get-or-empty',
  'get-tree',
  'check-index',
  'check-session',
  'check-not-exists',
  'get-node',
  'get-service',
  'get-check',
] as const satisfies readonly TxnOp['verb'][]

const reading: ReadonlySet<TxnOp['verb']> = new Set(readVerbs)

export function isRead(op: TxnOp): op is ReadOp {
  return reading.has(op.verb)
}

const index = isOptional(isUnsigned)
const keyWrite = { key: isKey, value: isText, flags: isOptional(isUnsigned) }
const locking = hasFields({ ...keyWrite, session: isText })
const ofKey = hasFields({ key: isKey })
const ofTree = hasFields({ key: isText })
const onNode = hasFields({ node: isText, id: isText })
const deletion = hasFields({ node: isText, id: isText, index })

const shapes: Readonly<Record<TxnOp['verb'], Shape>> = {
  set: hasFields({ ...keyWrite, index }),
  lock: locking,
  unlock: locking,
  get: ofKey,
  'get-or-empty': ofKey,
  'check-not-exists': ofKey,
  'get-tree': ofTree,
  'delete-tree': ofTree,
  'check-index': hasFields({ key: isKey, index: isUnsigned }),
  'check-session': hasFields({ key: isKey, session: isText }),
  delete: hasFields({ key: isKey, index }),
  'get-node': onNode,
  'set-node': hasFields({ definition: nodeShape, index }),
  'delete-node': hasFields({ node: isText, index }),
  'get-service': onNode,
  'get-check': onNode,
  'set-service': hasFields({ node: isText, definition: serviceShape, index }),
  'set-check': hasFields({ node: isText, definition: checkShape, index }),
  'delete-service': deletion,
  'delete-check': deletion,
}

const isOp: Shape = (op) => {
  if (!isObject(op)) return false
  const { verb } = op
  return (
    typeof verb === 'string' && Object.hasOwn(shapes, verb) && shapes[verb as TxnOp['verb']](op)
  )
}

const isOpList: Shape = (ops) =>
  Array.isArray(ops) && ops.length <= opsMax && ops.every((op) => isOp(op))

function aboutOp(op: TxnOp): About {
  const { verb: operation } = op
  if ('session' in op) return { operation, key: op.key, session: op.session }
  if ('key' in op) return { operation, key: op.key }
  if (op.verb === 'set-node') return { operation, node: op.definition.name }
  const { node } = op
  if (op.verb === 'set-service') {
    return { operation, node, service: op.definition.id, serviceName: op.definition.name }
  }
  if (op.verb === 'set-check') return { operation, node, check: op.definition.checkId }
  if (op.verb === 'delete-service') return { operation, node, service: op.id }
  if (op.verb === 'delete-check') return { operation, node, check: op.id }
  return { operation, node }
}

export const txnCommands: Readonly<Record<TxnCommand['kind'], CommandKind>> = {
  txn: {
    since: txnFormat,
    about: ({ ops }: TxnCommand) => ({
      changes: ops.filter((op) => !isRead(op)).map((op) => aboutOp(op) as Json),
    }),
    shape: hasFields({ ops: isOpList }),
  },
}
