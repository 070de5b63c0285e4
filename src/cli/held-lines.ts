/** With more waiting lines than this, the log matters more than the banner. */
const linesMax = 1000
const isError = /^\S+ \[ERROR\]/

/**
 * The lines of the log while an agent starts: they wait until the banner is printed, as with Consul. They
 * wait for at most `holdMs`, and not after an error, because then the log matters more than the banner.
 */
export class HeldLines {
  readonly #out: (text: string) => void
  readonly #timer: NodeJS.Timeout
  #lines: string[] | undefined = []

  constructor(out: (text: string) => void, holdMs: number) {
    this.#out = out
    this.#timer = setTimeout(() => this.release(), holdMs).unref()
    process.once('exit', this.#onExit)
  }

  add(line: string): void {
    if (this.#lines === undefined) return this.#out(line)
    this.#lines.push(line)
    if (this.#lines.length > linesMax || isError.test(line)) this.release()
  }

  /** Prints `before` and the waiting lines in one piece; later lines are printed immediately. */
  release(before = ''): void {
    const text = [before, ...(this.#lines ?? [])].join('')
    this.#lines = undefined
    clearTimeout(this.#timer)
    process.off('exit', this.#onExit)
    if (text !== '') this.#out(text)
  }

  readonly #onExit = (): void => this.release()
}
