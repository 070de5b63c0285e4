import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import type { ResourceLimits } from 'node:worker_threads'
import { boundAllocator, trimAllocator } from './allocator.ts'

// V8 lets the young generation of each thread grow to 32 MB, and on newer releases of Node to far more, in
// which nearly all is garbage. Three threads of a server under load held 100 MB so, and gained nothing.
// `npm run bench -- churn` shows what a server holds.

/** Of each of the two halves of a young generation. */
const semiSpaceMb = 2
/**
 * Where a thread's first full collection is due; without it, garbage grows to many times that size. From
 * then on V8 goes by what is alive.
 */
const oldMb = 16
/** An old generation may grow by so much over what is alive, but by 8 MB always, before it is collected. */
const growingPercent = 25
/** V8 counts the two halves and the large objects. */
const youngMb = 3 * semiSpaceMb
/** Threads that make snapshots leave holes. */
const trimMs = 20_000
/** For every thread of a node. */
export const threadLimits: ResourceLimits = { maxYoungGenerationSizeMb: youngMb }

/**
 * Bounds the freed memory that the process keeps, and the heaps of its threads; for the young generation of the
 * main thread see young-generation.ts. To be called before other threads are started. Returns how to end it.
 */
export function boundMemory(): () => void {
  boundAllocator()
  setFlagsFromString(`--min-semi-space-size=${semiSpaceMb}`)
  setFlagsFromString(`--initial-old-space-size=${oldMb}`)
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`)
  // A young generation of a few megabytes, in which nearly all is garbage, is collected faster by one thread
  // than by several that must first be woken. On a busy machine the collection waited for them.
  setFlagsFromString('--no-parallel-scavenge')
  // After a stall in which many queries waited, V8 counts what they are made of as long-lived. It then makes all
  // such objects in the old generation: a full collection every 2 s, of 30 ms each.
  setFlagsFromString('--no-allocation-site-pretenuring')
  const trimming = setInterval(trimAllocator, trimMs).unref()
  return () => clearInterval(trimming)
}

/** Bytes that the heap of this thread takes, used or not. */
export function heapBytes(): number {
  return getHeapStatistics().total_heap_size
}
