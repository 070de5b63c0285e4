/** So many samples apart the gap is looked at again. */
const adjustEvery = 64
/** A gap that no thread reaches in practice: nothing is sampled. */
const never = 0x3fff_ffff
const gapMax = 65_536

/**
 * Chooses packets for a sample: every n-th on average, by a countdown, so that the others cost one subtraction. The
 * gaps are random, because a client may repeat a pattern of queries: with equal gaps it could always miss one kind.
 */
export class Sampler {
  /** The average gap. Each sample stands for so many packets. */
  #every = 0
  #left = never
  #random: number
  readonly #perSecondMax: number
  #samples = 0
  #adjustedMs = 0

  /** `perSecondMax`: the gap grows when there would be more samples. Infinity: it stays as it is. */
  constructor(seed: number, perSecondMax = Infinity) {
    // Xorshift needs a state other than 0.
    this.#random = seed | 1
    this.#perSecondMax = perSecondMax
  }

  /** How many packets a sample stands for; 0: it is off. */
  get weight(): number {
    return this.#every
  }

  /** `every` 1: all packets; 0: none. */
  start(every: number, nowMs: number): void {
    this.#every = every
    this.#samples = 0
    this.#adjustedMs = nowMs
    this.#left = every === 0 ? never : this.#gap()
  }

  /** Counts a packet. True: it is in the sample, and {@link next} must be called. */
  count(): boolean {
    return --this.#left <= 0
  }

  /** Starts the next gap. False: sampling is off, and it was only the countdown that ended. */
  next(nowMs: number): boolean {
    const isOn = this.#every > 0
    if (isOn && ++this.#samples >= adjustEvery) this.adjust(nowMs)
    this.#left = isOn ? this.#gap() : never
    return isOn
  }

  /** Fits the gap to the rate of samples. Also to be called now and then: few queries make few samples. */
  adjust(nowMs: number): void {
    if (this.#every === 0 || this.#perSecondMax === Infinity) return
    const perSecond = (this.#samples * 1000) / Math.max(1, nowMs - this.#adjustedMs)
    this.#samples = 0
    this.#adjustedMs = nowMs
    const share = perSecond / this.#perSecondMax
    if (share <= 1 && share >= 0.25) return
    this.#every = Math.min(gapMax, Math.max(1, Math.ceil(this.#every * share)))
    this.#left = Math.min(this.#left, this.#gap())
  }

  /** From 1 to 2n - 1, so n on average. */
  #gap(): number {
    let random = this.#random
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    this.#random = random
    return 1 + ((random >>> 0) % (2 * this.#every - 1))
  }
}
