import { assert } from './assert.ts'

export interface DeadlinesOptions {
  /** The longest time between two calls of {@link Deadlines.due} that counts; the rest was missed. */
  readonly gapMsMax?: number
  /** Of one place on the wheel. A deadline beyond the whole wheel is put back once a turn. */
  readonly slotMs?: number
  readonly slots?: number
}

interface Deadline<Key> {
  readonly key: Key
  durationMs: number
  /** On the clock of the wheel. */
  dueMs: number
  /** Where it waits: at its time, or before it. */
  slot: number
}

/**
 * Deadlines of what ends by silence, on a timer wheel. The time is an argument: of the monotonic clock, never
 * of the wall clock.
 *
 * The wheel has a clock of its own, which advances only in calls of {@link due}, by at most `gapMsMax` each.
 * So a stall of the process pushes every deadline by the time that was missed: a client may have tried to
 * renew its deadline in that time.
 *
 * A leader begins with a new wheel, and sets each deadline with an election timeout as `extraMs`: a client
 * needs that time to find the new leader.
 *
 * A renewal changes a number and moves nothing: the deadline is put in its new place when the wheel gets to
 * its old one. With 100,000 deadlines a renewal takes about 0.2 µs, and `due` touches each one once per
 * duration.
 */
export class Deadlines<Key> {
  readonly #gapMsMax: number
  readonly #slotMs: number
  readonly #wheel: (Set<Deadline<Key>> | undefined)[]
  readonly #deadlines = new Map<Key, Deadline<Key>>()
  /** The clock of the wheel, when {@link due} was called last. */
  #timeMs = 0
  /** The same moment on the caller's clock. */
  #seenMs: number

  constructor(nowMs: number, options: DeadlinesOptions = {}) {
    const { gapMsMax = 1000, slotMs = 250, slots = 512 } = options
    assert(slots > 1 && slotMs > 0 && gapMsMax > 0, 'a wheel has places, and turns')
    this.#gapMsMax = gapMsMax
    this.#slotMs = slotMs
    this.#wheel = Array.from({ length: slots })
    this.#seenMs = nowMs
  }

  get size(): number {
    return this.#deadlines.size
  }

  has(key: Key): boolean {
    return this.#deadlines.has(key)
  }

  /**
   * Due when more than `durationMs` and, this first time, `extraMs` have passed since `nowMs`. Replaces a
   * deadline of the same key.
   */
  set(key: Key, durationMs: number, nowMs: number, extraMs = 0): void {
    assert(durationMs >= 0 && extraMs >= 0, `a deadline is not in the past (${durationMs} ms)`)
    this.remove(key)
    const dueMs = this.#at(nowMs) + durationMs + extraMs
    const deadline = { key, durationMs, dueMs, slot: 0 }
    this.#deadlines.set(key, deadline)
    this.#place(deadline)
  }

  /** Grants the whole duration again. Returns false when there is no such deadline (any more). */
  renew(key: Key, nowMs: number): boolean {
    const deadline = this.#deadlines.get(key)
    if (deadline === undefined) return false
    // Never earlier than before, so that the place on the wheel stays right.
    deadline.dueMs = Math.max(deadline.dueMs, this.#at(nowMs) + deadline.durationMs)
    return true
  }

  /** Until it is due; 0 when it is over. Undefined when there is no such deadline (any more). */
  remainingMs(key: Key, nowMs: number): number | undefined {
    const deadline = this.#deadlines.get(key)
    return deadline === undefined ? undefined : Math.max(0, deadline.dueMs - this.#at(nowMs))
  }

  remove(key: Key): void {
    const deadline = this.#deadlines.get(key)
    if (deadline === undefined) return
    this.#deadlines.delete(key)
    this.#slotOf(deadline.slot)?.delete(deadline)
  }

  /**
   * The keys whose time is over, the earliest first; they are removed. To be called more often than every
   * `gapMsMax`.
   */
  due(nowMs: number): readonly Key[] {
    const from = this.#slotAt(this.#timeMs)
    this.#timeMs = this.#at(nowMs)
    this.#seenMs = Math.max(this.#seenMs, nowMs)
    const to = this.#slotAt(this.#timeMs)
    const due: Deadline<Key>[] = []
    for (let slot = from; slot <= to; slot++) this.#take(slot, due)
    due.sort((a, b) => a.dueMs - b.dueMs)
    return due.map(({ key }) => key)
  }

  /** Takes out of a place what is due, and moves what was renewed to where it is due now. */
  #take(slot: number, due: Deadline<Key>[]): void {
    for (const deadline of this.#slotOf(slot) ?? []) {
      const { key, dueMs } = deadline
      // It waits for a later turn of the wheel.
      if (deadline.slot !== slot) continue
      if (dueMs < this.#timeMs) {
        this.remove(key)
        due.push(deadline)
      } else if (this.#placeFor(dueMs) !== slot) {
        this.#slotOf(slot)?.delete(deadline)
        this.#place(deadline)
      }
    }
  }

  #place(deadline: Deadline<Key>): void {
    const slot = this.#placeFor(deadline.dueMs)
    deadline.slot = slot
    const at = slot % this.#wheel.length
    const there = (this.#wheel[at] ??= new Set())
    there.add(deadline)
  }

  /** The place for a time, or the last one of this turn. */
  #placeFor(dueMs: number): number {
    return Math.min(this.#slotAt(dueMs), this.#slotAt(this.#timeMs) + this.#wheel.length - 1)
  }

  #slotAt(timeMs: number): number {
    return Math.floor(timeMs / this.#slotMs)
  }

  #slotOf(slot: number): Set<Deadline<Key>> | undefined {
    return this.#wheel[slot % this.#wheel.length]
  }

  /** The clock of the wheel at a moment since the last {@link due}. */
  #at(nowMs: number): number {
    const passedMs = Math.max(0, nowMs - this.#seenMs)
    return this.#timeMs + Math.min(passedMs, this.#gapMsMax)
  }
}
