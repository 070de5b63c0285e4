/** Without messages for so long, a server has time to move its WALs into their files. */
const quietMs = 500
/** Under a load that never pauses it does so after this time. */
const lateMsMax = 4000

/** When the replica thread tidies: not between two writes of a burst, which would write the same pages again. */
export class TidyTime {
  /** The first message since it was last tidied. */
  #sinceMs: number | undefined
  #lastMs = 0

  /** A message has come, which may have written something. */
  touched(nowMs: number): void {
    this.#sinceMs ??= nowMs
    this.#lastMs = nowMs
  }

  tidied(): void {
    this.#sinceMs = undefined
  }

  /** 0: it is due. Infinity: nothing was written since. */
  waitMs(nowMs: number): number {
    if (this.#sinceMs === undefined) return Infinity
    const dueMs = Math.min(this.#lastMs + quietMs, this.#sinceMs + lateMsMax)
    return Math.max(0, dueMs - nowMs)
  }
}
