import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8'
import type { ResourceLimits, Worker } from 'node:worker_threads'
import { boundAllocator, trimAllocator } from '../net/allocator.ts'

// V8 lets the young generation of each thread grow to 32 MB, and on newer releases of Node to far more, in
// which nearly all is garbage. Three threads of a server under load held 100 MB so, and gained nothing.
// `npm run bench -- churn` shows what a server holds.

/** Of each of the two halves of a young generation. */
const semiSpaceMb = 2
/** Loading the code makes that of the main thread as large; on Node 22 and 24, twice as large. */
const mainSemiSpaceMb = 4
/**
 * Where a thread's first full collection is due; without it garbage gathers up to many times as much. From
 * then on V8 goes by what is alive.
 */
const oldMb = 16
/** An old generation may grow by so much over what is alive, but by 8 MB always, before it is collected. */
const growingPercent = 25
/** V8 counts the two halves and the large objects. */
const youngMb = 3 * semiSpaceMb
const lookMs = 1000
/** Threads that make snapshots leave holes. */
const trimMs = 60_000
/** A new thread has its heap by then. */
const configureHeapMs = 5

/** For every thread of a node. */
export const threadLimits: ResourceLimits = { maxYoungGenerationSizeMb: youngMb }

/**
 * Bounds the freed memory that the process keeps, and the young generation of the main thread. There is
 * no limit to set for that once the thread runs, but it grows by a factor that V8 reads at the end of each
 * collection. To be called before other threads are started. Returns how to end it.
 */
export function boundMemory(): () => void {
  boundAllocator()
  setFlagsFromString(`--min-semi-space-size=${semiSpaceMb}`)
  setFlagsFromString(`--initial-old-space-size=${oldMb}`)
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`)
  const trimming = setInterval(trimAllocator, trimMs).unref()
  const release = new YoungGeneration().bound()
  return () => {
    clearInterval(trimming)
    release()
  }
}

/** That of the main thread. */
class YoungGeneration {
  /** What may grow may double at each collection, and so is looked at after each. */
  readonly #collections = new PerformanceObserver(() => this.#look())
  #isWatched = false

  bound(): () => void {
    this.#look()
    // V8 shrinks what idles.
    const timer = setInterval(() => this.#look(), lookMs).unref()
    const forget = whileThreadsBegin(() => this.#look(), true)
    return () => {
      clearInterval(timer)
      forget()
      this.#collections.disconnect()
    }
  }

  #look(): void {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
    const mayGrow = (young?.space_size ?? 0) < 2 * mainSemiSpaceMb * 1024 * 1024
    allowGrowth(mayGrow)
    if (mayGrow === this.#isWatched) return
    this.#isWatched = mayGrow
    if (mayGrow) this.#collections.observe({ entryTypes: ['gc'] })
    else this.#collections.disconnect()
  }
}

/**
 * For a thread that starts threads of its own. When the young generation of the main thread may grow, its
 * next look allows it again.
 */
export function holdMainHeap(): void {
  whileThreadsBegin(() => allowGrowth(false))
}

function allowGrowth(mayGrow: boolean): void {
  setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`)
}

/**
 * Calls back every millisecond while a thread that this one has made begins, at some point of which V8 resets
 * the factor (Heap::ConfigureHeap). With `isMain` this thread first sleeps until that has most likely happened,
 * because a collection in between would let it grow; it starts few threads. Returns how to end it.
 */
function whileThreadsBegin(callback: () => void, isMain = false): () => void {
  const onWorker = (worker: Worker): void => {
    if (isMain) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, configureHeapMs)
    callback()
    const timer = setInterval(callback, 1)
    const end = (): void => {
      clearInterval(timer)
      callback()
    }
    worker.once('online', end).once('exit', end)
  }
  process.on('worker', onWorker)
  return () => process.off('worker', onWorker)
}

/** Bytes that the heap of this thread takes, used or not. */
export function heapBytes(): number {
  return getHeapStatistics().total_heap_size
}
