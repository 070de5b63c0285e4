export interface Rate {
  /** More than 0. */
  readonly perSecond: number
  /** At least 1: this many may come at the same time. */
  readonly burst: number
}

/** So many keys are remembered at most, about 8 MB. */
export const keysMax = 50_000

/**
 * A token bucket for each key, in bounded memory: a bucket is one number, the time at which it is full again (the
 * Generic Cell Rate Algorithm, ITU-T I.371). A key that is forgotten starts with a full bucket. Keys that have been
 * idle longest are forgotten first, and their buckets are full first.
 */
export class TokenBuckets {
  readonly #rate: Rate
  readonly #keysMax: number
  readonly #fullAt = new Map<string, number>()

  constructor(rate: Rate, max = keysMax) {
    this.#rate = rate
    this.#keysMax = max
  }

  get size(): number {
    return this.#fullAt.size
  }

  /** Takes a token; returns in how many milliseconds there is one again, or 0 if there was one. */
  take(key: string, nowMs: number): number {
    const waitMs = this.waitMs(key, nowMs)
    const before = this.#fullAt.get(key) ?? 0
    const fullAt = waitMs > 0 ? before : Math.max(nowMs, before) + this.#tokenMs
    // Behind all others: the oldest keys stand in front.
    this.#fullAt.delete(key)
    this.#fullAt.set(key, fullAt)
    if (this.#fullAt.size > this.#keysMax) this.#forgetOldest()
    return waitMs
  }

  /** In how many milliseconds there is a token; 0 for now. */
  waitMs(key: string, nowMs: number): number {
    const fullAt = this.#fullAt.get(key)
    if (fullAt === undefined) return 0
    const waitMs = fullAt - nowMs - (this.#rate.burst - 1) * this.#tokenMs
    // Sums of fractions are not exact.
    return waitMs < 1e-6 ? 0 : waitMs
  }

  get #tokenMs(): number {
    return 1000 / this.#rate.perSecond
  }

  #forgetOldest(): void {
    const oldest = this.#fullAt.keys().next()
    if (oldest.done !== true) this.#fullAt.delete(oldest.value)
  }
}
