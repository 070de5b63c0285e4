import { CacheReader, hashOf } from './cache-reader.ts'
import { entryHeaderBytes, field, unitBytes, ways } from './cache-layout.ts'
import type { CacheMemory } from './cache-layout.ts'
import type { OutsideQuestion } from './outside-question.ts'
import type { StoredAnswer } from './stored-answer.ts'

export interface Validity {
  readonly storedMs: number
  /** When the upstream server gave it: the same, unless it is stale. */
  readonly originMs: number
  readonly lifetimeSeconds: number
  readonly isStale: boolean
  /** The epoch in which the question was asked. */
  readonly epoch: number
}

/** So many used entries may be moved to the front to make room for one. */
const movedMax = 4
/** An answer must fit so often into the log. */
const sharesMin = 16

/** How often to try before an answer is not kept, because another thread writes. */
const triesMax = 1000

/**
 * Writes the cache. Only one thread at a time may do so; the others keep nothing during that time. The log overwrites its oldest entries. Entries that were used since they
 * were written are moved to its front instead (the clock, or second chance, algorithm), so that a flood of names
 * that are asked once cannot push out those in use.
 */
export class CacheWriter {
  readonly #memory: CacheMemory
  readonly #reader: CacheReader
  readonly #writer: number
  // While this thread writes: see CacheMemory.
  #tail = 0
  #head = 0

  /** `writer`: a number other than 0 that no other thread has. */
  constructor(memory: CacheMemory, writer: number) {
    this.#memory = memory
    this.#reader = new CacheReader(memory)
    this.#writer = writer
  }

  /** Adds an answer, in place of an earlier one to the same question. */
  put(question: OutsideQuestion, answer: StoredAnswer, validity: Validity): void {
    const memory = this.#memory
    for (let tries = 0; !memory.tryLock(this.#writer); tries++) if (tries === triesMax) return
    this.#tail = memory.tail
    this.#head = memory.head
    this.#put(question, answer, validity)
    memory.tail = this.#tail
    memory.unlock()
  }

  #put(question: OutsideQuestion, answer: StoredAnswer, validity: Validity): void {
    const { octets, flags } = question
    const size = sizeOf(answer)
    const hash = hashOf(octets, 0, octets.length, flags, this.#memory.seed)
    const known = this.#reader.find(question, 0) === undefined ? 0 : this.#reader.position
    if (size * sharesMin > this.#memory.units * unitBytes) return this.#forget(hash, known)
    const position = this.#reserve(size / unitBytes, movedMax)
    this.#write(position, size, hash, flags, answer, validity)
    return this.#place(hash, position, known)
  }

  #forget(hash: number, position: number): void {
    const place = this.#placeOf(hash, position)
    if (place === undefined) return
    Atomics.store(this.#memory.places, place, 0)
    this.#memory.entries--
  }

  #write(
    position: number,
    size: number,
    hash: number,
    flags: number,
    answer: StoredAnswer,
    validity: Validity,
  ): void {
    const { words, floats, bytes, halves } = this.#memory
    const offset = this.#memory.offsetOf(position)
    const word = offset >> 2
    words[word + field.size] = size
    words[word + field.hash] = hash
    words[word + field.used] = 0
    words[word + field.epoch] = validity.epoch
    floats[(word + field.storedMs) >> 1] = validity.storedMs
    floats[(word + field.originMs) >> 1] = validity.originMs
    words[word + field.lifetime] = validity.lifetimeSeconds
    words[word + field.state] = (validity.isStale ? 1 : 0) | (answer.extendedError << 16)
    words[word + field.length] = answer.bytes.length
    words[word + field.records] = answer.marks.length / 2
    words[word + field.flags] = flags
    words[word + field.refreshed] = 0
    halves.set(answer.marks, (offset + entryHeaderBytes) >> 1)
    bytes.set(answer.bytes, offset + entryHeaderBytes + answer.marks.byteLength)
  }

  /** Where an entry of so many units may be written. */
  #reserve(units: number, moves: number): number {
    const all = this.#memory.units
    const left = all - (this.#head & (all - 1))
    // An entry lies in one piece: the rest of the log before its end stays empty.
    if (left < units) this.#skip(left, moves)
    const kept: Uint8Array[] = []
    const position = this.#head
    this.#reclaim(units, moves, kept)
    this.#advance(units)
    for (const entry of kept) this.#move(entry)
    return position
  }

  #skip(units: number, moves: number): void {
    const kept: Uint8Array[] = []
    this.#reclaim(units, moves, kept)
    const { words } = this.#memory
    // What looks for the next entry reads its size here.
    const word = this.#memory.offsetOf(this.#head) >> 2
    this.#advance(units)
    words[word + field.size] = units * unitBytes
    words[word + field.hash] = 0
    for (const entry of kept) this.#move(entry)
  }

  #advance(units: number): void {
    this.#head = (this.#head + units) >>> 0
    // Before anything is written there: a reader of what was there before notices.
    this.#memory.head = this.#head
  }

