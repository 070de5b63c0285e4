interface Timeout {
  readonly dueMs: number
  /** Undefined: it was cancelled. */
  call: (() => void) | undefined
}

/** Calls back later; returns how to cancel it. */
export type After = (delayMs: number, call: () => void) => () => void

/**
 * Time-outs without timers of the event loop, for a thread that blocks. All time-outs of one delay are due
 * in the order in which they were set, so each delay has a queue. There should be few different delays.
 */
export class Timeouts {
  readonly #nowMs: () => number
  readonly #queues = new Map<number, Timeout[]>()

  /** `nowMs`: a clock that never goes back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  readonly after: After = (delayMs, call) => {
    const timeout: Timeout = { dueMs: this.#nowMs() + delayMs, call }
    const queue = this.#queues.get(delayMs)
    if (queue === undefined) this.#queues.set(delayMs, [timeout])
    else queue.push(timeout)
    return () => {
      timeout.call = undefined
    }
  }

  /** When the next one is due; Infinity: there is none. */
  get dueMs(): number {
    let dueMs = Infinity
    for (const queue of this.#queues.values()) {
      dropCancelled(queue)
      dueMs = Math.min(dueMs, queue[0]?.dueMs ?? Infinity)
    }
    return dueMs
  }

  /** Calls what is due. */
  run(): void {
    const nowMs = this.#nowMs()
    for (const queue of this.#queues.values()) {
      for (;;) {
        dropCancelled(queue)
        const [first] = queue
        if (first === undefined || first.dueMs > nowMs) break
        queue.shift()
        first.call?.()
      }
    }
  }
}

function dropCancelled(queue: Timeout[]): void {
  let count = 0
  while (count < queue.length && queue[count]?.call === undefined) count++
  if (count > 0) queue.splice(0, count)
}
