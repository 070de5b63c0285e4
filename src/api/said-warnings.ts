/** Lines of the log that are bounded: beyond some in a time they are counted. */
export interface WarningLines {
  write(kind: WarningKind, line: () => { readonly fields: object; readonly message: string }): void
}

interface WarningKind {
  readonly level: 'warn'
  readonly rest: (count: number, seconds: number) => string
}

const kind: WarningKind = {
  level: 'warn',
  rest: (count, seconds) =>
    `${count} more services were registered with a warning in the last ${seconds} s`,
}

const idsMax = 1000

/** Which warnings the log has already: many clients register the same service again and again. */
export class SaidWarnings {
  readonly #last = new Map<string, string>()
  readonly #lines: WarningLines

  constructor(lines: WarningLines) {
    this.#lines = lines
  }

  /** Writes what was not said of this service last. */
  say(
    { id, name }: { readonly id: string; readonly name: string },
    warnings: readonly string[],
  ): void {
    if (!this.#isNew(id, warnings)) return
    const fields = { service: name, id, warnings }
    this.#lines.write(kind, () => ({ fields, message: 'a service was registered with a warning' }))
  }

  /** Whether there is something to say of `id` that was not said of it last. */
  #isNew(id: string, warnings: readonly string[]): boolean {
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
