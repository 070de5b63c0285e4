import type { Memory } from './copy-octets.ts'

/** Each address is the number of a segment and a word in it. */
const wordBits = 15
// Not as a power in the methods: V8 computes it at each call.
const wordsMax = 1 << wordBits
const segmentBytesMax = 4 * wordsMax
/** Buffers that are kept for the next segment, so that a busy cache does not feed the garbage collector. */
const sparesMax = 4

/** A piece of memory that is filled from its start, and given back as a whole. */
export interface Segment extends Memory {
  readonly id: number
  /** The words in use. */
  end: number
  /** Segments are numbered in the order in which they came to the end of their queue. */
  round: number
}

/** Segments in the order in which they were filled. Only the newest has room. */
export class SegmentQueue {
  readonly #full: Segment[] = []
  #open: Segment | undefined
  bytes = 0

  get oldest(): Segment | undefined {
    return this.#full[0] ?? this.#open
  }

  get length(): number {
    return this.#full.length + (this.#open === undefined ? 0 : 1)
  }

  /** The segment that has room for so many octets, if there is one. */
  withRoom(bytes: number): Segment | undefined {
    const open = this.#open
    return open !== undefined && 4 * open.end + bytes <= open.bytes.length ? open : undefined
  }

  push(segment: Segment, isFull: boolean): void {
    this.bytes += segment.bytes.length
    if (isFull) {
      this.#full.push(segment)
      return
    }
    this.close()
    this.#open = segment
  }

  /** The next answer goes to another segment. */
  close(): void {
    if (this.#open !== undefined) this.#full.push(this.#open)
    this.#open = undefined
  }

  /** Takes the oldest one out. */
  shift(): Segment | undefined {
    const segment = this.#full.shift() ?? this.#open
    if (segment === undefined) return undefined
    if (segment === this.#open) this.#open = undefined
    this.bytes -= segment.bytes.length
    return segment
  }
}

/** The memory of the cache. It takes a segment from the system only when one is needed. */
export class AnswerMemory {
  readonly #segmentBytes: number
  readonly #segments: (Segment | undefined)[] = []
  readonly #freeIds: number[] = []
  readonly #spares: ArrayBuffer[] = []
  #bytes = 0
  #round = 0

  /** `bytesMax`: of the whole cache, which has at least 16 segments. */
  constructor(bytesMax: number) {
    this.#segmentBytes = Math.min(segmentBytesMax, (bytesMax / 16) & ~3)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** What a segment for so many octets takes. */
  sizeFor(bytes: number): number {
    return this.isLarge(bytes) ? bytes : this.#segmentBytes
  }

  /** A large answer has a segment of its own. */
  isLarge(bytes: number): boolean {
    return bytes > this.#segmentBytes / 2
  }

  open(bytes: number): Segment {
    const size = this.sizeFor(bytes)
    const spare = size === this.#segmentBytes ? this.#spares.pop() : undefined
    const buffer = spare ?? new ArrayBuffer(size)
    const id = this.#freeIds.pop() ?? this.#segments.length
    const segment = {
      id,
      bytes: new Uint8Array(buffer),
      words: new Int32Array(buffer),
      end: 0,
      round: this.nextRound(),
    }
    this.#segments[id] = segment
    this.#bytes += size
    return segment
  }

  release({ id, words }: Segment): void {
    const { buffer } = words
    this.#segments[id] = undefined
    this.#freeIds.push(id)
    this.#bytes -= buffer.byteLength
    const isSpare = buffer.byteLength === this.#segmentBytes && this.#spares.length < sparesMax
    if (isSpare && buffer instanceof ArrayBuffer) this.#spares.push(buffer)
  }

  nextRound(): number {
    return this.#round++
  }

  addressOf({ id }: Segment, word: number): number {
    return id * wordsMax + word
  }

  segmentAt(address: number): Segment | undefined {
    return this.#segments[address >>> wordBits]
  }

  wordAt(address: number): number {
    return address & (wordsMax - 1)
  }
}
