import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8'
import type { ResourceLimits } from 'node:worker_threads'

// V8 lets the young generation of each thread grow to 32 MB, and on newer releases of Node to far more, in
// which nearly all is garbage. Three threads of a server under load held 100 MB so, and gained nothing.

/** Of each of the two halves of a young generation. */
const semiSpaceMb = 4
/**
 * Where a thread's first full collection is due; without it garbage gathers up to many times as much. From
 * then on V8 goes by what is alive.
 */
const oldMb = 16
/** V8 counts the two halves and the large objects. */
const youngMb = 3 * semiSpaceMb
const lookMs = 1000

/** For every thread of a node. */
export const threadLimits: ResourceLimits = { maxYoungGenerationSizeMb: youngMb }

/**
 * Keeps the young generation of the main thread to the same size: there is no limit to set once it runs,
 * but it grows by a factor that is read whenever it would. To be called before other threads are started,
 * which begin with the size that they may have and so do not depend on the factor. Returns how to end it.
 */
export function boundMainHeap(): () => void {
  setFlagsFromString(`--min-semi-space-size=${semiSpaceMb}`)
  setFlagsFromString(`--initial-old-space-size=${oldMb}`)
  let mayGrow = true
  const look = (): void => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
    const isSmall = (young?.space_size ?? 0) < 2 * semiSpaceMb * 1024 * 1024
    if (isSmall === mayGrow) return
    mayGrow = isSmall
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`)
  }
  const timer = setInterval(look, lookMs).unref()
  return () => clearInterval(timer)
}

/** Bytes that the heap of this thread takes, used or not. */
export function heapBytes(): number {
  return getHeapStatistics().total_heap_size
}
