/** How many things of one sort each client has under way. Memory is bounded by what is under way. */
export class CallerCounts {
  readonly #counts = new Map<string, number>()

  /** Counts one more of `who` and returns what ends it, to be called once; undefined: it has `max` already. */
  begin(who: string, max: number): (() => void) | undefined {
    const count = this.#counts.get(who) ?? 0
    if (count >= max) return undefined
    this.#counts.set(who, count + 1)
    return () => this.#end(who)
  }

  /** How many clients have something under way. */
  get size(): number {
    return this.#counts.size
  }

  #end(who: string): void {
    const count = (this.#counts.get(who) ?? 1) - 1
    if (count === 0) this.#counts.delete(who)
    else this.#counts.set(who, count)
  }
}
