import { assert } from '../../base/assert.ts'
import { inet } from '../../process/libc.ts'
import type { Libc } from '../../process/libc.ts'
import { controlBytes, messagesMax } from './message-block.ts'
import type { MessageBlock } from './message-block.ts'
import { headerBytes, headerWords, iovBytes, pin, pointTo, unpin } from './mmsg-memory.ts'
import { loopbackBytesMax, pathBytesDefault } from '../packet-responder.ts'

/** A header of 16 and a u16, rounded up. */
const segmentControlBytes = 24
const segmentControlLength = 18
const outControlBytes = controlBytes + segmentControlBytes

/** One more header than answers: for one that is sent by itself. */
const spare = messagesMax
const headers = 0
const iovs = headers + (messagesMax + 1) * headerBytes
const controls = iovs + (messagesMax + 1) * iovBytes
const answers = controls + messagesMax * outControlBytes
const totalBytes = answers + messagesMax * loopbackBytesMax

/** The segments of one message are at most one IP packet together. */
const messageBytesMax = 65_000
const none = -1
const places = 128

/**
 * The answers to the messages of a {@link MessageBlock}, and the structures that sendmmsg sends them
 * by. Answers of one length to one socket of one client become one message, which the system cuts
 * into packets at the last moment (UDP_SEGMENT): most of what a packet costs is its way through the
 * system, and they share it.
 */
export class AnswerBlock {
  readonly bytes: Uint8Array
  readonly #received: MessageBlock
  readonly #memory = new ArrayBuffer(totalBytes)
  readonly #words: Uint32Array
  readonly #halves: Uint16Array
  readonly #base: number
  /** The address of each header. */
  readonly #headers: readonly bigint[]
  #end = answers
  #count = 0
  // Of each answer: the message it answers, where it stands, how long it is, the next one of its group.
  readonly #of = new Uint8Array(messagesMax)
  readonly #at = new Uint32Array(messagesMax)
  readonly #lengths = new Uint32Array(messagesMax)
  readonly #next = new Int16Array(messagesMax)
  // Of each message to be sent: its first and last answer, and how many they are.
  #groups = 0
  readonly #first = new Int16Array(messagesMax)
  readonly #last = new Int16Array(messagesMax)
  readonly #sizes = new Uint8Array(messagesMax)
  /** The newest group by a hash of client and length. */
  readonly #places = new Int16Array(places).fill(none)

