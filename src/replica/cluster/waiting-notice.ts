import type { Logger } from '../../base/log.ts'

const againMsMin = 60_000
const againMsMax = 15 * 60_000
/** Servers that come and go under new names must not fill the memory either. */
const problemsMax = 100

/**
 * What a server without a cluster waits for: one line when that changes. A problem that stays, or comes
 * and goes, is logged again after a minute, and then with increasing delays.
 */
export class WaitingNotice {
  readonly #logger: Logger
  readonly #nowMs: () => number
  /** When each problem is said again, and how long that was put off. */
  readonly #said = new Map<string, { readonly nextMs: number; readonly waitMs: number }>()

  constructor(logger: Logger, nowMs: () => number) {
    this.#logger = logger
    this.#nowMs = nowMs
  }

  say(problem: string): void {
    const nowMs = this.#nowMs()
    const before = this.#said.get(problem)
    if (before !== undefined && nowMs < before.nextMs) return
    const waitMs = before === undefined ? againMsMin : Math.min(before.waitMs * 2, againMsMax)
    if (this.#said.size >= problemsMax) this.#said.clear()
    this.#said.set(problem, { nextMs: nowMs + waitMs, waitMs })
    this.#logger.info({ problem }, 'waiting for the other servers')
  }
}
