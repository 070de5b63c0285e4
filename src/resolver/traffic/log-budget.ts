/** What may wait for the query log, in characters: about a second of a fast server. */
const waitingCharsMax = 4 * 1024 * 1024

const waitingAt = 0
const droppedAt = 1

/**
 * What all threads together may have on its way to the query log, in shared memory. Above it, lines are dropped and
 * counted, so a slow disk costs lines, and never memory or answers.
 */
export class LogBudget {
  readonly buffer: SharedArrayBuffer
  readonly #cells: Int32Array

  constructor(buffer = new SharedArrayBuffer(8)) {
    this.buffer = buffer
    this.#cells = new Int32Array(buffer)
  }

  /** False: the lines are dropped, and counted. */
  take(chars: number, lines: number): boolean {
    if (Atomics.load(this.#cells, waitingAt) + chars <= waitingCharsMax) {
      Atomics.add(this.#cells, waitingAt, chars)
      return true
    }
    this.drop(lines)
    return false
  }

  /** Lines are written, or given up. */
  giveBack(chars: number): void {
    Atomics.sub(this.#cells, waitingAt, chars)
  }

  drop(lines: number): void {
    Atomics.add(this.#cells, droppedAt, lines)
  }

  /** The lines that were dropped since the last {@link takeDropped}. */
  get dropped(): number {
    return Atomics.load(this.#cells, droppedAt)
  }

  /** The lines that were dropped since the last call. */
  takeDropped(): number {
    return Atomics.exchange(this.#cells, droppedAt, 0)
  }
}
