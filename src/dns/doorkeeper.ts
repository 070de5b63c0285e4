const places = 8192

/**
 * Remembers recent questions, so that an answer which clients can request under any number of new
 * names is kept only when it is requested again: a flood of random names leaves the cache as it is.
 * Later questions overwrite earlier ones; only the decision to keep depends on it.
 */
export class Doorkeeper {
  readonly #seen = new Int32Array(places)

  /** Whether a question of this hash was here lately; from now on it was. */
  knows(hash: number): boolean {
    const place = hash & (places - 1)
    if (this.#seen[place] === hash) return true
    this.#seen[place] = hash
    return false
  }
}
