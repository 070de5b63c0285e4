const placesDefault = 8192

/**
 * Remembers recent questions by their hashes. Later questions overwrite earlier ones, which only affects
 * what is cached.
 */
export class Doorkeeper {
  readonly #seen: Int32Array

  /** `places`: a power of two. */
  constructor(places = placesDefault) {
    this.#seen = new Int32Array(places)
  }

  get places(): number {
    return this.#seen.length
  }

  get bytes(): number {
    return this.#seen.byteLength
  }

  /**
   * Whether a question with this hash was seen recently; remembers it either way. So an answer for one of
   * an unlimited number of names enters the cache only at its second query, and a flood of random names
   * leaves the cache unchanged.
   */
  knows(hash: number): boolean {
    const isKnown = this.has(hash)
    this.add(hash)
    return isKnown
  }

  has(hash: number): boolean {
    return this.#seen[hash & (this.#seen.length - 1)] === hash
  }

  add(hash: number): void {
    this.#seen[hash & (this.#seen.length - 1)] = hash
  }
}
