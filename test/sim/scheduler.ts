interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** Virtual time: events in order of their time, and of their making when that is the same. */
export class Scheduler {
  nowMs = 0
  count = 0
  readonly #heap: Event[] = []

  after(delayMs: number, run: () => void): void {
    this.#push({ atMs: this.nowMs + delayMs, order: this.count++, run })
  }

  /** Runs the next event if it is due before `untilMs`; otherwise the time becomes `untilMs`. */
  next(untilMs: number): boolean {
    const event = this.#heap[0]
    if (event === undefined || event.atMs > untilMs) {
      this.nowMs = untilMs
      return false
    }
    this.#pop()
    this.nowMs = event.atMs
    event.run()
    return true
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || isBefore(above, event)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      let below = heap[child]
      if (below === undefined) break
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, below)) {
        child++
        below = right
      }
      if (isBefore(last, below)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
