import type { Random } from '../base/random.ts'

/** A task with a deadline. Owned by one {@link Schedule}. */
export interface Deadline<T> {
  readonly value: T
  /** In the schedule's time; NaN while it is not set. */
  atMs: number
  /** Its position in the heap; −1 while it is not set. */
  position: number
}

/** A tick later than this means that the process was suspended, not that the timer was imprecise. */
const stallMs = 1000

/** The longest time between two ticks, from which stalls are measured. */
const tickMs = 1000

export function deadline<T>(value: T): Deadline<T> {
  return { value, atMs: Number.NaN, position: -1 }
}

/**
 * Deadlines in order (a binary heap), on a clock that stops while the process is suspended. If a tick
 * comes d > 1 s late, every deadline moves by d: services that sent heartbeats during that time must not
 * become critical. `nowMs` is monotonic time everywhere.
 */
export class Schedule<T> {
  readonly #heap: Deadline<T>[] = []
  #stalledMs = 0
  #expectedMs: number | undefined

  /** The schedule's own time: monotonic time less all stalls. */
  timeMs(nowMs: number): number {
    const lateMs = this.#expectedMs === undefined ? 0 : nowMs - this.#expectedMs
    if (lateMs > stallMs) {
      this.#stalledMs += lateMs
      this.#expectedMs = nowMs
    }
    return nowMs - this.#stalledMs
  }

  /** The total time by which deadlines have moved so far. */
  get stalledMs(): number {
    return this.#stalledMs
  }

  get size(): number {
    return this.#heap.length
  }

  /** Sets or moves a deadline; `atMs` is in the schedule's time. */
  set(item: Deadline<T>, atMs: number): void {
    item.atMs = atMs
    if (item.position === -1) {
      item.position = this.#heap.length
      this.#heap.push(item)
    }
    this.#up(item)
    this.#down(item)
  }

  clear(item: Deadline<T>): void {
    const { position } = item
    if (position === -1) return
    item.position = -1
    item.atMs = Number.NaN
    const last = this.#heap.pop()
    if (last === undefined || last === item) return
    this.#place(last, position)
    this.#up(last)
    this.#down(last)
  }

  /** Removes and returns what is due, earliest first. */
  takeDue(nowMs: number): T[] {
    const timeMs = this.timeMs(nowMs)
    const due: T[] = []
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.atMs > timeMs) break
      this.clear(first)
      due.push(first.value)
    }
    return due
  }

  /** How long to sleep before the next tick; a tick that comes much later counts as a stall. */
  sleepMs(nowMs: number): number {
    const timeMs = this.timeMs(nowMs)
    const first = this.#heap[0]
    const sleepMs = Math.max(
      0,
      Math.min(tickMs, first === undefined ? tickMs : first.atMs - timeMs),
    )
    this.#expectedMs = nowMs + sleepMs
    return sleepMs
  }

  #up(item: Deadline<T>): void {
    for (let at = item.position; at > 0;) {
      const above = (at - 1) >> 1
      const parent = this.#heap[above]
      if (parent === undefined || parent.atMs <= item.atMs) return
      this.#place(parent, at)
      this.#place(item, above)
      at = above
    }
  }

  #down(item: Deadline<T>): void {
    for (let at = item.position; ;) {
      const left = this.#heap[2 * at + 1]
      const right = this.#heap[2 * at + 2]
      const child =
        right !== undefined && left !== undefined && right.atMs < left.atMs ? right : left
      if (child === undefined || child.atMs >= item.atMs) return
      const below = child.position
      this.#place(child, at)
      this.#place(item, below)
      at = below
    }
  }

  #place(item: Deadline<T>, position: number): void {
    this.#heap[position] = item
    item.position = position
  }
}

/** The delay before the first probe of a check that existed before this process. */
export function firstProbeDelayMs(intervalMs: number, random: Random): number {
  return intervalMs * random()
}

/**
 * The delay from the start of one probe to the next. Up to a tenth early, so that checks that were
 * registered together drift apart; never late, so that a failure is seen within interval + timeout.
 */
export function nextProbeDelayMs(intervalMs: number, random: Random): number {
  return intervalMs * (1 - 0.1 * random())
}

const smallClusterNodes = 128

/**
 * The delay before an agent compares its node with the catalog again: up to `everyMs`, and longer in
 * large clusters, by Consul's rule of one step for each doubling beyond 128 nodes.
 */
export function reconcileDelayMs(everyMs: number, nodes: number, random: Random): number {
  const steps = Math.max(0, Math.ceil(Math.log2(Math.max(1, nodes) / smallClusterNodes)))
  return everyMs * (1 + steps) * (0.5 + 0.5 * random())
}
