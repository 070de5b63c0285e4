import { foldOctet } from './query-scan.ts'
import type { PreparedAnswer } from './prepared-answer.ts'
import type { QueryScan } from './query-scan.ts'
import type { Dependence } from './recording-view.ts'

/** The versions that an answer was built from, which determine how long it is valid. */
export interface Validity {
  readonly generation: number
  readonly mode: string
  /** The slots of the subjects that it depends on. */
  readonly slots: readonly number[]
  /** `applied` as loaded before they were read. */
  readonly since: number
  /** What it depends on in families other than the catalog, if it does. */
  readonly others?: readonly Dependence[] | undefined
}

export interface CacheEntry {
  prepared: PreparedAnswer
  validity: Validity
  /** `applied` when the slots were last found unchanged. */
  checked: number
  readonly hash: number
  readonly variant: number
  /** Queried since the clock's hand last passed. */
  used: boolean
  next: CacheEntry | undefined
}

/**
 * Prepared answers by lower-cased question and variant, limited in entries and octets. When the cache
 * is full, entries that were not queried again are removed first (the clock, or second chance,
 * algorithm). A flood of names that are queried once therefore cannot push out entries in use.
 */
export class WireCache {
  readonly #buckets: (CacheEntry | undefined)[]
  readonly #entries: CacheEntry[] = []
  readonly #entriesMax: number
  readonly #bytesMax: number
  #bytes = 0
  #hand = 0

  constructor({ entriesMax, bytesMax }: { entriesMax: number; bytesMax: number }) {
    this.#entriesMax = entriesMax
    this.#bytesMax = bytesMax
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, entriesMax)))
    this.#buckets = Array.from({ length: size }, () => undefined)
  }

  get size(): number {
    return this.#entries.length
  }

  /** Roughly how much memory all entries take, in octets. */
  get bytes(): number {
    return this.#bytes
  }

  /** The entry of the question that `scan` has just read from `packet`, valid or not. */
  find(scan: QueryScan, packet: Uint8Array): CacheEntry | undefined {
    let entry = this.#buckets[scan.hash & (this.#buckets.length - 1)]
    while (entry !== undefined) {
      if (
        entry.hash === scan.hash &&
        entry.variant === scan.variant &&
        isSameQuestion(entry.prepared, packet, scan.questionEnd)
      ) {
        entry.used = true
        return entry
      }
      entry = entry.next
    }
    return undefined
  }

  /** Adds an answer to the question in `scan`, which must not have an entry. */
  add(scan: QueryScan, prepared: PreparedAnswer, validity: Validity): void {
    if (!this.#makeRoom(prepared.weight)) return
    const bucket = scan.hash & (this.#buckets.length - 1)
    const entry: CacheEntry = {
      prepared,
      validity,
      checked: validity.since,
      hash: scan.hash,
      variant: scan.variant,
      used: false,
      next: this.#buckets[bucket],
    }
    this.#buckets[bucket] = entry
    this.#entries.push(entry)
    this.#bytes += prepared.weight
  }

  /** Puts a newer answer in an entry's place. */
  replace(entry: CacheEntry, prepared: PreparedAnswer, validity: Validity): void {
    this.#bytes += prepared.weight - entry.prepared.weight
    entry.prepared = prepared
    entry.validity = validity
    entry.checked = validity.since
    while (this.#bytes > this.#bytesMax && this.#entries.length > 1) this.#evictOne()
  }

  /**
   * Removes the answers that were not queried since the last call. Without this, answers for names that
   * no longer exist would stay until the cache is full.
   */
  age(): void {
    let kept = 0
    for (const entry of this.#entries) {
      if (entry.used) this.#entries[kept++] = entry
      else this.#unlink(entry)
      entry.used = false
    }
    this.#entries.length = kept
    this.#hand = 0
  }

  /** False if one answer would take too much of the cache. */
  #makeRoom(weight: number): boolean {
    if (weight > this.#bytesMax / 4) return false
    while (
      this.#entries.length >= this.#entriesMax ||
      (this.#bytes + weight > this.#bytesMax && this.#entries.length > 0)
    ) {
      this.#evictOne()
    }
    return true
  }

  #evictOne(): void {
    for (;;) {
      if (this.#hand >= this.#entries.length) this.#hand = 0
      const entry = this.#entries[this.#hand]
      if (entry === undefined) return
      if (!entry.used) return this.#remove(entry)
      entry.used = false
      this.#hand++
    }
  }

  /** Removes the entry under the hand. */
  #remove(entry: CacheEntry): void {
    this.#unlink(entry)
    const last = this.#entries.pop()
    // The newest entry fills the gap, behind the hand: it has a whole round to be queried again.
    if (last === undefined || last === entry) this.#hand = 0
    else this.#entries[this.#hand++] = last
  }

  /** From its bucket, and from the count of octets. */
  #unlink(entry: CacheEntry): void {
    const bucket = entry.hash & (this.#buckets.length - 1)
    let before = this.#buckets[bucket]
    if (before === entry) this.#buckets[bucket] = entry.next
    while (before !== undefined && before.next !== entry) before = before.next
    if (before !== undefined) before.next = entry.next
    this.#bytes -= entry.prepared.weight
  }
}

function isSameQuestion(prepared: PreparedAnswer, packet: Uint8Array, end: number): boolean {
  if (prepared.questionEnd !== end) return false
  const bytes = prepared.bytes
  const nameEnd = end - 4
  for (let at = 12; at < nameEnd; at++) {
    if (bytes[at] !== foldOctet(packet[at] ?? 0)) return false
  }
  // Type and class are numbers: their octets have no case.
  for (let at = nameEnd; at < end; at++) if (bytes[at] !== packet[at]) return false
  return true
}
