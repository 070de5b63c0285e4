import { AnswerMemory, SegmentQueue } from './answer-memory.ts'
import type { Segment } from './answer-memory.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { HashIndex } from './hash-index.ts'
import { KeptAnswer } from './kept-answer.ts'
import type { Extras, Validity } from './kept-answer.ts'
import type { PackedAnswer } from './packed-answer.ts'
import type { QueryScan } from './query-scan.ts'

/** Roughly what the objects of {@link Extras} take. */
const extrasBytes = 500
/** The part of the memory that the queue of new answers may keep. */
const smallShare = 1 / 10
/** The index takes no larger part of the memory: an answer takes many times what its place there does. */
const indexShare = 1 / 6
/** No answer may take a larger part. */
const answerShare = 1 / 4
const ghostsMin = 64
/** Answers that are queried more often than this in the small queue move on: a client often asks twice. */
const promotedAbove = 1

/**
 * Prepared answers by lower-cased question and variant, within a number of octets. What to remove is
 * decided by S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023): a new
 * answer enters a small queue, and moves to the main queue only if it is queried at least twice more. An
 * answer that comes back soon after it was removed goes to the main queue immediately. There, answers stay as
 * long as they are queried. A scan of all names passes through the small queue, and leaves the answers
 * that are in use alone.
 *
 * Both queues consist of segments, and the oldest segment is emptied as a whole. So memory is taken only when it is
 * used, and no answer is an object of the garbage collector.
 */
export class WireCache {
  readonly #bytesMax: number
  readonly #memory: AnswerMemory
  readonly #index = new HashIndex()
  readonly #small = new SegmentQueue()
  readonly #main = new SegmentQueue()
  /** Answers that were removed from the small queue without a second query. */
  #ghosts = new Doorkeeper(ghostsMin)
  readonly #found = new KeptAnswer()
  readonly #moved = new KeptAnswer()
  readonly #modes: string[] = []
  readonly #extras: (Extras | undefined)[] = []
  readonly #freeExtras: number[] = []
  /** The round of the first segment that was filled since {@link ageOldest} began with the oldest answer again. */
  #agedTo = 0

  constructor({ bytesMax }: { bytesMax: number }) {
    this.#bytesMax = bytesMax
    this.#memory = new AnswerMemory(bytesMax)
  }

  /** How many answers it has. */
  get size(): number {
    return this.#index.size
  }

  /** How much memory it takes, in octets. */
  get bytes(): number {
    const extras = this.#extras.length - this.#freeExtras.length
    const index = this.#index.bytes === 0 ? 0 : this.#index.bytes + this.#ghosts.bytes
    return this.#memory.bytes + index + extras * extrasBytes
  }

  /** How many calls of {@link ageOldest} look at all answers. */
  get segments(): number {
    return this.#small.length + this.#main.length
  }

  /** The answer to the question that `scan` has just read from `packet`, valid or not, until the next call. */
  find(scan: QueryScan, packet: Uint8Array): KeptAnswer | undefined {
    const { hash, variant, questionEnd } = scan
    const index = this.#index
    const found = this.#found
    for (let slot = index.first(hash); slot >= 0; slot = index.after(hash, slot)) {
      this.#point(found, index.valueAt(slot))
      if (found.variant !== variant || !found.isFor(packet, questionEnd)) continue
      found.noteUse()
      return found
    }
    return undefined
  }

  /** Whether the server was in this mode when the answer was made. */
  isOfMode(kept: KeptAnswer, mode: string): boolean {
    return this.#modes[kept.mode] === mode
  }

  /**
   * Adds an answer to the question in `scan`, which must not have one. Returns it in its place; undefined
   * if it is too large.
   */
  add(scan: QueryScan, answer: PackedAnswer, validity: Validity): KeptAnswer | undefined {
    const isMain = this.#ghosts.has(scan.hash)
    return this.#insert(answer, validity, scan.hash, scan.variant, isMain)
  }

  /** As {@link add}, in the place of an answer that was just found. */
  replace(kept: KeptAnswer, answer: PackedAnswer, validity: Validity): KeptAnswer | undefined {
    const bytes = bytesOf(answer, validity)
    if (bytes <= kept.capacity) {
      this.#dropExtras(kept)
      kept.write(answer, validity, this.#modeOf(validity.mode))
      this.#setExtras(kept, answer, validity)
      return kept
    }
    const { hash, variant, uses, isInMain } = kept
    this.#remove(kept)
    const longer = this.#insert(answer, validity, hash, variant, isInMain)
    if (longer !== undefined) longer.uses = uses
    return longer
  }

  /**
   * Removes the answers that were not queried since the last call. Without this, answers for names that
   * no longer exist would stay until the cache is full.
   */
  age(): void {
    for (let left = this.segments; left > 0; left--) this.ageOldest()
  }

  /** A part of {@link age}: one segment. */
  ageOldest(): void {
    const [small, main] = [this.#small.oldest, this.#main.oldest]
    const isMain = main !== undefined && (small === undefined || main.round < small.round)
    const queue = isMain ? this.#main : this.#small
    if ((queue.oldest?.round ?? 0) >= this.#agedTo) {
      // All were looked at. What stays from now on goes to segments behind those that are there.
      this.#agedTo = this.#memory.nextRound()
      this.#small.close()
      this.#main.close()
    }
    this.#drain(queue, queue, (answer) => {
      const isKept = answer.isRecent
      answer.forgetRecent()
      return isKept
    })
    this.#index.shrink()
    this.#fitGhosts()
  }

