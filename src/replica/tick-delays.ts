/** Upper bounds in seconds. */
const bounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1] as const
/** Those at most so late, those later than all bounds, and the sum. */
const cells = bounds.length + 2

/**
 * How late the replica's clock rings, in shared memory: it alone writes, any thread reads. A delay
 * here delays heartbeats and elections.
 */
export class TickDelays {
  static readonly bytes = cells * 8
  readonly #cells: Float64Array

  /** `offset` in octets, a multiple of eight. */
  constructor(buffer: SharedArrayBuffer, offset: number) {
    this.#cells = new Float64Array(buffer, offset, cells)
  }

  note(lateMs: number): void {
    const seconds = Math.max(0, lateMs) / 1000
    let at = 0
    while (at < bounds.length && seconds > (bounds[at] ?? 0)) at++
    this.#add(at, 1)
    this.#add(cells - 1, seconds)
  }

  /** As a histogram has it. */
  get figures() {
    const counted = [...this.#cells.subarray(0, cells - 1)]
    return {
      bounds,
      counts: counted.slice(0, bounds.length),
      count: counted.reduce((sum, count) => sum + count, 0),
      sum: this.#cells[cells - 1] ?? 0,
    }
  }

  #add(at: number, value: number): void {
    this.#cells[at] = (this.#cells[at] ?? 0) + value
  }
}
