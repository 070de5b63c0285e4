import type { Stamp } from './messages.ts'

/** A disk write that takes longer than the longest election timeout fails what waits for it. */
const stallMs = 1200

/** The replica cannot detect that its own disk hangs, because it hangs with it; its stamp can. */
export class DiskWatch {
  readonly #stamp: Stamp
  readonly #timer: NodeJS.Timeout
  #since: { readonly value: number; readonly atMs: number } | undefined

  /** `onStall` is called again and again for as long as a write is not finished. */
  constructor(stamp: Stamp, onStall: (forMs: number) => void) {
    this.#stamp = stamp
    this.#timer = setInterval(() => this.#look(onStall), stallMs / 4)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(onStall: (forMs: number) => void): void {
    const { value, writing } = this.#stamp
    const nowMs = performance.now()
    if (!writing || this.#since?.value !== value) {
      this.#since = writing ? { value, atMs: nowMs } : undefined
      return
    }
    const forMs = nowMs - this.#since.atMs
    if (forMs >= stallMs) onStall(forMs)
  }
}
