import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import type { Worker } from 'node:worker_threads'

// The young generation of the main thread, which has no limit that could be set once the thread runs. But V8
// multiplies its size by a factor that it reads at each growth. While that is 1, it does not grow.

/** Of each of the two halves. */
const semiSpaceMb = 8
const bytesMax = 2 * semiSpaceMb * 1024 * 1024
const lookMs = 1000
/** A thread that collects more often than that in a second is busy enough to use a larger one. */
const busyCollections = 16
/** Of objects that are kept at the same time. Many survive a collection, and only then V8 lets it grow. */
const keptMax = 4096
/** A new thread has its heap by then. */
const configureHeapMs = 5

/**
 * Keeps the young generation of the main thread at 16 MB at most, and smaller while the thread is less
 * busy: with 8 MB, registrations at full speed are 9 % slower. To be called before the code of a node is
 * loaded, because loading it would make it that large, and before other threads are started. Returns
 * how to end it.
 */
export function boundYoungGeneration(): () => void {
  allowGrowth(false)
  let collections = 0
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length
  })
  let isObserved = false
  const look = (): void => {
    const mayGrow = bytes() < bytesMax
    if (mayGrow && collections >= busyCollections) growOnce()
    collections = 0
    // V8 shrinks it when the thread idles.
    if (mayGrow === isObserved) return
    isObserved = mayGrow
    if (mayGrow) observer.observe({ entryTypes: ['gc'] })
    else observer.disconnect()
  }
  look()
  const timer = setInterval(look, lookMs).unref()
  const forget = whileThreadsBegin(() => allowGrowth(false), true)
  return () => {
    clearInterval(timer)
    forget()
    observer.disconnect()
  }
}

/** Makes it grow by one step, now. If V8 did so at some later collection, it could grow by several. */
function growOnce(): void {
  const before = bytes()
  const kept: unknown[][] = []
  allowGrowth(true)
  // 8 KB each: many of them fill the generation twice, and less when it is nearly full of such objects.
  while (bytes() === before && kept.length < keptMax)
    kept.push(Array.from({ length: 1024 }, () => kept.length))
  allowGrowth(false)
}

/** What V8 has taken for both halves. */
function bytes(): number {
  return (
    getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0
  )
}

function allowGrowth(mayGrow: boolean): void {
  setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`)
}

/** For a thread that starts threads of its own. */
export function holdMainHeap(): void {
  whileThreadsBegin(() => allowGrowth(false))
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
