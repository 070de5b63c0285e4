import type { Random } from '../base/random.ts'

export interface RetryQueueParts {
  readonly random: Random
  /** Tries once; a rejection means: again later. */
  readonly attempt: (key: string) => Promise<void>
  readonly delayMsMin: number
  readonly delayMsMax: number
}

/** How many attempts run at the same time. */
const width = 64

/**
 * Keys of tasks that have not succeeded yet. The state of a task is read when its turn comes, so
 * that the latest state wins. After a failure the whole queue waits, twice as long each time: the
 * cause of one failure (no leader, a full disk) makes the others fail too.
 */
export class RetryQueue {
  readonly #parts: RetryQueueParts
  readonly #keys = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined
  #delayMs: number
  /** Until the first round is asked for: before that, the state to propose is not complete. */
  #isHeld = true
  #stopped = false

  constructor(parts: RetryQueueParts) {
    this.#parts = parts
    this.#delayMs = parts.delayMsMin
  }

  get size(): number {
    return this.#keys.size
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  /** Has `key` attempted after a delay. */
  add(key: string): void {
    this.#keys.add(key)
    this.#arm()
  }

  delete(key: string): void {
    this.#keys.delete(key)
  }

  /**
   * Attempts all keys now, and from now on by itself. Resolves after the round; what failed in it
   * stays.
   */
  async runNow(): Promise<void> {
    this.#isHeld = false
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#round ??= this.#runRound().finally(() => {
      this.#round = undefined
      this.#arm()
    })
    await this.#round
  }

  /** Ends the timer and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#round
  }

  #arm(): void {
    if (this.#isHeld || this.#stopped || this.#keys.size === 0) return
    if (this.#timer !== undefined || this.#round !== undefined) return
    const delayMs = this.#delayMs * (0.5 + 0.5 * this.#parts.random())
    this.#timer = setTimeout(() => void this.runNow(), delayMs)
    this.#timer.unref()
  }

  async #runRound(): Promise<void> {
    const keys = [...this.#keys].values()
    let hasFailed = false
    const work = async (): Promise<void> => {
      for (const key of keys) {
        if (hasFailed || this.#stopped) return
        if (!this.#keys.delete(key)) continue
        try {
          await this.#parts.attempt(key)
        } catch {
          this.#keys.add(key)
          hasFailed = true
        }
      }
    }
    await Promise.all(Array.from({ length: width }, work))
    const { delayMsMin, delayMsMax } = this.#parts
    this.#delayMs = hasFailed ? Math.min(this.#delayMs * 2, delayMsMax) : delayMsMin
  }
}
