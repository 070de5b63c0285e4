// The cache of outside answers is one piece of shared memory. One thread at a time writes it (`cache-writer.ts`),
// and any number of threads read it without locks (`cache-reader.ts`): a log of entries that overwrites its oldest
// part, and a table of places that finds entries by the hash of their question.

/** What a thread needs to use the cache. */
export interface CacheHandle {
  readonly memory: SharedArrayBuffer
  /** Unguessable, so that a client cannot choose questions that share a bucket. */
  readonly seed: number
}

/** Positions in the log count units of so many octets, so that 32 bits suffice for a while. */
export const unitBytes = 16
/** Entries that share a place of the table. */
export const ways = 8
/** The table has one place for so many octets of the log. */
const placeBytes = 128

const cells = { head: 0, epoch: 1, entries: 2, queued: 3, tail: 4, writer: 5 } as const
const noWriter = 0
const cellsBytes = 64

/** Offsets of the fields of an entry in 32-bit words. Marks and message follow. */
export const field = {
  /** Octets of the whole entry. */
  size: 0,
  hash: 1,
  /** How often it was used. Threads may lose counts. */
  used: 2,
  epoch: 3,
  /** A float of 64 bits: when it was stored, on the clock that all threads share. */
  storedMs: 4,
  lifetime: 6,
  /** Bit 0: stale. Above 16 bits: an extended error. */
  state: 7,
  length: 8,
  records: 9,
  flags: 10,
  /** Somebody has asked to have it refreshed. */
  refreshed: 11,
  /** A float of 64 bits: when the upstream server said so. A stale answer is stored again and again. */
  originMs: 12,
} as const

export const entryHeaderBytes = 64

/** The memory as typed arrays. */
export class CacheMemory {
  readonly seed: number
  readonly bytes: Uint8Array
  readonly halves: Uint16Array
  readonly words: Int32Array
  readonly floats: Float64Array
  /** The positions of entries; 0: none. */
  readonly places: Int32Array
  /** Of the log. */
  readonly units: number
  readonly #cells: Int32Array

  constructor({ memory, seed }: CacheHandle) {
    this.seed = seed
    const { logBytes } = split(memory.byteLength)
    this.bytes = new Uint8Array(memory, 0, logBytes)
    this.halves = new Uint16Array(memory, 0, logBytes >> 1)
    this.words = new Int32Array(memory, 0, logBytes >> 2)
    this.floats = new Float64Array(memory, 0, logBytes >> 3)
    this.places = new Int32Array(memory, logBytes, logBytes / placeBytes)
    this.#cells = new Int32Array(memory, memory.byteLength - cellsBytes, cellsBytes >> 2)
    this.units = logBytes / unitBytes
  }

  /** Everything before this position may be written at any time, unless it is within the last {@link units}. */
  get head(): number {
    // A read-modify-write, so that no read of an entry can move behind it.
    return Atomics.add(this.#cells, cells.head, 0) >>> 0
  }

  set head(position: number) {
    Atomics.store(this.#cells, cells.head, position | 0)
  }

  /** Where the oldest entry that is still there begins. For the writer only. */
  get tail(): number {
    return (this.#cells[cells.tail] ?? 0) >>> 0
  }

  set tail(position: number) {
    this.#cells[cells.tail] = position | 0
  }

  /** Makes this thread the only writer. `writer` is its number, and not 0. Returns false if another thread writes. */
  tryLock(writer: number): boolean {
    return Atomics.compareExchange(this.#cells, cells.writer, noWriter, writer) === noWriter
  }

  unlock(): void {
    Atomics.store(this.#cells, cells.writer, noWriter)
  }

  /** A thread has died. If it was writing, an entry may be half written: the log then begins behind it. */
  noteDeath(writer: number): void {
    if (Atomics.load(this.#cells, cells.writer) !== writer) return
    this.places.fill(0)
    this.entries = 0
    this.tail = this.head
    this.unlock()
  }

  /** Entries of an earlier epoch are void. */
  get epoch(): number {
    return Atomics.load(this.#cells, cells.epoch)
  }

  nextEpoch(): void {
    Atomics.add(this.#cells, cells.epoch, 1)
  }

  get entries(): number {
    return Atomics.load(this.#cells, cells.entries)
  }

  set entries(count: number) {
    Atomics.store(this.#cells, cells.entries, count)
  }

  /** Queries that were sent to the thread that writes, and that it has not taken yet. */
  get queued(): number {
    return Atomics.load(this.#cells, cells.queued)
  }

  /** `count` is negative for those that it has taken. */
  addQueued(count: number): void {
    Atomics.add(this.#cells, cells.queued, count)
  }

  /** Whether what began at a position is still there. */
  isThere(position: number): boolean {
    return position !== 0 && (this.head - position) >>> 0 <= this.units
  }

  /** The offset in octets of a position. */
  offsetOf(position: number): number {
    return (position & (this.units - 1)) * unitBytes
  }

  /** The first place of the bucket of a hash. */
  bucketOf(hash: number): number {
    return (hash & (this.places.length / ways - 1)) * ways
  }
}

/** A new cache. Its log takes the largest power of two of octets up to `bytesMax`; the table is small. */
export function newCache(bytesMax: number, seed: number): CacheHandle {
  const logBytes = 2 ** Math.floor(Math.log2(bytesMax))
  const memory = new SharedArrayBuffer(logBytes * (1 + 4 / placeBytes) + cellsBytes)
  const cache = new CacheMemory({ memory, seed })
  // Position 0 stands for none.
  cache.tail = cache.head = 1
  return { memory, seed }
}

function split(memoryBytes: number): { logBytes: number } {
  return { logBytes: (memoryBytes - cellsBytes) / (1 + 4 / placeBytes) }
}
