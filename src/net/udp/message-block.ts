import { udpQueryBytesMax } from '../../dns/responder.ts'
import type { Libc } from '../../process/libc.ts'
import { pooledOctets } from '../../base/pooled-octets.ts'
import { formatIp } from '../../base/ip.ts'
import { inet } from '../../process/libc.ts'
import { headerBytes, headerWords, iovBytes, pin, pointTo, unpin } from './mmsg-memory.ts'

/** Messages in one call. */
export const messagesMax = 64

/** A struct sockaddr_in6 takes 28. */
export const nameBytes = 32
/** A header of 16 and a struct in6_pktinfo of 20, rounded up. */
export const controlBytes = 40
/** A packet that is longer than what is read is cut at more than that, so that it is told apart. */
const packetBytes = udpQueryBytesMax + 64
/** Questions that people ask are shorter than this; longer packets are rare or an attack. */
const viewedBytes = 128

const headers = 0
const iovs = headers + messagesMax * headerBytes
const names = iovs + messagesMax * iovBytes
const controls = names + messagesMax * nameBytes
const packets = controls + messagesMax * controlBytes
const totalBytes = packets + messagesMax * packetBytes

/** A message taken out of the block: all that is needed to put it back. */
export interface SavedMessage {
  /** The structures name and control, then the packet. */
  readonly bytes: Uint8Array
  readonly nameLength: number
  readonly controlLength: number
}

/**
 * The structures that recvmmsg fills, and the packets they point to, in one piece of memory. Beside
 * each packet stand the client's address and, on a wildcard's socket, the address that was asked.
 */
export class MessageBlock {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  /** The address of the first header. */
  readonly headers: bigint
  /** The address of {@link bytes}. */
  readonly base: number
  readonly #memory = new ArrayBuffer(totalBytes)
  /** Views of packets by place and length, kept: making one costs as much as a look into the cache. */
  readonly #views: (Uint8Array | undefined)[] = Array.from(
    { length: messagesMax * viewedBytes },
    () => undefined,
  )

  constructor(libc: Libc) {
    pin(this.#memory)
    this.bytes = new Uint8Array(this.#memory)
    this.words = new Uint32Array(this.#memory)
    const base = libc.address(this.#memory)
    this.base = Number(base)
    this.headers = base + BigInt(headers)
    for (let n = 0; n < messagesMax; n++) this.#lay(n)
  }

  /** After the last call that used it. */
  free(): void {
    unpin(this.#memory)
  }

  #lay(n: number): void {
    const { words } = this
    const header = wordOf(n)
    const iov = (iovs + n * iovBytes) >> 2
    pointTo(words, header + headerWords.name, this.base + this.nameAt(n))
    pointTo(words, header + headerWords.iov, this.base + iovs + n * iovBytes)
    words[header + headerWords.iovCount] = 1
    pointTo(words, header + headerWords.control, this.base + this.controlAt(n))
    pointTo(words, iov, this.base + packets + n * packetBytes)
    words[iov + 2] = packetBytes
    this.#reset(n)
  }

  #reset(n: number): void {
    const header = wordOf(n)
    this.words[header + headerWords.nameLength] = nameBytes
    this.words[header + headerWords.controlLength] = controlBytes
    this.words[header + headerWords.flags] = 0
  }

  /** To be called when the first `count` messages were used, before the next receive: it overwrites lengths. */
  reset(count: number): void {
    for (let n = 0; n < count; n++) this.#reset(n)
  }

  /** The n-th packet received. It holds until the next receive. */
  packet(n: number): Uint8Array {
    const length = this.words[wordOf(n) + headerWords.length] ?? 0
    const at = packets + n * packetBytes
    if (length >= viewedBytes) return new Uint8Array(this.#memory, at, length)
    return (this.#views[n * viewedBytes + length] ??= new Uint8Array(this.#memory, at, length))
  }

  /** Where the sender's struct sockaddr begins. */
  nameAt(n: number): number {
    return names + n * nameBytes
  }

  nameLength(n: number): number {
    return this.words[wordOf(n) + headerWords.nameLength] ?? 0
  }

  controlAt(n: number): number {
    return controls + n * controlBytes
  }

  /** 0 where the socket is bound to one address. */
  controlLength(n: number): number {
    return this.words[wordOf(n) + headerWords.controlLength] ?? 0
  }

  /** Where the struct in_pktinfo or in6_pktinfo begins; undefined if there is none. */
  packetInfoAt(n: number): number | undefined {
    return this.controlLength(n) === 0 ? undefined : this.controlAt(n) + 16
  }

  /** A copy of the n-th message, to be answered when its place is long used by another. */
  save(n: number): SavedMessage {
    const packet = this.packet(n)
    const bytes = pooledOctets(nameBytes + controlBytes + packet.length)
    copy(this.bytes, this.nameAt(n), nameBytes, bytes, 0)
    copy(this.bytes, this.controlAt(n), controlBytes, bytes, nameBytes)
    bytes.set(packet, nameBytes + controlBytes)
    return { bytes, nameLength: this.nameLength(n), controlLength: this.controlLength(n) }
  }

  /** Makes a saved message the n-th, as if it had just been received. */
  restore(n: number, { bytes, nameLength, controlLength }: SavedMessage): void {
    const header = wordOf(n)
    copy(bytes, 0, nameBytes, this.bytes, this.nameAt(n))
    copy(bytes, nameBytes, controlBytes, this.bytes, this.controlAt(n))
    const packetAt = nameBytes + controlBytes
    copy(bytes, packetAt, bytes.length - packetAt, this.bytes, packets + n * packetBytes)
    this.words[header + headerWords.nameLength] = nameLength
    this.words[header + headerWords.controlLength] = controlLength
    this.words[header + headerWords.length] = bytes.length - nameBytes - controlBytes
  }
}

/** In a loop: these are a few dozen octets, for which views cost more. */
function copy(from: Uint8Array, start: number, count: number, to: Uint8Array, at: number): void {
  for (let each = 0; each < count; each++) to[at + each] = from[start + each] ?? 0
}

/** The packet of a saved message. */
export function packetOf({ bytes }: SavedMessage): Uint8Array {
  return bytes.subarray(nameBytes + controlBytes)
}

/** The address of the sender, from its struct sockaddr_in or sockaddr_in6. */
export function senderOf({ bytes }: SavedMessage): string {
  const isIpv4 = ((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)) === inet.AF_INET
  return formatIp(isIpv4 ? bytes.subarray(4, 8) : bytes.subarray(8, 24))
}

/** The place of the n-th header, in words. */
function wordOf(n: number): number {
  return (headers + n * headerBytes) >> 2
}
