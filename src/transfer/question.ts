import { readName } from '../dns/name.ts'
import { recordType } from '../dns/record.ts'
import { uint16 } from '../dns/wire-records.ts'

const { AXFR, IXFR, SOA } = recordType
const headerBytes = 12
/** Serial, refresh, retry, expire and minimum are the last fields of an SOA. */
const serialToEnd = 20

/** Whether a packet asks for a zone transfer; cheap, because it looks at each query over TCP. */
export function asksForTransfer(packet: Uint8Array): boolean {
  // QR and opcode are 0, and there is one question.
  if (packet.length < headerBytes + 5 || ((packet[2] ?? 0) & 0xf8) !== 0) return false
  if (uint16(packet, 4) !== 1) return false
  let at = headerBytes
  while (at < packet.length && packet[at] !== 0) at += 1 + (packet[at] ?? 0)
  const type = uint16(packet, at + 1)
  return type === AXFR || type === IXFR
}

/** The serial that the client of IXFR has (RFC 1995 §3): that of the SOA in authority; undefined: none. */
export function serialInAuthority(packet: Uint8Array, questionEnd: number): number | undefined {
  if (uint16(packet, 6) !== 0 || uint16(packet, 8) !== 1) return undefined
  const owner = readName(packet, questionEnd, packet.length)
  if (owner === undefined || uint16(packet, owner.next) !== SOA) return undefined
  const end = owner.next + 10 + uint16(packet, owner.next + 8)
  if (end > packet.length || end - serialToEnd < owner.next + 10) return undefined
  return Buffer.from(packet).readUInt32BE(end - serialToEnd)
}
