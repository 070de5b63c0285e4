const idsMax = 1000

/** Which warnings the log has already: many clients register the same service again and again. */
export class SaidWarnings {
  readonly #last = new Map<string, string>()

  /** Whether there is something to say of `id` that was not said of it last. */
  isNew(id: string, warnings: readonly string[]): boolean {
    // Of nearly all there is nothing to say, and nothing was.
    if (warnings.length === 0 && this.#last.size === 0) return false
    const text = warnings.join('\n')
    const isNew = text !== '' && this.#last.get(id) !== text
    this.#last.delete(id)
    if (text !== '') this.#last.set(id, text)
    const [oldest] = this.#last.keys()
    if (this.#last.size > idsMax && oldest !== undefined) this.#last.delete(oldest)
    return isNew
  }
}
