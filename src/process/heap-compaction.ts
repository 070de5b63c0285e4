import { setFlagsFromString } from 'node:v8'
import { heapBytes } from './thread-heaps.ts'

// V8 keeps pages that are partly free: up to 12 MB for each thread of a server. A full collection that moves
// what is alive gives them back. Moving a small heap takes a few milliseconds, a heap of 100 MB 0.5 s. So it is
// done only while all heaps are small and do not grow.

/**
 * When nothing is moved, the heap of a thread under load takes up to 38 MB. It must be possible to switch moving on
 * again from there.
 */
const smallBytes = 48 * 1024 * 1024
/** From one look to the next. A request that fills memory grows by far more. */
const growthBytesMax = 4 * 1024 * 1024
const lookMs = 100
/** Without growth for so long, moving is switched on again. */
const calmMs = 5000

/** Whether full collections may move what is alive. */
export class CompactionSwitch {
  #isOn = false
  #before: readonly number[] = []
  #calmSinceMs: number | undefined

  get isOn(): boolean {
    return this.#isOn
  }

  /** Takes the bytes of the heap of each thread, in the same order each time. */
  look(heaps: readonly number[], nowMs: number): void {
    const before = this.#before
    this.#before = heaps
    const isCalm = heaps.every(
      (bytes, at) => bytes < smallBytes && bytes - (before[at] ?? bytes) < growthBytesMax,
    )
    if (!isCalm) this.#calmSinceMs = undefined
    else this.#calmSinceMs ??= nowMs
    this.#isOn = this.#calmSinceMs !== undefined && nowMs - this.#calmSinceMs >= calmMs
  }
}

/** `others`: bytes of the heaps of the other threads. Returns how to end it. */
export function compactSmallHeaps(others: () => readonly number[]): () => void {
  const compaction = new CompactionSwitch()
  const look = (): void => {
    const wasOn = compaction.isOn
    compaction.look([heapBytes(), ...others()], performance.now())
    if (compaction.isOn !== wasOn) compactAlways(compaction.isOn)
  }
  const looking = setInterval(look, lookMs).unref()
  return () => {
    clearInterval(looking)
    compactAlways(false)
  }
}

/** V8 reads this flag at each full collection, for all threads. */
function compactAlways(isOn: boolean): void {
  setFlagsFromString(isOn ? '--compact-on-every-full-gc' : '--no-compact-on-every-full-gc')
}
