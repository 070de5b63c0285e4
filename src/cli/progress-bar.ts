const widthMax = 30
const everyMs = 100

/** Bytes done of bytes to do, drawn over itself on one line of a terminal. */
export class ProgressBar {
  readonly #label: string
  readonly #total: number
  readonly #draw: ((text: string) => void) | undefined
  #done = 0
  #drawnMs = -Infinity

  /** Without `draw` nothing is shown: for output that is not a terminal. */
  constructor(label: string, total: number, draw: ((text: string) => void) | undefined) {
    this.#label = label
    this.#total = total
    this.#draw = draw
  }

  add(bytes: number): void {
    // The bytes around the announced ones do not count.
    this.#done = Math.min(this.#total, this.#done + bytes)
    if (performance.now() - this.#drawnMs >= everyMs) this.#show()
  }

  /** Draws the final state, and ends the line. */
  end(): void {
    this.#show()
    this.#draw?.('\n')
  }

  #show(): void {
    this.#drawnMs = performance.now()
    const share = this.#total === 0 ? 1 : this.#done / this.#total
    const filled = Math.round(share * widthMax)
    const bar = '#'.repeat(filled).padEnd(widthMax, '-')
    const percent = String(Math.floor(share * 100)).padStart(3)
    const bytes = `${size(this.#done)} of ${size(this.#total)}`
    // Clears the rest of the line, because the previous text may have been longer.
    this.#draw?.(`\r${this.#label} [${bar}] ${percent}%  ${bytes}\u001b[K`)
  }
}

/** In the largest unit of 1024 that leaves at least 1. */
function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`
}
