import type { Index } from '../../raft/entry.ts'

interface Wait {
  readonly index: Index
  readonly deadlineMs: number
  readonly done: () => void
}

/** Waits until this server has applied an index: what a forwarded write is answered after. */
export class AppliedWaits {
  readonly #nowMs: () => number
  readonly #applied: () => Index
  #waits: Wait[] = []

  constructor(applied: () => Index, nowMs: () => number) {
    this.#applied = applied
    this.#nowMs = nowMs
  }

  /** Resolves when `index` is applied, or after `timeoutMs`: late is not lost. */
  wait(index: Index, timeoutMs: number): Promise<void> {
    if (this.#applied() >= index) return Promise.resolve()
    return new Promise((done) => {
      this.#waits.push({ index, deadlineMs: this.#nowMs() + timeoutMs, done })
    })
  }

  /** To be called after entries were applied, and every now and then for the time-outs. */
  check(): void {
    if (this.#waits.length === 0) return
    const applied = this.#applied()
    const nowMs = this.#nowMs()
    this.#waits = this.#waits.filter(({ index, deadlineMs, done }) => {
      if (applied < index && nowMs < deadlineMs) return true
      done()
      return false
    })
  }
}
