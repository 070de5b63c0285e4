import { countedTypes } from '../../dns/responder-counters.ts'
import type { ResponderCounters } from '../../dns/responder-counters.ts'
import { heapBytes } from '../../process/thread-heaps.ts'

/** Seconds from when a packet was taken from the system until its answer was ready. */
export const latencyBounds = [
  0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.1,
] as const

/** What one thread has done with questions, in plain numbers. */
export interface DnsFigures {
  readonly queries: number
  readonly hits: number
  readonly misses: number
  readonly dropped: number
  readonly truncated: number
  readonly failures: number
  /** Answers that could not be sent, and errors of the sockets. */
  readonly socketErrors: number
  /** Questions that waited because their answers were not in the cache. */
  readonly deferred: number
  /** Questions that got no answer because too many waited so. */
  readonly overflowed: number
  readonly cacheEntries: number
  readonly cacheBytes: number
  /** What the heap of the thread takes. */
  readonly heapBytes: number
  readonly latencySum: number
  /** Answers from the cache of outside names, stale ones among them, and queries that were passed on. */
  readonly outsideHits: number
  readonly outsideStale: number
  readonly outsideMisses: number
  /** Queries over the limit of their network, and those of them that got a short answer. */
  readonly limited: number
  readonly slipped: number
  /** Server cookies that clients sent. */
  readonly cookiesValid: number
  readonly cookiesInvalid: number
  readonly rcodes: readonly number[]
  /** By the places of `countedTypes`. */
  readonly types: readonly number[]
  /** By the places of {@link latencyBounds}, then those above them all. */
  readonly latencies: readonly number[]
}

const scalars = 20
/** So many batches apart the size of the heap is looked at. */
const heapEvery = 256
const rcodesAt = scalars
const typesAt = rcodesAt + 16
const latenciesAt = typesAt + countedTypes.length
const total = latenciesAt + latencyBounds.length + 1

/**
 * The counters of one thread in shared memory: it alone writes them, without locks, and any thread
 * reads them. They continue where a failed thread left them.
 */
export class DnsCounters {
  readonly buffer: SharedArrayBuffer
  readonly #cells: Float64Array
  /** What a thread before this one had counted. */
  readonly #base: Float64Array
  #batches = 0

  constructor(buffer = new SharedArrayBuffer(total * 8)) {
    this.buffer = buffer
    this.#cells = new Float64Array(buffer)
    this.#base = Float64Array.from(this.#cells)
  }

  /** Counts answers that took so long. */
  observe(count: number, seconds: number): void {
    let at = 0
    while (at < latencyBounds.length && seconds > (latencyBounds[at] ?? 0)) at++
    this.#add(latenciesAt + at, count)
    this.#add(11, seconds * count)
  }

  /** To be called by the thread that writes them, now and then: after each batch. */
  publish(counters: ResponderCounters, sockets: SocketFigures, cache: CacheSize): void {
    this.#set(0, counters.queries)
    this.#set(1, counters.hits)
    this.#set(2, counters.misses)
    this.#set(3, counters.dropped)
    this.#set(4, counters.truncated)
    this.#set(5, counters.failures)
    this.#set(6, sockets.errors)
    this.#set(7, sockets.deferred)
    this.#set(8, sockets.overflowed)
    this.#cells[9] = cache.size
    this.#cells[10] = cache.bytes
    if (this.#batches++ % heapEvery === 0) this.#cells[12] = heapBytes()
    this.#set(13, counters.outsideHits)
    this.#set(14, counters.outsideStale)
    this.#set(15, counters.outsideMisses)
    this.#set(16, counters.limited)
    this.#set(17, counters.slipped)
    this.#set(18, counters.cookiesValid)
    this.#set(19, counters.cookiesInvalid)
    const { rcodes, types } = counters
    for (let at = 0; at < rcodes.length; at++) this.#set(rcodesAt + at, rcodes[at] ?? 0)
    for (let at = 0; at < types.length; at++) this.#set(typesAt + at, types[at] ?? 0)
  }

  read(): DnsFigures {
    const [queries = 0, hits = 0, misses = 0, dropped = 0, truncated = 0, failures = 0] =
      this.#cells
    const [socketErrors = 0, deferred = 0, overflowed = 0] = this.#cells.subarray(6)
    const [cacheEntries = 0, cacheBytes = 0, latencySum = 0, heap = 0] = this.#cells.subarray(9)
    const [outsideHits = 0, outsideStale = 0, outsideMisses = 0] = this.#cells.subarray(13)
    const [limited = 0, slipped = 0, cookiesValid = 0, cookiesInvalid = 0] =
      this.#cells.subarray(16)
    return {
      queries,
      hits,
      misses,
      dropped,
      truncated,
      failures,
      socketErrors,
      deferred,
      overflowed,
      cacheEntries,
      cacheBytes,
      heapBytes: heap,
      latencySum,
      outsideHits,
      outsideStale,
      outsideMisses,
      limited,
      slipped,
      cookiesValid,
      cookiesInvalid,
      rcodes: [...this.#cells.subarray(rcodesAt, typesAt)],
      types: [...this.#cells.subarray(typesAt, latenciesAt)],
      latencies: [...this.#cells.subarray(latenciesAt)],
    }
  }

  #set(at: number, value: number): void {
    this.#cells[at] = (this.#base[at] ?? 0) + value
  }

  #add(at: number, value: number): void {
    this.#cells[at] = (this.#cells[at] ?? 0) + value
  }
}

/** What the sockets tell. */
export interface SocketFigures {
  readonly errors: number
  readonly deferred: number
  readonly overflowed: number
}

interface CacheSize {
  readonly size: number
  readonly bytes: number
}
