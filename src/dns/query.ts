import { readName } from './name.ts'
import { rcode, recordType } from './record.ts'
import { readTsig } from './tsig.ts'
import type { Question } from './message.ts'
import type { Tsig } from './tsig.ts'

/** The OPT record of a query. */
export interface QueryEdns {
  readonly udpSize: number
  readonly dnssecOk: boolean
}

interface Common {
  /** Where the question section ends; 12 when no question could be read. */
  readonly questionEnd: number
  readonly edns: QueryEdns | undefined
}

export type ParsedQuery =
  /** Too short for a header, or itself a response: an answer could start a loop. */
  | { readonly kind: 'drop' }
  | (Common & {
      readonly kind: 'error'
      readonly rcode: typeof rcode.FORMERR | typeof rcode.NOTIMP | typeof rcode.BADVERS
    })
  | (Common & { readonly kind: 'signed'; readonly tsig: Tsig; readonly question: Question })
  | (Common & { readonly kind: 'query'; readonly question: Question })

const headerBytes = 12
const cookieOption = 10

/** Parses one packet as a query. Never throws, whatever the octets are. */
export function parseQuery(packet: Uint8Array): ParsedQuery {
  const end = packet.length
  if (end < headerBytes || ((packet[2] ?? 0) & 0x80) !== 0) return { kind: 'drop' }
  const bare = { questionEnd: headerBytes, edns: undefined }
  const opcode = ((packet[2] ?? 0) >> 3) & 0x0f
  if (opcode !== 0) {
    return { kind: 'error', rcode: rcode.NOTIMP, ...bare, edns: maybeEdns(packet, end) }
  }
  // RFC 9619: a QUERY has exactly one question.
  if (uint16(packet, 4) !== 1) {
    return { kind: 'error', rcode: rcode.FORMERR, ...bare, edns: maybeEdns(packet, end) }
  }
  const question = readQuestion(packet, end)
  if (question === undefined) return { kind: 'error', rcode: rcode.FORMERR, ...bare }
  const rest = readRest(packet, question.next, end)
  const common = { questionEnd: question.next, edns: rest.edns }
  if (rest.malformed || question.question.type === recordType.OPT) {
    return { kind: 'error', rcode: rcode.FORMERR, ...common }
  }
  // RFC 8945 §5.2: the signature is checked before anything that it signs.
  if (rest.tsig !== undefined) {
    return { kind: 'signed', tsig: rest.tsig, question: question.question, ...common }
  }
  // RFC 6891 §6.1.3: an unknown version is answered before anything else is checked.
  if (rest.version > 0) return { kind: 'error', rcode: rcode.BADVERS, ...common }
  return { kind: 'query', question: question.question, ...common }
}

/** A query with OPT gets OPT (RFC 6891 §7), even if the rest of the packet is invalid. */
function maybeEdns(packet: Uint8Array, end: number): QueryEdns | undefined {
  const questions = uint16(packet, 4)
  if (questions > 1) return undefined
  const start = questions === 0 ? headerBytes : readQuestion(packet, end)?.next
  const rest = start === undefined ? undefined : readRest(packet, start, end)
  return rest === undefined || rest.malformed ? undefined : rest.edns
}

function readQuestion(
  packet: Uint8Array,
  end: number,
): { question: Question; next: number } | undefined {
  const name = readName(packet, headerBytes, end)
  if (name === undefined || name.next + 4 > end) return undefined
  const question = {
    name: name.name,
    type: uint16(packet, name.next),
    class: uint16(packet, name.next + 2),
  }
  return { question, next: name.next + 4 }
}

interface Rest {
  readonly malformed: boolean
  readonly edns: QueryEdns | undefined
  readonly version: number
  readonly tsig: Tsig | undefined
}

/** Reads the records after the question; of these, only OPT and TSIG in additional matter. */
function readRest(packet: Uint8Array, start: number, end: number): Rest {
  const before = uint16(packet, 6) + uint16(packet, 8)
  const total = before + uint16(packet, 10)
  let edns: QueryEdns | undefined
  let version = 0
  let tsig: Tsig | undefined
  let at = start
  const malformed = (): Rest => ({ malformed: true, edns, version, tsig: undefined })
  for (let index = 0; index < total; index++) {
    const owner = readName(packet, at, end)
    if (owner === undefined || owner.next + 10 > end) return malformed()
    const body = owner.next
    const rdata = body + 10
    const next = rdata + uint16(packet, body + 8)
    if (next > end) return malformed()
    if (uint16(packet, body) === recordType.OPT) {
      // RFC 6891 §6.1.1: at most one, at the root, among the additional records.
      const misplaced = edns !== undefined || index < before || owner.name.length > 0
      edns = {
        udpSize: uint16(packet, body + 2),
        dnssecOk: ((packet[body + 6] ?? 0) & 0x80) !== 0,
      }
      version = packet[body + 5] ?? 0
      // The options of another version may have another shape: BADVERS comes first.
      if (misplaced || (version === 0 && !areOptionsValid(packet, rdata, next))) {
        return malformed()
      }
    } else if (uint16(packet, body) === recordType.TSIG) {
      tsig = readTsig(packet, owner.name, { start: at, body, end: next })
      // RFC 8945 §5.1: the last of all records, and so the only one.
      if (tsig === undefined || index < before || index < total - 1) return malformed()
    }
    at = next
  }
  return { malformed: at !== end, edns, version, tsig }
}

/** Whether the options fill their record exactly, and a COOKIE has a length of RFC 7873 §5.2.2. */
export function areOptionsValid(packet: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    if (at + 4 > end) return false
    const length = uint16(packet, at + 2)
    if (uint16(packet, at) === cookieOption && !isCookieLength(length)) return false
    at += 4 + length
  }
  return at === end
}

function isCookieLength(length: number): boolean {
  return length === 8 || (length >= 16 && length <= 40)
}

function uint16(packet: Uint8Array, at: number): number {
  return ((packet[at] ?? 0) << 8) | (packet[at + 1] ?? 0)
}
