/** Deaths within a minute after which a restart will not help. */
const deathsMax = 5
const deathWindowMs = 60_000

/** Counts the deaths of the threads that share it. */
export class DeathCount {
  #atMs: number[] = []

  /** Counts one; returns how many there were within the last minute if they are too many. */
  tooMany(nowMs: number): number | undefined {
    this.#atMs = [...this.#atMs.filter((atMs) => nowMs - atMs < deathWindowMs), nowMs]
    return this.#atMs.length > deathsMax ? this.#atMs.length : undefined
  }
}