  constructor(libc: Libc, received: MessageBlock) {
    pin(this.#memory)
    this.#received = received
    this.bytes = new Uint8Array(this.#memory)
    this.#words = new Uint32Array(this.#memory)
    this.#halves = new Uint16Array(this.#memory)
    const base = libc.address(this.#memory)
    this.#base = Number(base)
    this.#headers = Array.from({ length: messagesMax + 1 }, (_, at) => {
      return base + BigInt(headers + at * headerBytes)
    })
  }

  /** After the last call that used it. */
  free(): void {
    unpin(this.#memory)
  }

  /** Where the next answer is to be written, with room for the largest: a multiple of 4. */
  get answerAt(): number {
    return this.#end
  }

  /** How many answers there are. */
  get count(): number {
    return this.#count
  }

  /** Takes the `length` octets at {@link answerAt} as the answer to the n-th message received. */
  add(n: number, length: number): void {
    const answer = this.#count++
    this.#of[answer] = n
    this.#at[answer] = this.#end
    this.#lengths[answer] = length
    this.#end += (length + 3) & ~3
  }

  /** Lays the headers for all answers; returns how many messages they make. */
  gather(maySegment: boolean): number {
    this.#groups = 0
    for (let answer = 0; answer < this.#count; answer++) {
      this.#next[answer] = none
      if (maySegment && this.#count > 1) this.#join(answer)
      else this.#begin(answer)
    }
    let iov = 0
    for (let group = 0; group < this.#groups; group++) iov = this.#lay(group, iov)
    return this.#groups
  }

  header(message: number): bigint | null {
    return this.#headers[message] ?? null
  }

  /** How many answers a message carries. */
  sizeOf(message: number): number {
    return this.#sizes[message] ?? 0
  }

  /** Calls `send` with a header for each answer of a message by itself. */
  apart(message: number, send: (header: bigint | null) => void): void {
    for (let answer = this.#first[message] ?? none; answer !== none; answer = this.#after(answer)) {
      this.#layIov(messagesMax, answer)
      this.#layHeader(spare, answer, messagesMax, 1)
      send(this.header(spare))
    }
  }

  /** To be called when all were sent. */
  clear(): void {
    if (this.#groups > 0) this.#places.fill(none)
    this.#groups = 0
    this.#count = 0
    this.#end = answers
  }

  #after(answer: number): number {
    return this.#next[answer] ?? none
  }

  /** Adds an answer to the group of its like, or begins one. */
  #join(answer: number): void {
    const length = this.#lengths[answer] ?? 0
    // A segment must pass every path whole.
    if (length > pathBytesDefault) return this.#begin(answer)
    const place = this.#placeOf(answer, length)
    const group = this.#places[place] ?? none
    if (group === none || !this.#isLike(group, answer, length)) {
      this.#places[place] = this.#groups
      return this.#begin(answer)
    }
    this.#next[this.#last[group] ?? 0] = answer
    this.#last[group] = answer
    this.#sizes[group] = this.sizeOf(group) + 1
    return undefined
  }

  #begin(answer: number): void {
    const group = this.#groups++
    this.#first[group] = answer
    this.#last[group] = answer
    this.#sizes[group] = 1
  }

  /** By port, the last octets of an IPv4 address, and length. */
  #placeOf(answer: number, length: number): number {
    const { words } = this.#received
    const name = this.#received.nameAt(this.#of[answer] ?? 0) >> 2
    const hash = Math.imul((words[name] ?? 0) ^ (words[name + 1] ?? 0) ^ length, 0x9e37_79b1)
    return hash >>> 25
  }

  #isLike(group: number, answer: number, length: number): boolean {
    const leader = this.#first[group] ?? 0
    if (this.#lengths[leader] !== length) return false
    if ((this.sizeOf(group) + 1) * length > messageBytesMax) return false
    const received = this.#received
    const [a, b] = [this.#of[leader] ?? 0, this.#of[answer] ?? 0]
    const nameLength = received.nameLength(a)
    const controlLength = received.controlLength(a)
    return (
      received.nameLength(b) === nameLength &&
      received.controlLength(b) === controlLength &&
      isSame(received.words, received.nameAt(a), received.nameAt(b), nameLength) &&
      isSame(received.words, received.controlAt(a), received.controlAt(b), controlLength)
    )
  }

  /** Returns the place of the next free iovec. */
  #lay(group: number, iov: number): number {
    const leader = this.#first[group] ?? 0
    const size = this.sizeOf(group)
    let end = iov
    for (let answer = leader; answer !== none; answer = this.#after(answer)) {
      this.#layIov(end++, answer)
    }
    this.#layHeader(group, leader, iov, size)
    if (size > 1) this.#laySegments(group, leader)
    return end
  }

  #layIov(iov: number, answer: number): void {
    const at = (iovs + iov * iovBytes) >> 2
    pointTo(this.#words, at, this.#base + (this.#at[answer] ?? 0))
    this.#words[at + 2] = this.#lengths[answer] ?? 0
  }

  #layHeader(message: number, answer: number, iov: number, size: number): void {
    const words = this.#words
    const received = this.#received
    const n = this.#of[answer] ?? 0
    const header = (headers + message * headerBytes) >> 2
    pointTo(words, header + headerWords.name, received.base + received.nameAt(n))
    words[header + headerWords.nameLength] = received.nameLength(n)
    pointTo(words, header + headerWords.iov, this.#base + iovs + iov * iovBytes)
    words[header + headerWords.iovCount] = size
    pointTo(words, header + headerWords.control, received.base + received.controlAt(n))
    words[header + headerWords.controlLength] = received.controlLength(n)
  }

  /** A struct cmsghdr (length, level, type) that tells the length of a segment, behind what is there. */
  #laySegments(message: number, leader: number): void {
    const words = this.#words
    const received = this.#received
    const n = this.#of[leader] ?? 0
    const before = received.controlLength(n)
    assert(before % 8 === 0 && before <= controlBytes, 'control messages are aligned')
    const control = controls + message * outControlBytes
    const from = received.controlAt(n) >> 2
    for (let at = 0; at < before >> 2; at++) {
      words[(control >> 2) + at] = received.words[from + at] ?? 0
    }
    const segment = (control + before) >> 2
    words[segment] = segmentControlLength
    words[segment + 1] = 0
    words[segment + 2] = inet.SOL_UDP
    words[segment + 3] = inet.UDP_SEGMENT
    this.#halves[(segment + 4) << 1] = this.#lengths[leader] ?? 0
    const header = (headers + message * headerBytes) >> 2
    pointTo(words, header + headerWords.control, this.#base + control)
    words[header + headerWords.controlLength] = before + segmentControlBytes
  }
}

/** Whether `length` octets, rounded down to words, are the same from the octets `a` and `b` on. */
function isSame(words: Uint32Array, a: number, b: number, length: number): boolean {
  const [first, second] = [a >> 2, b >> 2]
  for (let at = 0; at < length >> 2; at++) {
    if (words[first + at] !== words[second + at]) return false
  }
  return true
}
