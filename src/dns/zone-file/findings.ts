const shownMax = 100

/** Errors and warnings of a zone file, by file and line; at most the first hundred of each. */
export class Findings {
  readonly #faults: Finding[] = []
  readonly #warnings: Finding[] = []
  #unsaidWarnings = 0

  fault(file: string, line: number, reason: string): void {
    if (!this.areTooMany) this.#faults.push({ file, line, reason })
  }

  warn(file: string, line: number, reason: string): void {
    if (this.#warnings.length < shownMax) this.#warnings.push({ file, line, reason })
    else this.#unsaidWarnings++
  }

  get hasFaults(): boolean {
    return this.#faults.length > 0
  }

  /** So many errors that the file is probably not a zone file at all. */
  get areTooMany(): boolean {
    return this.#faults.length >= shownMax
  }

  get faults(): readonly string[] {
    return sorted(this.#faults)
  }

  get warnings(): readonly string[] {
    const texts = sorted(this.#warnings)
    return this.#unsaidWarnings === 0 ? texts : [...texts, `and ${this.#unsaidWarnings} more`]
  }
}

interface Finding {
  readonly file: string
  readonly line: number
  readonly reason: string
}

function sorted(findings: readonly Finding[]): readonly string[] {
  const files = [...new Set(findings.map(({ file }) => file))]
  const order = (a: Finding, b: Finding): number =>
    files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line
  return findings.toSorted(order).map(({ file, line, reason }) => `${file}:${line}: ${reason}`)
}