  /** Gives up the oldest entries until so many units are free; the used ones are copied to `kept`. */
  #reclaim(units: number, moves: number, kept: Uint8Array[]): void {
    const memory = this.#memory
    while ((this.#head + units - this.#tail) >>> 0 > memory.units) {
      const offset = memory.offsetOf(this.#tail)
      const word = offset >> 2
      const size = memory.words[word + field.size] ?? unitBytes
      const place = this.#placeOf(memory.words[word + field.hash] ?? 0, this.#tail)
      if (place !== undefined) {
        const isUsed = (memory.words[word + field.used] ?? 0) > 0
        if (isUsed && kept.length < moves) kept.push(memory.bytes.slice(offset, offset + size))
        else memory.entries--
        Atomics.store(memory.places, place, 0)
        if (isUsed && kept.length <= moves) memory.words[word + field.used] = 0
      }
      this.#tail = (this.#tail + size / unitBytes) >>> 0
    }
  }

  /** Puts an entry that was in use in front. It must be used again to be moved a second time. */
  #move(entry: Uint8Array): void {
    const memory = this.#memory
    memory.entries--
    const units = entry.length / unitBytes
    const all = memory.units
    if (all - (this.#head & (all - 1)) < units) return
    const position = this.#head
    this.#reclaim(units, 0, [])
    this.#advance(units)
    const offset = memory.offsetOf(position)
    memory.bytes.set(entry, offset)
    memory.words[(offset >> 2) + field.used] = 0
    this.#place(memory.words[(offset >> 2) + field.hash] ?? 0, position, 0)
  }

  #placeOf(hash: number, position: number): number | undefined {
    const { places } = this.#memory
    const bucket = this.#memory.bucketOf(hash)
    for (let at = bucket; at < bucket + ways; at++) {
      if ((places[at] ?? 0) >>> 0 === position && position !== 0) return at
    }
    return undefined
  }

  /** Makes an entry visible, in the place of `known` or of the oldest of its bucket. */
  #place(hash: number, position: number, known: number): void {
    const memory = this.#memory
    const bucket = memory.bucketOf(hash)
    let best = this.#placeOf(hash, known)
    for (let at = bucket; best === undefined && at < bucket + ways; at++) {
      if (memory.places[at] === 0) best = at
    }
    best ??= this.#victim(bucket)
    if (memory.places[best] === 0) memory.entries++
    Atomics.store(memory.places, best, position | 0)
  }

  /** The oldest entry of a bucket that is not in use, or else the oldest. */
  #victim(bucket: number): number {
    const { places, words } = this.#memory
    let best = bucket
    let bestAge = -1
    for (let at = bucket; at < bucket + ways; at++) {
      const position = (places[at] ?? 0) >>> 0
      const word = this.#memory.offsetOf(position) >> 2
      const isUsed = this.#memory.isThere(position) && (words[word + field.used] ?? 0) > 0
      const age = ((this.#head - position) >>> 0) + (isUsed ? 0 : 2 ** 32)
      if (age <= bestAge) continue
      best = at
      bestAge = age
    }
    return best
  }
}

function sizeOf({ bytes, marks }: StoredAnswer): number {
  const octets = entryHeaderBytes + marks.byteLength + bytes.length
  return Math.ceil(octets / unitBytes) * unitBytes
}
