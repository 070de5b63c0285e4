import type { WarningKind, WarningLines } from './limited-warnings.ts'

const kind: WarningKind = {
  level: 'warn',
  rest: (count, seconds) =>
    `${count} more services were registered with a warning in the last ${seconds} s`,
}

const idsMax = 1000

/** Remembers which warnings were logged, because many clients register the same service repeatedly. */
export class SaidWarnings {
  readonly #last = new Map<string, string>()
  readonly #lines: WarningLines

  constructor(lines: WarningLines) {
    this.#lines = lines
  }

  /** Logs the warnings of a service unless they are the same as last time. */
  say(
    { id, name }: { readonly id: string; readonly name: string },
    warnings: readonly string[],
  ): void {
    if (!this.#isNew(id, warnings)) return
    const fields = { service: name, id, warnings }
    this.#lines.write(kind, () => ({ fields, message: 'a service was registered with a warning' }))
  }

  /** Whether `id` has warnings that differ from the last ones logged. */
  #isNew(id: string, warnings: readonly string[]): boolean {
    // The usual case: there is no warning, and there was none.
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
