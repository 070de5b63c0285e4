import { randomFillSync } from 'node:crypto'

/** Fetched at a time: each call of the generator costs as much as a thousand octets. */
const poolBytes = 4096

/** Octets that cannot be guessed. Each is given out once. */
export class RandomOctets {
  readonly #pool = new Uint8Array(poolBytes)
  #at = poolBytes

  /** They hold until the next call. */
  take(count: number): Uint8Array {
    if (this.#at + count > poolBytes) {
      randomFillSync(this.#pool)
      this.#at = 0
    }
    this.#at += count
    return this.#pool.subarray(this.#at - count, this.#at)
  }
}
