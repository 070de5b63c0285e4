import { ticksDue } from '../raft/ticks.ts'

export interface TickerParts {
  readonly tickMs: number
  readonly electionTicks: number
  readonly nowMs: () => number
  readonly onTicks: (count: number) => void
  /** The timer rang so long after it was due. */
  readonly onTimer: (lateMs: number) => void
  /** The event loop, or the whole machine, was stopped for so long. */
  readonly onStall: (elapsedMs: number) => void
}

/**
 * Turns time into ticks. After a stall the sockets are drained first, for two turns of the event
 * loop, and only some of the ticks are delivered. A follower must read the heartbeats that wait for
 * it before it may campaign. A leader must read the answers before it judges its quorum.
 */
export class Ticker {
  readonly #parts: TickerParts
  readonly #timer: NodeJS.Timeout
  #lastMs: number
  #dueMs: number
  #isDraining = false
  #isStopped = false

  constructor(parts: TickerParts) {
    this.#parts = parts
    this.#lastMs = parts.nowMs()
    this.#dueMs = this.#lastMs + parts.tickMs / 2
    this.#timer = setInterval(() => this.#onTimer(), parts.tickMs / 2)
  }

  /** Nothing ticks after it: what ticks would touch may be closed. */
  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  #onTimer(): void {
    const now = this.#parts.nowMs()
    this.#parts.onTimer(now - this.#dueMs)
    this.#dueMs = now + this.#parts.tickMs / 2
    if (this.#isDraining) return
    const { tickMs, electionTicks, nowMs, onTicks, onStall } = this.#parts
    const elapsedMs = nowMs() - this.#lastMs
    const count = ticksDue({ elapsedMs, tickMs, electionTicks })
    if (count === 0) return
    if (elapsedMs <= 2 * tickMs + tickMs) {
      // The rest of a tick counts towards the next one.
      this.#lastMs += count * tickMs
      onTicks(count)
      return
    }
    this.#isDraining = true
    if (elapsedMs > 4 * tickMs) onStall(elapsedMs)
    setImmediate(() =>
      setImmediate(() => {
        if (this.#isStopped) return
        this.#isDraining = false
        this.#lastMs = nowMs()
        onTicks(count)
      }),
    )
  }
}
