import type { IpPrefixes } from '../../base/ip-prefixes.ts'

/** Where the IP address of a client stands: 4 or 16 octets from `at` on. */
export interface SourceAddress {
  readonly bytes: Uint8Array
  readonly at: number
  readonly length: number
}

export interface RateLimiterOptions {
  /** Shared by all threads that answer; see {@link newRateLimitMemory}. */
  readonly memory: SharedArrayBuffer
  /** Answers per second to the clients of one network. */
  readonly perSecond: number
  /** The networks whose clients have no limit. */
  readonly exempt: IpPrefixes
  /** Unguessable and the same for all threads; otherwise a client could choose networks that share a set. */
  readonly seed: number
}

/** The highest limit that can be counted. */
const perSecondMax = 1_000_000

/** The unit of time; 32 bits of it are 18 minutes. */
const ticksPerMs = 4000
const ticksPerSecond = ticksPerMs * 1000
/** The clocks of threads differ by the time that a batch of packets takes. */
const skewTicks = ticksPerSecond
const sweepMs = 60_000
/** Half of what 32 bits hold: beyond, the age of an entry cannot be told. */
const unknownMs = 2 ** 31 / ticksPerMs

const sets = 8192
/** The entries of a set: of two words each, they fill one line of the processor's cache. */
const ways = 8
const entryWords = 2
const setWords = ways * entryWords
const none = -1

/** Room for 65,536 networks: 512 KiB. */
export function newRateLimitMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(sets * setWords * 4)
}

/**
 * Limits the answers to each network: IPv4 by /24, IPv6 by /56. All threads share one table, so the limit
 * is the same however the system spreads a network's packets over the threads.
 *
 * An entry has the hash of its network, and the time until which the answers given so far are paid for,
 * at the rate of the limit (the generic cell rate algorithm). A network may have answers for one second in
 * advance. If a set of the table is full, a new network takes over the entry with the least debt, and its
 * debt: so a network never gets more than the limit, however many networks there are.
 */
export class RateLimiter {
  readonly #cells: Int32Array
  readonly #exempt: IpPrefixes
  readonly #seed: number
  /** The time that one answer costs. */
  readonly #cost: number
  /** With a larger debt, a network gets no answer. */
  readonly #debtAllowed: number
  /** A debt above this is so old that its clock has come round. */
  readonly #debtMax: number
  #now = 0
  #sweptMs = -Infinity

  constructor({ memory, perSecond, exempt, seed }: RateLimiterOptions) {
    this.#cells = new Int32Array(memory)
    this.#exempt = exempt
    this.#seed = seed | 0
    this.#cost = Math.ceil(ticksPerSecond / Math.min(perSecond, perSecondMax))
    this.#debtAllowed = ticksPerSecond - this.#cost
    this.#debtMax = ticksPerSecond + skewTicks
  }

  /** To be set before each batch of packets, to a monotonic clock that all threads share. */
  set nowMs(nowMs: number) {
    // As the 32 bits that remain: differences of times are right across the wrap.
    this.#now = (nowMs * ticksPerMs) | 0
    if (nowMs - this.#sweptMs >= sweepMs) this.#sweep(nowMs)
  }

  /** Whether the client may have an answer now; if so, it is counted. */
  take({ bytes, at, length }: SourceAddress): boolean {
    if (this.#exempt.contains(bytes, at, length)) return true
    const tag = this.#tagOf(bytes, at, length)
    const entry = this.#find(tag)
    return this.#charge((entry === none ? this.#claim(tag) : entry) + 1)
  }

  /** Whether {@link take} would say no. */
  isOver({ bytes, at, length }: SourceAddress): boolean {
    if (this.#exempt.contains(bytes, at, length)) return false
    const entry = this.#find(this.#tagOf(bytes, at, length))
    return entry !== none && this.#debtIn(entry + 1) > this.#debtAllowed
  }

  #tagOf(bytes: Uint8Array, at: number, length: number): number {
    let hash = this.#seed
    const end = at + (length === 4 ? 3 : 7)
    for (let each = at; each < end; each++) hash = Math.imul(hash ^ (bytes[each] ?? 0), 0x5bd1_e995)
    // IPv4 and IPv6 networks with the same first octets are different ones.
    hash = Math.imul(hash ^ length ^ (hash >>> 15), 0x85eb_ca6b)
    hash ^= hash >>> 13
    // 0 is an entry without a network.
    return hash === 0 ? 1 : hash
  }

  /** The place of the network's entry, or {@link none}. */
  #find(tag: number): number {
    const cells = this.#cells
    const first = firstOfSet(tag)
    const end = first + setWords
    for (let entry = first; entry < end; entry += entryWords) {
      if (cells[entry] === tag) return entry
    }
    return none
  }

  /** The place of the entry that a new network takes over. */
  #claim(tag: number): number {
    const cells = this.#cells
    const first = firstOfSet(tag)
    let chosen = first
    let least = Infinity
    for (let entry = first; entry < first + setWords; entry += entryWords) {
      const debt = cells[entry] === 0 ? -1 : this.#debtIn(entry + 1)
      if (debt >= least) continue
      chosen = entry
      least = debt
    }
    // Its time is of any age.
    if (least < 0) Atomics.store(cells, chosen + 1, this.#now)
    Atomics.store(cells, chosen, tag)
    return chosen
  }

  #debtIn(cell: number): number {
    const debt = ((this.#cells[cell] ?? 0) - this.#now) | 0
    return debt < 0 || debt > this.#debtMax ? 0 : debt
  }

  #charge(cell: number): boolean {
    const cells = this.#cells
    for (;;) {
      const paidUntil = cells[cell] ?? 0
      const debt = this.#debtIn(cell)
      if (debt > this.#debtAllowed) return false
      const next = (this.#now + debt + this.#cost) | 0
      // Another thread may have given an answer to the network in between.
      if (Atomics.compareExchange(cells, cell, paidUntil, next) === paidUntil) return true
    }
  }

  /** Frees the entries without a debt, before their age can no longer be told. */
  #sweep(nowMs: number): void {
    const isUnknown = nowMs - this.#sweptMs > unknownMs
    this.#sweptMs = nowMs
    const cells = this.#cells
    for (let entry = 0; entry < cells.length; entry += entryWords) {
      if (isUnknown || this.#debtIn(entry + 1) === 0) Atomics.store(cells, entry, 0)
    }
  }
}

/** Where the set of a network begins: 13 bits choose one of the sets. */
function firstOfSet(tag: number): number {
  return (Math.imul(tag, 0x9e37_79b1) >>> 19) * setWords
}
