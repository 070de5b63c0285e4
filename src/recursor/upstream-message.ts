import { readExtendedErrors } from '../dns/extended-errors.ts'
import { skipName } from '../dns/name.ts'
import { recordType } from '../dns/record.ts'

/** Where one record of a message lies. */
export interface WireRecord {
  readonly section: 'answer' | 'authority' | 'additional'
  readonly at: number
  readonly type: number
  readonly class: number
  readonly ttlAt: number
  readonly ttl: number
  readonly dataAt: number
  readonly end: number
}

/** An answer of an upstream server, read but not yet judged. */
export interface UpstreamMessage {
  readonly bytes: Uint8Array
  /** 12 if it has no question. */
  readonly questionEnd: number
  /** With the upper bits of OPT (RFC 6891 §6.1.3). */
  readonly rcode: number
  readonly isAuthoritative: boolean
  readonly isTruncated: boolean
  readonly isRecursive: boolean
  readonly isAuthentic: boolean
  /** Without OPT, and without the additional records behind it. */
  readonly records: readonly WireRecord[]
  readonly hasOpt: boolean
  /** INFO-CODEs of RFC 8914. */
  readonly extendedErrors: readonly number[]
}

const headerBytes = 12

const { A, AAAA, NS, CNAME, DNAME, PTR, MX, SOA, SRV, RP, MINFO, AFSDB, RT, KX, MB, MG, MR, OPT } =
  recordType

/** RDATA with names that may be compressed: octets before the names, names, octets after them. */
const shapes = new Map<number, readonly [before: number, names: number, after: number]>([
  ...[NS, CNAME, DNAME, PTR, MB, MG, MR].map((type) => [type, [0, 1, 0]] as const),
  ...[MX, AFSDB, RT, KX].map((type) => [type, [2, 1, 0]] as const),
  ...[RP, MINFO].map((type) => [type, [0, 2, 0]] as const),
  [SOA, [0, 2, 20]],
  [SRV, [6, 1, 0]],
  [A, [4, 0, 0]],
  [AAAA, [16, 0, 0]],
])

/**
 * Reads a response. Undefined if it is none, or if a name, a length or the data of a well-known type is
 * invalid: such a message is not passed on to clients, which may read it less carefully.
 */
export function readUpstreamMessage(bytes: Uint8Array): UpstreamMessage | undefined {
  if (bytes.length < headerBytes) return undefined
  const high = bytes[2] ?? 0
  const low = bytes[3] ?? 0
  // QR is 1, and the opcode is QUERY.
  if ((high & 0xf8) !== 0x80) return undefined
  const questionEnd = questionEndOf(bytes)
  const all = questionEnd === undefined ? undefined : readRecords(bytes, questionEnd)
  if (questionEnd === undefined || all === undefined) return undefined
  const optAt = all.findIndex(isOpt)
  const opt = all[optAt]
  if (opt !== undefined && opt.section !== 'additional') return undefined
  return {
    bytes,
    questionEnd,
    rcode: (low & 0x0f) | (opt === undefined ? 0 : (bytes[opt.ttlAt] ?? 0) << 4),
    isAuthoritative: (high & 0x04) !== 0,
    isTruncated: (high & 0x02) !== 0,
    isRecursive: (low & 0x80) !== 0,
    isAuthentic: (low & 0x20) !== 0,
    // Records behind OPT may point to names behind it, and these move when OPT is taken out.
    records: opt === undefined ? all : all.slice(0, optAt),
    hasOpt: opt !== undefined,
    extendedErrors: opt === undefined || opt.end === opt.dataAt ? [] : extendedErrorsIn(bytes, opt),
  }
}

function isOpt({ type }: WireRecord): boolean {
  return type === OPT
}

/** Where the question ends: there must be one, or none at all. */
function questionEndOf(bytes: Uint8Array): number | undefined {
  const count = uint16(bytes, 4)
  if (count === 0) return headerBytes
  const end = count === 1 ? nameEnd(bytes, headerBytes, bytes.length) : undefined
  return end === undefined || end + 4 > bytes.length ? undefined : end + 4
}

function readRecords(bytes: Uint8Array, start: number): readonly WireRecord[] | undefined {
  const answers = uint16(bytes, 6)
  const authorities = answers + uint16(bytes, 8)
  const total = authorities + uint16(bytes, 10)
  const records: WireRecord[] = []
  let at = start
  for (let index = 0; index < total; index++) {
    const body = nameEnd(bytes, at, bytes.length)
    if (body === undefined || body + 10 > bytes.length) return undefined
    const record = {
      section: index < answers ? 'answer' : index < authorities ? 'authority' : 'additional',
      at,
      type: uint16(bytes, body),
      class: uint16(bytes, body + 2),
      ttlAt: body + 4,
      ttl: uint32(bytes, body + 4),
      dataAt: body + 10,
      end: body + 10 + uint16(bytes, body + 8),
    } as const
    if (record.end > bytes.length || !isDataValid(bytes, record)) return undefined
    records.push(record)
    at = record.end
  }
  return at === bytes.length ? records : undefined
}

function isDataValid(bytes: Uint8Array, { type, dataAt, end }: WireRecord): boolean {
  const shape = shapes.get(type)
  if (shape === undefined) return true
  const [before, names, after] = shape
  let at: number | undefined = dataAt + before
  for (let name = 0; name < names && at !== undefined; name++) at = nameEnd(bytes, at, end)
  return at !== undefined && at + after === end
}

function extendedErrorsIn(bytes: Uint8Array, { dataAt, end }: WireRecord): readonly number[] {
  return readExtendedErrors(bytes, dataAt, end).map(({ code }) => code)
}

/** Where the field behind a name begins; undefined if the name is invalid. */
export function nameEnd(bytes: Uint8Array, start: number, end: number): number | undefined {
  // Nearly all names of an answer are pointers to a name that was read before.
  if ((bytes[start] ?? 0) >= 0xc0 && start + 1 < end) {
    const target = (((bytes[start] ?? 0) & 0x3f) << 8) | (bytes[start + 1] ?? 0)
    if (target === headerBytes && start > headerBytes) return start + 2
  }
  return skipName(bytes, start, end)
}

export function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

export function uint32(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at) * 0x1_0000 + uint16(bytes, at + 2)
}
