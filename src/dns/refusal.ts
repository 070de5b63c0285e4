import { setTruncated, writeOpt } from './encode.ts'
import { rcode } from './record.ts'
import { tsigError, unsignedTsig, writeTsig } from './tsig.ts'
import { WireWriter } from './wire-writer.ts'
import type { Edns } from './message.ts'
import type { ParsedQuery, QueryEdns } from './query.ts'
import type { Rcode } from './record.ts'
import type { WrittenTsig } from './tsig.ts'

/** The UDP size that this server advertises in OPT: no path fragments it. */
export const ownUdpBytes = 1232

/** The part of a parsed query that its refusal needs. */
interface Refused {
  readonly questionEnd: number
  readonly edns: QueryEdns | undefined
}

/** Only a query with OPT gets OPT (RFC 6891 §7). */
export function ednsReply(
  edns: QueryEdns | undefined,
  extendedErrors: readonly number[],
): Edns | undefined {
  if (edns === undefined) return undefined
  return { udpSize: ownUdpBytes, dnssecOk: edns.dnssecOk, extendedErrors }
}

/** An answer without records: the header, the question if it could be read, OPT and TSIG. */
export function refusal(
  packet: Uint8Array,
  query: Refused,
  code: Rcode,
  tsig?: WrittenTsig,
): Buffer {
  const edns = ednsReply(query.edns, [])
  const writer = new WireWriter()
  writer.raw(packet.subarray(0, query.questionEnd))
  if (edns !== undefined) writeOpt(writer, edns, code)
  if (tsig !== undefined) writeTsig(writer, tsig)
  const out = writer.bytes()
  out[2] = 0x80 | ((packet[2] ?? 0) & 0x79)
  out[3] = ((packet[3] ?? 0) & 0x10) | (code & 0x0f)
  out.fill(0, 4, 12)
  out[5] = query.questionEnd > 12 ? 1 : 0
  out[11] = (edns === undefined ? 0 : 1) + (tsig === undefined ? 0 : 1)
  return out
}

/**
 * NOTAUTH with an error in an unsigned TSIG record: BADKEY, unless there is such a key. If the record does
 * not fit, TC is set instead.
 */
export function refuseSigned(
  packet: Uint8Array,
  query: Extract<ParsedQuery, { kind: 'signed' }>,
  bytesMax: number,
  error: number = tsigError.BADKEY,
): Buffer {
  const whole = refusal(packet, query, rcode.NOTAUTH, unsignedTsig(query.tsig, error))
  if (whole.length <= bytesMax) return whole
  const cut = refusal(packet, query, rcode.NOTAUTH)
  setTruncated(cut)
  return cut
}
