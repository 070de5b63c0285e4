import { udpQueryBytesMax } from '../dns/responder.ts'
import { loopbackBytesMax } from './packet-responder.ts'
import type { Libc } from './libc.ts'

/** What only C knows the address of, the collector would take. */
const pinned = new Set<ArrayBuffer>()

/** Messages in one call. */
export const messagesMax = 64

// struct mmsghdr: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48, len 56.
const headerBytes = 64
const iovBytes = 16
/** A struct sockaddr_in6 takes 28. */
const nameBytes = 32
/** A header of 16 and a struct in6_pktinfo of 20, rounded up. */
const controlBytes = 40
/** A packet that is longer than what is read is cut at more than that, so that it is told apart. */
const packetBytes = udpQueryBytesMax + 64
const answerBytes = loopbackBytesMax
/** Questions that people ask are shorter than this; longer packets are rare or an attack. */
const viewedBytes = 128

const headersIn = 0
const headersOut = headersIn + messagesMax * headerBytes
const iovsIn = headersOut + messagesMax * headerBytes
const iovsOut = iovsIn + messagesMax * iovBytes
const names = iovsOut + messagesMax * iovBytes
const controls = names + messagesMax * nameBytes
const packets = controls + messagesMax * controlBytes
const answers = packets + messagesMax * packetBytes
const totalBytes = answers + messagesMax * answerBytes

/**
 * The structures that recvmmsg and sendmmsg work on, and the packets and answers they point to, in
 * one piece of memory. Message `n` is answered as message `n`: the client's address and the address
 * that was asked stand in memory that both share.
 */
export class MessageBlock {
  readonly bytes: Uint8Array
  readonly headersIn: bigint
  /** The address of the header of each answer. */
  readonly headersOut: readonly bigint[]
  readonly #memory = new ArrayBuffer(totalBytes)
  readonly #words: Uint32Array
  readonly #base: number
  /** Views of packets by place and length, kept: making one costs as much as a look into the cache. */
  readonly #views: (Uint8Array | undefined)[] = Array.from(
    { length: messagesMax * viewedBytes },
    () => undefined,
  )
  #answersEnd = answers

  constructor(libc: Libc) {
    pinned.add(this.#memory)
    this.bytes = new Uint8Array(this.#memory)
    this.#words = new Uint32Array(this.#memory)
    const base = libc.address(this.#memory)
    this.#base = Number(base)
    this.headersIn = base + BigInt(headersIn)
    this.headersOut = Array.from({ length: messagesMax }, (_, n) => {
      return base + BigInt(headersOut + n * headerBytes)
    })
    for (let n = 0; n < messagesMax; n++) this.#lay(n)
  }

  /** After the last call that used it. */
  free(): void {
    pinned.delete(this.#memory)
  }

  #lay(n: number): void {
    for (const [headers, iovs] of [
      [headersIn, iovsIn],
      [headersOut, iovsOut],
    ] as const) {
      const header = headers + n * headerBytes
      this.#point(header, names + n * nameBytes)
      this.#point(header + 16, iovs + n * iovBytes)
      this.#words[(header + 24) >> 2] = 1
      this.#point(header + 32, controls + n * controlBytes)
    }
    this.#point(iovsIn + n * iovBytes, packets + n * packetBytes)
    this.#words[(iovsIn + n * iovBytes + 8) >> 2] = packetBytes
    this.#reset(n)
  }

  /** Writes the address of the octet `target` at `at`. */
  #point(at: number, target: number): void {
    const address = this.#base + target
    this.#words[at >> 2] = address
    this.#words[(at >> 2) + 1] = address / 0x1_0000_0000
  }

  #reset(n: number): void {
    const header = (headersIn + n * headerBytes) >> 2
    this.#words[header + 2] = nameBytes
    this.#words[header + 10] = controlBytes
    this.#words[header + 12] = 0
  }

  /** To be called with what recvmmsg returned, before it is called again: it overwrites lengths. */
  resetReceived(count: number): void {
    for (let n = 0; n < count; n++) this.#reset(n)
    this.#answersEnd = answers
  }

  /** The n-th packet received. It holds until the next receive. */
  packet(n: number): Uint8Array {
    const length = this.#words[(headersIn + n * headerBytes + 56) >> 2] ?? 0
    const at = packets + n * packetBytes
    if (length >= viewedBytes) return new Uint8Array(this.#memory, at, length)
    return (this.#views[n * viewedBytes + length] ??= new Uint8Array(this.#memory, at, length))
  }

  /** Where the sender's struct sockaddr begins. */
  nameAt(n: number): number {
    return names + n * nameBytes
  }

  /** Where the struct in_pktinfo or in6_pktinfo begins; undefined if there is none. */
  packetInfoAt(n: number): number | undefined {
    const length = this.#words[(headersIn + n * headerBytes + 40) >> 2] ?? 0
    return length === 0 ? undefined : controls + n * controlBytes + 16
  }

  /** Where the next answer is to be written, with room for the largest. */
  get answerAt(): number {
    return this.#answersEnd
  }

  /** Takes the `length` octets at {@link answerAt} as the answer to the n-th packet. */
  setAnswer(n: number, length: number): void {
    const iov = iovsOut + n * iovBytes
    this.#point(iov, this.#answersEnd)
    this.#words[(iov + 8) >> 2] = length
    const [from, to] = [(headersIn + n * headerBytes) >> 2, (headersOut + n * headerBytes) >> 2]
    this.#words[to + 2] = this.#words[from + 2] ?? 0
    this.#words[to + 10] = this.#words[from + 10] ?? 0
    this.#answersEnd += length
  }
}
