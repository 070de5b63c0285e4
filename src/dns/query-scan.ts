import { areOptionsValid } from './query.ts'
import { recordType } from './record.ts'
import type { QueryEdns } from './query.ts'

export type Transport = 'udp' | 'tcp'

/** The sizes of UDP answers; a client's own size is rounded down to one of them. */
const sizeClasses = [512, 1232, 4096, 8192] as const

const tcpVariant = sizeClasses.length + 1

/** The limit over TCP: a message is framed by a length of 16 bits. */
export const tcpBytesMax = 65_535

/**
 * A small number for everything besides the question that influences an answer: transport, presence
 * and size class of EDNS, and DO. EDNS options are never part of it.
 */
export function variantOf(
  edns: QueryEdns | undefined,
  transport: Transport,
  pathBytesMax: number,
): number {
  return edns === undefined
    ? plainVariant(transport)
    : ednsVariant(edns.udpSize, edns.dnssecOk, transport, pathBytesMax)
}

function plainVariant(transport: Transport): number {
  return transport === 'udp' ? 0 : tcpVariant * 2
}

function ednsVariant(
  udpSize: number,
  dnssecOk: boolean,
  transport: Transport,
  pathBytesMax: number,
): number {
  const flag = dnssecOk ? 1 : 0
  if (transport === 'tcp') return (tcpVariant + 1) * 2 + flag
  const size = udpSize < pathBytesMax ? udpSize : pathBytesMax
  // RFC 6891 §6.2.3: a size below 512 counts as 512.
  if (size < 1232) return 2 + flag
  if (size < 4096) return 4 + flag
  return (size < 8192 ? 6 : 8) + flag
}

/** The size limit of an answer of this variant, in octets. */
export function variantBytesMax(variant: number): number {
  const index = variant >> 1
  if (index >= tcpVariant) return tcpBytesMax
  return index === 0 ? 512 : (sizeClasses[index - 1] ?? 512)
}

/** Whether the query had OPT. */
export function variantHasEdns(variant: number): boolean {
  return variant !== 0 && variant !== tcpVariant * 2
}

/** Whether it asked for the records of DNSSEC. */
export function variantDnssecOk(variant: number): boolean {
  return (variant & 1) !== 0
}

const headerBytes = 12
const nameBytesMax = 255

/**
 * Reads what the wire cache needs of an ordinary query, without allocating: the hash of its
 * lower-cased question and its variant. One object serves all packets, one after the other.
 */
export class QueryScan {
  questionEnd = 0
  hash = 0
  variant = 0
  readonly #seed: number

  /** `seed` must not be guessable; otherwise a client could choose questions that share a bucket. */
  constructor(seed: number) {
    this.#seed = seed | 0
  }

  /** False if it is not an ordinary query; the full parser must then read it. */
  read(packet: Uint8Array, transport: Transport, pathBytesMax: number): boolean {
    const end = packet.length
    if (end < headerBytes + 5) return false
    // QR and opcode are 0, there is one question, no answer, no authority, at most one additional.
    if (((packet[2] ?? 0) & 0xf8) !== 0) return false
    if (packet[4] !== 0 || packet[5] !== 1 || packet[6] !== 0 || packet[7] !== 0) return false
    if (packet[8] !== 0 || packet[9] !== 0 || packet[10] !== 0) return false
    const nameEnd = this.#readName(packet, end)
    if (nameEnd === 0 || nameEnd + 4 > end) return false
    let hash = this.hash
    for (let at = nameEnd; at < nameEnd + 4; at++) {
      hash = Math.imul(hash ^ (packet[at] ?? 0), 0x01000193)
    }
    this.questionEnd = nameEnd + 4
    if (packet[11] === 0) {
      if (this.questionEnd !== end) return false
      this.variant = plainVariant(transport)
    } else if (!this.#readOpt(packet, end, transport, pathBytesMax)) {
      return false
    }
    hash = Math.imul(hash ^ this.variant, 0x01000193)
    this.hash = hash ^ (hash >>> 15)
    return true
  }

  /** Hashes the lower-cased name; returns where it ends, or 0. */
  #readName(packet: Uint8Array, end: number): number {
    let hash = this.#seed
    let at = headerBytes
    for (;;) {
      if (at >= end) return 0
      const size = packet[at++] ?? 0
      hash = Math.imul(hash ^ size, 0x01000193)
      if (size === 0) break
      const stop = at + size
      if (size > 63 || stop >= end) return 0
      while (at < stop) {
        const octet = packet[at++] ?? 0
        hash = Math.imul(hash ^ foldOctet(octet), 0x01000193)
      }
    }
    this.hash = hash
    return at - headerBytes > nameBytesMax ? 0 : at
  }

  #readOpt(packet: Uint8Array, end: number, transport: Transport, pathBytesMax: number): boolean {
    const at = this.questionEnd
    if (packet[11] !== 1 || at + 11 > end) return false
    if (packet[at] !== 0 || packet[at + 1] !== 0 || packet[at + 2] !== recordType.OPT) return false
    // The full parser answers a version other than 0 with BADVERS.
    if (packet[at + 6] !== 0) return false
    const length = ((packet[at + 9] ?? 0) << 8) | (packet[at + 10] ?? 0)
    if (at + 11 + length !== end) return false
    if (length > 0 && !areOptionsValid(packet, at + 11, end)) return false
    const size = ((packet[at + 3] ?? 0) << 8) | (packet[at + 4] ?? 0)
    const dnssecOk = ((packet[at + 7] ?? 0) & 0x80) !== 0
    this.variant = ednsVariant(size, dnssecOk, transport, pathBytesMax)
    return true
  }
}

/** Lower case of one octet (RFC 4343: A–Z only). */
export function foldOctet(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet
}
