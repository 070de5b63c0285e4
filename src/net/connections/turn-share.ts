const shareMs = 3

/** The share of each turn of the event loop that the clients of one port may use. */
export class TurnShare {
  /** 0 if nothing was used in this turn; otherwise when the share ends. */
  #endMs = 0
  #isScheduled = false
  readonly #waiting: (() => void)[] = []

  /** Begins the share of this turn, unless somebody has begun it. */
  get isOver(): boolean {
    if (this.#endMs > 0) return performance.now() > this.#endMs
    this.#endMs = performance.now() + shareMs
    this.#schedule()
    return false
  }

  /** Calls `resume` in a later turn. */
  later(resume: () => void): void {
    this.#waiting.push(resume)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#next())
  }

  #next(): void {
    this.#endMs = 0
    this.#isScheduled = false
    for (let left = this.#waiting.length; left > 0 && !this.isOver; left--) {
      this.#waiting.shift()?.()
    }
    // The others of a turn whose share is used up.
    if (this.#waiting.length > 0) this.#schedule()
  }
}
