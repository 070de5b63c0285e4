import { checkBytes, keyBytesMax } from './sizes.ts'
import { SvcdError, svcdError } from '../base/errors.ts'
import { goQuoted } from '../base/go-quoted.ts'
import type { CatalogOp, KeyOp, TxnOp } from '../state/txn/commands.ts'
import { catalogCheck, catalogNode, catalogService } from './catalog-registration.ts'
import type { CheckOpBody, KeyOpBody, NodeOpBody, ServiceOpBody, TxnOpBody } from './txn-shapes.ts'
import { checkedId } from './validate.ts'

/** Why an operation cannot be done, whatever there is. */
export interface OpFault {
  /** Its position in the request. */
  readonly op: number
  readonly what: string
}

export interface AskedOps {
  readonly ops: readonly TxnOp[]
  /** Of each operation, its position in the request. */
  readonly places: readonly number[]
  readonly faults: readonly OpFault[]
  /** Whether it was meant to change nothing, faults or not. */
  readonly isReadOnly: boolean
}

/**
 * The operations that a body asks for. Entries without one count for nothing, and where there are several in
 * one entry the first of KV, Node, Service and Check counts, as in Consul.
 */
export function txnOperations(bodies: readonly TxnOpBody[], datacenter: string): AskedOps {
  const [ops, places, faults]: [TxnOp[], number[], OpFault[]] = [[], [], []]
  for (const [at, body] of bodies.entries()) {
    try {
      const op = opOf(body, datacenter)
      if (op === undefined) continue
      ops.push(op)
      places.push(at)
    } catch (error) {
      if (!(error instanceof SvcdError)) throw error
      faults.push({ op: at, what: error.message })
    }
  }
  return { ops, places, faults, isReadOnly: !bodies.some(isWrite) }
}

const keyWrites: ReadonlySet<string> = new Set([
  'set',
  'cas',
  'lock',
  'unlock',
  'delete',
  'delete-cas',
  'delete-tree',
])

/** As Consul, which takes an unknown verb on keys for a read, and any other for a write. */
function isWrite({ KV, Node, Service, Check }: TxnOpBody): boolean {
  if (KV !== undefined) return keyWrites.has(KV.Verb ?? '')
  const other = Node ?? Service ?? Check
  return other !== undefined && other.Verb !== 'get'
}

function opOf({ KV, Node, Service, Check }: TxnOpBody, datacenter: string): TxnOp | undefined {
  if (KV !== undefined) return keyOp(KV)
  if (Node !== undefined) return nodeOp(Node, datacenter)
  if (Service !== undefined) return serviceOp(Service)
  return Check === undefined ? undefined : checkOp(Check)
}

function keyOp(body: KeyOpBody): KeyOp {
  const { Verb: verb = '', Key: key = '', Index: index = '0' } = body
  const { Value: value = '', Flags: flags = '0', Session = '' } = body
  // IDs of sessions are compared without regard to case elsewhere.
  const session = Session.toLowerCase()
  if (key === '' && verb !== 'delete-tree') throw svcdError('txn-missing-key', {})
  checkBytes('Key', key, keyBytesMax)
  if (/\p{Cc}/u.test(key)) {
    const reason = 'a key must not contain control characters'
    throw svcdError('invalid-field', { field: 'Key', reason })
  }
  // Most have none, and then the log need not have them.
  const write = flags === '0' ? { key, value } : { key, value, flags }
  switch (verb) {
    case 'set':
      return { verb, ...write }
    case 'cas':
      return { verb: 'set', ...write, index }
    case 'lock':
    case 'unlock':
      return { verb, ...write, session }
    case 'get':
    case 'get-or-empty':
    case 'get-tree':
    case 'check-not-exists':
    case 'delete':
    case 'delete-tree':
      return { verb, key }
    case 'check-index':
      return { verb, key, index }
    case 'check-session':
      return { verb, key, session }
    case 'delete-cas':
      return { verb: 'delete', key, index }
    default:
      return unknownVerb('KV', verb)
  }
}

function nodeOp({ Verb: verb = '', Node: body = {} }: NodeOpBody, datacenter: string): CatalogOp {
  const { Node: node = '', ID: id = '', ModifyIndex: index = '0', Datacenter: place = '' } = body
  if (place !== '' && place.toLowerCase() !== datacenter.toLowerCase()) {
    throw svcdError('no-path-to-datacenter', {})
  }
  if (verb === 'get') return { verb: 'get-node', node, id: id.toLowerCase() }
  if (node === '') throw svcdError('missing-node', {})
  const definition = () => catalogNode({ ...body, NodeMeta: body.Meta }, checkedId(node, 'Node'))
  switch (verb) {
    case 'set':
      return { verb: 'set-node', definition: definition() }
    case 'cas':
      return { verb: 'set-node', definition: definition(), index }
    case 'delete':
      return { verb: 'delete-node', node }
    case 'delete-cas':
      return { verb: 'delete-node', node, index }
    default:
      return unknownVerb('Node', verb)
  }
}

function serviceOp(asked: ServiceOpBody): CatalogOp {
  const { Verb: verb = '', Node: node = '', Service: body = {} } = asked
  const { ModifyIndex: index = '0', ID = '', Service: name = '' } = body
  const id = ID === '' ? name : ID
  if (verb === 'get') return { verb: 'get-service', node, id }
  if (node === '') throw svcdError('missing-node', {})
  if (id === '') throw svcdError('missing-catalog-service-name', {})
  switch (verb) {
    case 'set':
      return { verb: 'set-service', node, definition: catalogService(body) }
    case 'cas':
      return { verb: 'set-service', node, definition: catalogService(body), index }
    case 'delete':
      return { verb: 'delete-service', node, id }
    case 'delete-cas':
      return { verb: 'delete-service', node, id, index }
    default:
      return unknownVerb('Service', verb)
  }
}

function checkOp({ Verb: verb = '', Check: body = {} }: CheckOpBody): CatalogOp {
  const { Node: node = '', ModifyIndex: index = '0', CheckID = '', Name = '' } = body
  const id = CheckID === '' ? Name : CheckID
  if (verb === 'get') return { verb: 'get-check', node, id }
  if (node === '') throw svcdError('missing-node', {})
  if (id === '') throw svcdError('missing-check-name', {})
  const definition = () => catalogCheck({ ...body, Definition: withDurations(body) }, node)
  switch (verb) {
    case 'set':
      return { verb: 'set-check', node, definition: definition() }
    case 'cas':
      return { verb: 'set-check', node, definition: definition(), index }
    case 'delete':
      return { verb: 'delete-check', node, id }
    case 'delete-cas':
      return { verb: 'delete-check', node, id, index }
    default:
      return unknownVerb('Check', verb)
  }
}

/** The definition with its durations under the names that are stored. */
function withDurations({ Definition = {} }: NonNullable<CheckOpBody['Check']>) {
  const {
    IntervalDuration = Definition.Interval,
    TimeoutDuration = Definition.Timeout,
    DeregisterCriticalServiceAfterDuration = Definition.DeregisterCriticalServiceAfter,
    ...rest
  } = Definition
  return {
    ...rest,
    Interval: IntervalDuration,
    Timeout: TimeoutDuration,
    DeregisterCriticalServiceAfter: DeregisterCriticalServiceAfterDuration,
  }
}

function unknownVerb(what: string, verb: string): never {
  throw svcdError('txn-unknown-verb', { what, verb: goQuoted(verb) })
}
