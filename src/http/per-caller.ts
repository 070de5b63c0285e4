import type { Caller } from '../access/caller.ts'

/**
 * What clients share, by caller and key: one caller never gets what was made for another. With more than
 * `callersMax` callers, the values of the first one are dropped.
 */
export class PerCaller<V> {
  readonly #byCaller = new Map<Caller, Map<string, V>>()
  readonly #callersMax: number

  constructor(callersMax = Infinity) {
    this.#callersMax = callersMax
  }

  get(caller: Caller, key: string): V | undefined {
    return this.#byCaller.get(caller)?.get(key)
  }

  set(caller: Caller, key: string, value: V): void {
    const own = this.#byCaller.get(caller)
    if (own !== undefined) own.set(key, value)
    else {
      const [first] = this.#byCaller.keys()
      if (first !== undefined && this.#byCaller.size >= this.#callersMax)
        this.#byCaller.delete(first)
      this.#byCaller.set(caller, new Map([[key, value]]))
    }
  }

  /** Removes the value of a key, unless it has been replaced. */
  delete(caller: Caller, key: string, value: V): void {
    const own = this.#byCaller.get(caller)
    if (own?.get(key) !== value) return
    own.delete(key)
    if (own.size === 0) this.#byCaller.delete(caller)
  }

  get isEmpty(): boolean {
    return this.#byCaller.size === 0
  }

  clear(): void {
    this.#byCaller.clear()
  }

  *values(): Generator<V, void> {
    for (const own of this.#byCaller.values()) yield* own.values()
  }
}
