const places = 8192

/**
 * Remembers recent questions, so that an answer for one of an unlimited number of names enters the
 * cache only at its second query: a flood of random names leaves the cache unchanged. Later questions
 * overwrite earlier ones, which only affects what is cached.
 */
export class Doorkeeper {
  readonly #seen = new Int32Array(places)

  /** Whether a question with this hash was seen recently; remembers it either way. */
  knows(hash: number): boolean {
    const place = hash & (places - 1)
    if (this.#seen[place] === hash) return true
    this.#seen[place] = hash
    return false
  }
}
