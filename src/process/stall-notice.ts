import type { Logger } from '../base/log.ts'

export interface StallNoticeParts {
  readonly logger: Logger
  readonly nowMs: () => number
  /** The thread with this event loop. */
  readonly thread: 'main' | 'replica'
  /** The reaction to it, for the end of the line. */
  readonly remedy?: string
}

/** Shorter ones have no noticeable effect. */
const stallMsMin = 1000
const repeatMs = 60_000
const causes = '(machine overloaded, or process suspended)'

/**
 * Times during which a thread did nothing: the first one is logged immediately, and all that follow
 * within a minute together, with their number and the worst.
 */
export class StallNotice {
  readonly #parts: StallNoticeParts
  #saidMs = -Infinity
  #times = 0
  #worstMs = 0

  constructor(parts: StallNoticeParts) {
    this.#parts = parts
  }

  note(stalledMs: number): void {
    if (stalledMs < stallMsMin) return
    this.#times++
    this.#worstMs = Math.max(this.#worstMs, Math.round(stalledMs))
    this.check()
  }

  /** To be called now and then: says what has gathered, when it is time. */
  check(): void {
    if (this.#times === 0) return
    const { logger, nowMs, thread, remedy } = this.#parts
    const now = nowMs()
    if (now - this.#saidMs < repeatMs) return
    this.#saidMs = now
    const [times, worstMs] = [this.#times, this.#worstMs]
    this.#times = this.#worstMs = 0
    const what = times === 1 ? `for ${worstMs} ms` : `${times} times, at worst for ${worstMs} ms`
    const text = `event loop blocked ${what} ${causes}${remedy === undefined ? '' : `; ${remedy}`}`
    logger.warn({ thread, times, worstMs }, text)
  }
}
