import { HashIndex } from '../dns/hash-index.ts'
import { hashOf } from './cache-reader.ts'
import type { OutsideQuestion } from './outside-question.ts'

interface Entry<T> {
  readonly question: OutsideQuestion
  readonly value: T
}

/**
 * A map by question for values that come and go quickly. A `Map` makes a new table every few changes, and V8 keeps
 * whatever an old table refers to until the next full collection.
 */
export class PendingQuestions<T> {
  readonly #seed: number
  readonly #index = new HashIndex()
  readonly #entries: (Entry<T> | undefined)[] = []
  readonly #free: number[] = []

  /** `seed`: unguessable, so that no client can choose questions with equal hashes. */
  constructor(seed: number) {
    this.#seed = seed
  }

  get size(): number {
    return this.#index.size
  }

  get(question: OutsideQuestion): T | undefined {
    const slot = this.#slotOf(question, this.#hashOf(question))
    return slot < 0 ? undefined : this.#entries[this.#index.valueAt(slot)]?.value
  }

  /** There must be none for this question. */
  add(question: OutsideQuestion, value: T): void {
    const hash = this.#hashOf(question)
    const place = this.#free.pop() ?? this.#entries.length
    this.#entries[place] = { question, value }
    this.#index.add(hash, place)
  }

  delete(question: OutsideQuestion): void {
    const slot = this.#slotOf(question, this.#hashOf(question))
    if (slot < 0) return
    const place = this.#index.valueAt(slot)
    this.#entries[place] = undefined
    this.#free.push(place)
    this.#index.remove(slot)
  }

  *values(): IterableIterator<T> {
    for (const entry of this.#entries) if (entry !== undefined) yield entry.value
  }

  clear(): void {
    for (const entry of this.#entries) if (entry !== undefined) this.delete(entry.question)
  }

  #hashOf({ octets, flags }: OutsideQuestion): number {
    return hashOf(octets, 0, octets.length, flags, this.#seed)
  }

  #slotOf(question: OutsideQuestion, hash: number): number {
    const index = this.#index
    for (let slot = index.first(hash); slot >= 0; slot = index.after(hash, slot)) {
      const known = this.#entries[index.valueAt(slot)]?.question
      if (known !== undefined && isSame(known, question)) return slot
    }
    return -1
  }
}

function isSame(a: OutsideQuestion, b: OutsideQuestion): boolean {
  if (a.flags !== b.flags || a.octets.length !== b.octets.length) return false
  for (let at = 0; at < a.octets.length; at++) if (a.octets[at] !== b.octets[at]) return false
  return true
}
