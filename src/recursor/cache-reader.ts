import { foldOctet } from '../dns/query-scan.ts'
import { entryHeaderBytes, field, ways } from './cache-layout.ts'
import type { CacheMemory } from './cache-layout.ts'
import { flagsOf } from './outside-question.ts'
import type { OutsideQuestion } from './outside-question.ts'
import type { Age, RenderSource } from './render.ts'
import type { StoredAnswer } from './stored-answer.ts'

const headerBytes = 12
/** RFC 8767 §5.11: the TTL of stale records. */
export const staleTtlSeconds = 30
/** A used answer is refreshed when so much of its lifetime is left. */
const refreshShare = 0.1
/** Answers that live shorter, or were used less, are not worth it. */
const refreshLifetimeSeconds = 10
const refreshUses = 3

/**
 * Finds answers in the cache, on any thread. An entry may be overwritten while it is read, so a caller must
 * check {@link isIntact} after it has used what was found.
 */
export class CacheReader implements RenderSource {
  readonly bytes: Uint8Array
  readonly marks: Uint16Array
  at = 0
  length = 0
  marksAt = 0
  records = 0
  extendedError = 0
  /** Of the entry found. One object for all entries. */
  readonly age: { ageSeconds: number; staleTtl: number | undefined } & Age = {
    ageSeconds: 0,
    staleTtl: undefined,
  }
  readonly #memory: CacheMemory
  #position = 0
  #word = 0
  #ageMs = 0

  constructor(memory: CacheMemory) {
    this.#memory = memory
    this.bytes = memory.bytes
    this.marks = memory.halves
  }

  /** Looks for the question of a packet. True: there is an answer whose lifetime has not ended. */
  findFor(packet: Uint8Array, questionEnd: number, dnssecOk: boolean, nowMs: number): boolean {
    const flags = flagsOf(dnssecOk, ((packet[3] ?? 0) & 0x10) !== 0)
    const hash = hashOf(packet, headerBytes, questionEnd, flags, this.#memory.seed)
    return this.#find(hash, packet, headerBytes, questionEnd, flags) && this.#isFresh(nowMs)
  }

  /** As {@link findFor}, also if its lifetime has ended. */
  find({ octets, flags }: OutsideQuestion, nowMs: number): 'fresh' | 'expired' | undefined {
    const hash = hashOf(octets, 0, octets.length, flags, this.#memory.seed)
    if (!this.#find(hash, octets, 0, octets.length, flags)) return undefined
    return this.#isFresh(nowMs) ? 'fresh' : 'expired'
  }

  /** Whether what was found has not been overwritten. */
  get isIntact(): boolean {
    return this.#memory.isThere(this.#position)
  }

  /** How long ago the answer was stored. */
  get ageSeconds(): number {
    return this.#ageMs / 1000
  }

  get lifetimeSeconds(): number {
    return this.#memory.words[this.#word + field.lifetime] ?? 0
  }

  /** When an upstream server gave the answer. */
  get originMs(): number {
    return this.#memory.floats[(this.#word + field.originMs) >> 1] ?? 0
  }

  /** A copy of what was found. */
  copy(): StoredAnswer {
    return {
      bytes: this.bytes.slice(this.at, this.at + this.length),
      marks: this.marks.slice(this.marksAt, this.marksAt + this.records * 2),
      extendedError: this.extendedError,
    }
  }

  get position(): number {
    return this.#position
  }

  /** Notes a use. True: the caller is to ask for a newer answer; only one caller is told so. */
  use(): boolean {
    const { words } = this.#memory
    const uses = (words[this.#word + field.used] ?? 0) + 1
    words[this.#word + field.used] = uses
    const lifetime = this.lifetimeSeconds
    if (lifetime < refreshLifetimeSeconds || uses < refreshUses) return false
    if (this.ageSeconds < lifetime * (1 - refreshShare)) return false
    return Atomics.exchange(words, this.#word + field.refreshed, 1) === 0
  }

  #find(hash: number, octets: Uint8Array, from: number, to: number, flags: number): boolean {
    const memory = this.#memory
    const bucket = memory.bucketOf(hash)
    const { epoch } = memory
    for (let way = bucket; way < bucket + ways; way++) {
      const position = Atomics.load(memory.places, way) >>> 0
      if (position === 0) continue
      const offset = memory.offsetOf(position)
      const word = offset >> 2
      if (memory.words[word + field.hash] !== hash || !memory.isThere(position)) continue
      if (memory.words[word + field.epoch] !== epoch) continue
      if (memory.words[word + field.flags] !== flags) continue
      this.#turnTo(position, offset, word)
      if (this.#isSame(octets, from, to)) return true
    }
    return false
  }

  #turnTo(position: number, offset: number, word: number): void {
    const { words } = this.#memory
    this.#position = position
    this.#word = word
    this.records = words[word + field.records] ?? 0
    this.marksAt = (offset + entryHeaderBytes) >> 1
    this.at = offset + entryHeaderBytes + this.records * 4
    this.length = words[word + field.length] ?? 0
    this.extendedError = (words[word + field.state] ?? 0) >>> 16
  }

  #isSame(octets: Uint8Array, from: number, to: number): boolean {
    const shift = this.at + headerBytes - from
    for (let at = from; at < to - 4; at++) {
      if (this.bytes[at + shift] !== foldOctet(octets[at] ?? 0)) return false
    }
    for (let at = to - 4; at < to; at++) if (this.bytes[at + shift] !== octets[at]) return false
    return true
  }

  #isFresh(nowMs: number): boolean {
    const { words, floats } = this.#memory
    this.#ageMs = nowMs - (floats[(this.#word + field.storedMs) >> 1] ?? 0)
    const isStale = ((words[this.#word + field.state] ?? 0) & 1) !== 0
    this.age.staleTtl = isStale ? staleTtlSeconds : undefined
    this.age.ageSeconds = Math.floor(this.#ageMs / 1000)
    return this.ageSeconds < this.lifetimeSeconds
  }
}

/** Of a question; letters are folded. */
export function hashOf(
  octets: Uint8Array,
  from: number,
  to: number,
  flags: number,
  seed: number,
): number {
  let hash = seed ^ flags
  for (let at = from; at < to; at++) {
    hash = Math.imul(
      hash ^ (at < to - 4 ? foldOctet(octets[at] ?? 0) : (octets[at] ?? 0)),
      0x01000193,
    )
  }
  return hash ^ (hash >>> 15)
}
