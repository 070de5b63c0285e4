const places = 8192

/**
 * Remembers what was asked lately, so that an answer which anybody can ask for under ever new names
 * is kept only when it is asked for again: a flood of random names leaves the cache as it is. What
 * was remembered is overwritten by what comes later; nothing depends on it but what is kept.
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