  #insert(
    answer: PackedAnswer,
    validity: Validity,
    hash: number,
    variant: number,
    isMain: boolean,
  ): KeptAnswer | undefined {
    const bytes = bytesOf(answer, validity)
    if (bytes > this.#bytesMax * answerShare) return undefined
    const queue = isMain ? this.#main : this.#small
    this.#makeRoom(queue, bytes)
    const kept = this.#found
    this.#place(kept, queue, bytes)
    kept.hash = hash
    kept.state = variant
    kept.isInMain = isMain
    kept.write(answer, validity, this.#modeOf(validity.mode))
    this.#setExtras(kept, answer, validity)
    this.#index.add(hash, kept.address)
    this.#fitGhosts()
    return kept
  }

  /** Points `kept` to new memory of so many octets at the end of a queue. */
  #place(kept: KeptAnswer, queue: SegmentQueue, bytes: number): void {
    let segment = this.#openIn(queue, bytes)
    if (segment === undefined) {
      segment = this.#memory.open(bytes)
      queue.push(segment, this.#memory.isLarge(bytes))
    }
    const start = segment.end
    segment.end += bytes / 4
    kept.pointTo(segment, start, this.#memory.addressOf(segment, start))
    kept.capacity = bytes
  }

  /** The segment that takes the next answer of this size; undefined if it needs a new one. */
  #openIn(queue: SegmentQueue, bytes: number): Segment | undefined {
    return this.#memory.isLarge(bytes) ? undefined : queue.withRoom(bytes)
  }

  /** Empties segments until there is memory for so many octets more. */
  #makeRoom(queue: SegmentQueue, bytes: number): void {
    const indexMax = this.#bytesMax * indexShare
    for (let round = 0; this.segments > 0; round++) {
      const memory = this.#openIn(queue, bytes) === undefined ? this.#memory.sizeFor(bytes) : 0
      const growth = this.#index.bytesNext - this.#index.bytes
      const isIndexFull = growth > 0 && this.#index.bytesNext > indexMax
      // The ghosts grow with the index.
      const more = memory + growth + growth / 4
      if (!isIndexFull && this.bytes + more <= this.#bytesMax) return
      // Each round asks more of those that stay, so that it ends after a few.
      this.#evict(round >> 1)
    }
  }

  /** Empties the oldest segment of a queue. Answers that were queried more than `usesMin` times stay. */
  #evict(usesMin: number): void {
    const isSmall =
      this.#main.oldest === undefined || this.#small.bytes > this.#bytesMax * smallShare
    if (isSmall && this.#small.oldest !== undefined) {
      this.#drain(this.#small, this.#main, (answer) => {
        const isKept = answer.uses > Math.max(promotedAbove, usesMin)
        if (isKept) answer.uses = 0
        else this.#ghosts.add(answer.hash)
        return isKept
      })
    } else {
      this.#drain(this.#main, this.#main, (answer) => {
        const { uses } = answer
        if (uses > 0) answer.uses = uses - 1
        return uses > usesMin
      })
    }
  }

  /** Empties the oldest segment of `from`. The answers that stay move to the end of `to`. */
  #drain(from: SegmentQueue, to: SegmentQueue, stays: (answer: KeptAnswer) => boolean): void {
    const segment = from.shift()
    if (segment === undefined) return
    const answer = this.#moved
    for (let at = 0; at < segment.end; at += answer.capacity / 4) {
      this.#point(answer, this.#memory.addressOf(segment, at))
      if (answer.isDead) continue
      if (!stays(answer)) {
        this.#remove(answer)
      } else if (this.#memory.isLarge(answer.capacity)) {
        answer.isInMain = to === this.#main
        segment.round = this.#memory.nextRound()
        to.push(segment, true)
        return
      } else {
        this.#move(segment, at, to)
      }
    }
    this.#memory.release(segment)
  }

  #move(segment: Segment, at: number, to: SegmentQueue): void {
    const { hash, address, capacity } = this.#moved
    const target = this.#found
    this.#place(target, to, capacity)
    target.copyFrom(segment, at)
    target.isInMain = to === this.#main
    this.#index.setValue(this.#index.slotOf(hash, address), target.address)
  }

  #remove(answer: KeptAnswer): void {
    this.#dropExtras(answer)
    answer.die()
    this.#index.remove(this.#index.slotOf(answer.hash, answer.address))
  }

  #point(answer: KeptAnswer, address: number): void {
    const segment = this.#memory.segmentAt(address)
    if (segment === undefined) return
    answer.pointTo(segment, this.#memory.wordAt(address), address)
    const { extras } = answer
    const found = extras === 0 ? undefined : this.#extras[extras - 1]
    answer.outside = found?.outside
    answer.others = found?.others
  }

  #setExtras(kept: KeptAnswer, { outside }: PackedAnswer, { others }: Validity): void {
    kept.outside = outside
    kept.others = others
    if (outside === undefined && others === undefined) {
      kept.extras = 0
      return
    }
    const at = this.#freeExtras.pop() ?? this.#extras.length
    this.#extras[at] = { outside, others }
    kept.extras = at + 1
  }

  #dropExtras(kept: KeptAnswer): void {
    const { extras } = kept
    if (extras === 0) return
    this.#extras[extras - 1] = undefined
    this.#freeExtras.push(extras - 1)
  }

  /** As many as the index may have answers. */
  #fitGhosts(): void {
    const places = Math.max(ghostsMin, this.#index.slots / 2)
    if (places !== this.#ghosts.places) this.#ghosts = new Doorkeeper(places)
  }

  #modeOf(mode: string): number {
    const known = this.#modes.indexOf(mode)
    return known >= 0 ? known : this.#modes.push(mode) - 1
  }
}

function bytesOf(answer: PackedAnswer, { slots }: Validity): number {
  return answer.octets + 4 * slots.length
}
