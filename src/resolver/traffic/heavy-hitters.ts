/** A key with its count, which is too high by at most `error`. */
export interface Hitter {
  readonly key: string
  readonly count: number
  readonly error: number
}

interface Counter {
  count: number
  error: number
}

/**
 * The most frequent keys of a stream, in bounded memory: the Space-Saving algorithm (Metwally, Agrawal and
 * El Abbadi 2005, §3.1). A new key takes the place of the rarest one, with that one's count as its error. Each
 * key with more than 1/`keysMax` of the stream is in the list.
 */
export class HeavyHitters {
  readonly #keysMax: number
  readonly #counters = new Map<string, Counter>()

  constructor(keysMax: number) {
    this.#keysMax = keysMax
  }

  get size(): number {
    return this.#counters.size
  }

  add(key: string, weight: number): void {
    const known = this.#counters.get(key)
    if (known !== undefined) known.count += weight
    else if (this.#counters.size < this.#keysMax) {
      this.#counters.set(key, { count: weight, error: 0 })
    } else {
      const least = this.#removeLeast()
      this.#counters.set(key, { count: least + weight, error: least })
    }
  }

  list(): readonly Hitter[] {
    return [...this.#counters].map(([key, { count, error }]) => ({ key, count, error }))
  }

  /** Returns its count. The search is linear, which the bound on samples per second allows. */
  #removeLeast(): number {
    let rarest = ''
    let least = Infinity
    for (const [key, { count }] of this.#counters) {
      if (count >= least) continue
      least = count
      rarest = key
    }
    this.#counters.delete(rarest)
    return least
  }
}

/** The sum of several lists, most frequent first, at most `rowsMax` of them. */
export function mergeHitters(
  lists: readonly (readonly Hitter[])[],
  rowsMax: number,
): readonly Hitter[] {
  const sums = new Map<string, Counter>()
  for (const { key, count, error } of lists.flat()) {
    const sum = sums.get(key)
    if (sum === undefined) sums.set(key, { count, error })
    else {
      sum.count += count
      sum.error += error
    }
  }
  return [...sums]
    .map(([key, sum]) => ({ key, ...sum }))
    .toSorted((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
    .slice(0, rowsMax)
}
