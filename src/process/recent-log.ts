const linesMax = 1000
const lineLengthMax = 2000

/** The last lines of the log, for the diagnosis of a running agent. */
export class RecentLog {
  readonly #lines: string[] = []
  #next = 0

  add(line: string): void {
    this.#lines[this.#next] = line.trimEnd().slice(0, lineLengthMax)
    this.#next = (this.#next + 1) % linesMax
  }

  /** Oldest first. */
  lines(): readonly string[] {
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)]
  }
}
