import { pooledOctets } from '../base/pooled-octets.ts'
import { recordType } from '../dns/record.ts'
import { questionFlag } from './outside-question.ts'
import type { OutsideQuestion } from './outside-question.ts'

export interface QueryOptions {
  readonly id: number
  /** With OPT. Some servers cannot read it. */
  readonly edns: boolean
  /** Random bits for the case of the letters (draft-vixie-dnsext-dns0x20); undefined: lower case. */
  readonly caseBits: Uint8Array | undefined
  /** To a multiple of 128 octets (RFC 8467 §4.1), over TLS. */
  readonly isPadded: boolean
}

const headerBytes = 12
const optBytes = 11
/** What passes every path unfragmented (RFC 9715 §3.2). */
const udpBytesMax = 1232
const paddingOption = 12
const paddedTo = 128

/** A query to an upstream server. */
export function upstreamQuery(question: OutsideQuestion, options: QueryOptions): Uint8Array {
  const { octets, flags } = question
  const bare = headerBytes + octets.length + (options.edns ? optBytes : 0)
  const isPadded = options.isPadded && options.edns
  const padding = isPadded ? (paddedTo - ((bare + 4) % paddedTo)) % paddedTo : 0
  const out = pooledOctets(bare + (isPadded ? 4 + padding : 0))
  writeUint16(out, 0, options.id)
  // RD. AD asks for the AD bit of the answer without DNSSEC records (RFC 6840 §5.7).
  out[2] = 0x01
  out[3] = 0x20 | ((flags & questionFlag.checkingDisabled) !== 0 ? 0x10 : 0)
  out[5] = 1
  out.set(octets, headerBytes)
  if (options.caseBits !== undefined)
    mixCase(out, headerBytes + octets.length - 4, options.caseBits)
  if (!options.edns) return out
  out[11] = 1
  const opt = headerBytes + octets.length
  writeUint16(out, opt + 1, recordType.OPT)
  writeUint16(out, opt + 3, udpBytesMax)
  // RFC 3225 §3: DO is copied from the query.
  out[opt + 7] = (flags & questionFlag.dnssecOk) !== 0 ? 0x80 : 0
  if (!isPadded) return out
  writeUint16(out, opt + 9, 4 + padding)
  writeUint16(out, opt + optBytes, paddingOption)
  writeUint16(out, opt + optBytes + 2, padding)
  return out
}

function writeUint16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >> 8
  out[at + 1] = value & 0xff
}

function mixCase(packet: Uint8Array, nameEnd: number, bits: Uint8Array): void {
  for (let at = headerBytes; at < nameEnd; at++) {
    const octet = packet[at] ?? 0
    const place = at - headerBytes
    const bit = ((bits[(place >> 3) % bits.length] ?? 0) >> (place & 7)) & 1
    if (octet >= 0x61 && octet <= 0x7a && bit === 1) packet[at] = octet & ~0x20
  }
}
