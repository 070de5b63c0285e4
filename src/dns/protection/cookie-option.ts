import { recordType } from '../record.ts'
import { ownUdpBytes } from '../refusal.ts'
import { optAtEnd, uint16 } from '../wire-records.ts'
import { clientCookieBytes, serverCookieBytes } from './server-cookie.ts'

/** What a query says in its OPT record. */
export interface QueryCookie {
  readonly client: Uint8Array
  /** Empty if the client does not have one yet. */
  readonly server: Uint8Array
  /** The largest answer over UDP that the client can take, in octets. */
  readonly udpSize: number
}

const headerBytes = 12
const cookieCode = 10
const optionHeadBytes = 4
/** An OPT record after its owner: type, size, rcode and flags, length. */
const optFixedBytes = 10
const optBytes = 1 + optFixedBytes
/** The option with a client and a server cookie. */
const cookieOptionBytes = optionHeadBytes + clientCookieBytes + serverCookieBytes
/** RFC 6891 §6.2.3: a smaller size counts as this. */
const udpSizeMin = 512

/** Whether a query may have options. A look at its end is enough for most queries that have none. */
export function mayHaveOptions(packet: Uint8Array): boolean {
  if (packet[11] === 0 && packet[10] === 0) return false
  const end = packet.length
  const isBareOpt =
    packet[end - 1] === 0 &&
    packet[end - 2] === 0 &&
    packet[end - 9] === recordType.OPT &&
    packet[end - 10] === 0 &&
    packet[end - 11] === 0
  return !isBareOpt
}

/** The COOKIE option of a query; undefined if it has none, or one of a length that RFC 7873 §5.2.2 forbids. */
export function readCookie(packet: Uint8Array): QueryCookie | undefined {
  const end = packet.length
  const opt = optAtEnd(packet, 0, end)
  if (opt === 0) return undefined
  let at = opt + optFixedBytes
  while (at + optionHeadBytes <= end) {
    const start = at + optionHeadBytes
    const next = start + uint16(packet, at + 2)
    // RFC 7873 §5.2: of several COOKIE options, only the first counts.
    if (uint16(packet, at) === cookieCode) {
      if (next > end || next - start < clientCookieBytes) return undefined
      const client = packet.subarray(start, start + clientCookieBytes)
      const server = packet.subarray(start + clientCookieBytes, next)
      return { client, server, udpSize: Math.max(udpSizeMin, uint16(packet, opt + 2)) }
    }
    at = next
  }
  return undefined
}

/** The option with both cookies, whose octets after the client cookie are to be filled in. */
export function newCookieOption(client: Uint8Array): Uint8Array {
  const option = new Uint8Array(cookieOptionBytes)
  option[1] = cookieCode
  option[3] = clientCookieBytes + serverCookieBytes
  option.set(client, optionHeadBytes)
  return option
}

/** Where the server cookie stands in the option. */
export const serverCookieAt = optionHeadBytes + clientCookieBytes

/**
 * Adds an option to the answer at [at, at + length) of `out`. Returns the new length; 0: it would be longer
 * than `lengthMax`. An answer without an OPT record stays as it is.
 */
export function addOption(
  out: Uint8Array,
  at: number,
  length: number,
  option: Uint8Array,
  lengthMax: number,
): number {
  const opt = optAtEnd(out, at, at + length)
  if (opt === 0) return length
  if (length + option.length > lengthMax) return 0
  out.set(option, at + length)
  const optionBytes = uint16(out, opt + 8) + option.length
  out[opt + 8] = optionBytes >> 8
  out[opt + 9] = optionBytes & 0xff
  return length + option.length
}

/** A copy of an answer with an option; the answer itself if it would be longer than `lengthMax`. */
export function withOption(answer: Uint8Array, option: Uint8Array, lengthMax: number): Uint8Array {
  const longer = new Uint8Array(answer.length + option.length)
  longer.set(answer)
  const length = addOption(longer, 0, answer.length, option, lengthMax)
  return length === 0 ? answer : longer.subarray(0, length)
}

export interface ShortAnswer {
  /** Where the question of the query ends. */
  readonly questionEnd: number
  readonly rcode: number
  readonly isTruncated: boolean
  /** Undefined: the query has no OPT record. */
  readonly dnssecOk: boolean | undefined
  readonly option: Uint8Array | undefined
}

/**
 * Writes an answer without records to `out` from `at` on, and returns its length: no more than that of the query
 * and, of a query with a client cookie, 16 octets for the server cookie.
 */
export function writeShortAnswer(
  packet: Uint8Array,
  { questionEnd, rcode, isTruncated, dnssecOk, option }: ShortAnswer,
  out: Uint8Array,
  at: number,
): number {
  for (let each = 0; each < questionEnd; each++) out[at + each] = packet[each] ?? 0
  // RD and CD are copied from the query; AA, RA and AD stay 0.
  out[at + 2] = 0x80 | (isTruncated ? 0x02 : 0) | ((packet[2] ?? 0) & 0x01)
  out[at + 3] = ((packet[3] ?? 0) & 0x10) | (rcode & 0x0f)
  out.fill(0, at + 6, at + headerBytes)
  if (dnssecOk === undefined) return questionEnd
  out[at + 11] = 1
  const opt = at + questionEnd
  out.fill(0, opt, opt + optBytes)
  out[opt + 2] = recordType.OPT
  out[opt + 3] = ownUdpBytes >> 8
  out[opt + 4] = ownUdpBytes & 0xff
  out[opt + 5] = rcode >> 4
  out[opt + 7] = dnssecOk ? 0x80 : 0
  const length = questionEnd + optBytes
  return option === undefined ? length : addOption(out, at, length, option, Infinity)
}
