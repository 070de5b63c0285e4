import { svcdError } from '../base/errors.ts'
import {
  documented,
  duration,
  GoError,
  listOf,
  mapOf,
  object,
  opaque,
  openObject,
  refuse,
  text,
} from './decode.ts'
import type { Reader } from './decode.ts'
import { parseExactly } from './exact-json.ts'
import type { ExactNumber } from './exact-json.ts'
import {
  catalogCheckFields,
  checkDefinitionFields,
  enterpriseFields,
  serviceFields,
} from './shapes.ts'

// The body of PUT txn, field for field as Consul 1.21 accepts it.

type Shape<R> = R extends Reader<infer T> ? T : never

const unsignedMax = 2n ** 64n - 1n

/** JSON.parse, by which large flags and indexes stay exact. */
export const parseTxn = parseExactly('flags', 'index', 'createindex', 'modifyindex')

/** A whole number up to 2^64-1, as a decimal text. The body must be read by {@link parseTxn}. */
export const unsigned: Reader<string> = documented({ type: 'integer', minimum: 0 }, (value, at) => {
  const number = typeof value === 'number' ? String(value) : exactOf(value)
  if (number === undefined) return refuse(at, 'a whole number', value, 'uint64')
  if (/^\d+$/.test(number) && BigInt(number) <= unsignedMax) return BigInt(number).toString()
  const reason = `${number} is not a whole number between 0 and 2^64-1`
  const what = `json: cannot unmarshal number ${number} into Go struct field .${at} of type uint64`
  throw svcdError('invalid-field', { field: at, reason }, new GoError(what))
})

function exactOf(value: unknown): string | undefined {
  const { exact } = (value ?? {}) as Partial<ExactNumber>
  return typeof exact === 'string' && /^\d+$/.test(exact) ? exact : undefined
}

/** Bytes in base64, which stay as they are written. As Go, it drops line breaks. */
const base64: Reader<string> = documented(
  { type: 'string', contentEncoding: 'base64' },
  (value, at) => {
    if (typeof value !== 'string') return refuse(at, 'base64', value, '[]uint8')
    const encoded = /[\r\n]/.test(value) ? value.replaceAll(/[\r\n]/g, '') : value
    const data = encoded.length % 4 === 0 ? encoded.replace(/={1,2}$/, '') : encoded
    const bad = data.search(/[^A-Za-z0-9+/]/)
    if (bad < 0 && encoded.length % 4 === 0) return encoded
    // Where it is cut off, where there is more behind its end, or where another character stands.
    const byte = bad < 0 ? encoded.length - (encoded.length % 4) : endOfPadding(encoded, bad)
    const what = `illegal base64 data at input byte ${byte}`
    throw svcdError('invalid-field', { field: at, reason: 'is not base64' }, new GoError(what))
  },
)

function endOfPadding(encoded: string, from: number): number {
  let at = from
  while (encoded[at] === '=') at++
  return at
}

const keyOpShape = object({
  ...enterpriseFields,
  Verb: text,
  Key: text,
  Value: base64,
  Flags: unsigned,
  Index: unsigned,
  Session: text,
})
export type KeyOpBody = Shape<typeof keyOpShape>

const indexes = { CreateIndex: unsigned, ModifyIndex: unsigned }

const nodeShape = object({
  ...indexes,
  ID: text,
  Node: text,
  Address: text,
  Datacenter: text,
  TaggedAddresses: mapOf(text),
  Meta: mapOf(text),
  Partition: text,
  PeerName: text,
  Locality: opaque,
})
const nodeOpShape = object({ Verb: text, Node: nodeShape })
export type NodeOpBody = Shape<typeof nodeOpShape>

const serviceShape = object({
  ...serviceFields,
  ...indexes,
  Service: text,
  PeerName: text,
  Datacenter: text,
  ContentHash: text,
})
const serviceOpShape = object({ Verb: text, Node: text, Service: serviceShape })
export type ServiceOpBody = Shape<typeof serviceOpShape>

/** Consul's Go client takes both names of each duration, and the longer one counts. */
const definitionShape = openObject({
  ...checkDefinitionFields,
  IntervalDuration: duration,
  TimeoutDuration: duration,
  DeregisterCriticalServiceAfterDuration: duration,
})
const checkShape = object({ ...catalogCheckFields, ...indexes, Definition: definitionShape })
const checkOpShape = object({ Verb: text, Check: checkShape })
export type CheckOpBody = Shape<typeof checkOpShape>

const opShape = object({
  KV: keyOpShape,
  Node: nodeOpShape,
  Service: serviceOpShape,
  Check: checkOpShape,
})
export type TxnOpBody = Shape<typeof opShape>

const list = listOf(opShape)

/** A list of at most `max` operations. Throws `txn-too-many-operations`, as Consul after reading them all. */
export function txnShape(max: number): Reader<readonly TxnOpBody[]> {
  return documented({ ...list.schema, maxItems: max }, (value, at) => {
    if (value === null) return []
    if (!Array.isArray(value)) return refuse(at, 'a list of operations', value, 'api.TxnOps')
    // An entry without an operation keeps its place: the positions of errors count it.
    const ops = value.map((op: unknown, n) => (op === null ? {} : opShape(op, `[${n}]`)))
    if (ops.length <= max) return ops
    throw svcdError('txn-too-many-operations', { count: ops.length, max })
  })
}
