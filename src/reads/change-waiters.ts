import type { Wait } from '../ports/waits.ts'
import type { Versions } from '../state/machine/versions.ts'

/**
 * How many are woken before others get their turn: each reads and answers immediately, in some 50
 * µs.
 */
const batch = 32
/**
 * Long times are rounded up to this: timers of one time share a list, and ten thousand waits of
 * random times would have one each.
 */
const coarseMs = 256

/** Blocking queries that wait for a subject to change; looked over after every batch applied. */
export class ChangeWaiters {
  readonly #versions: Versions
  readonly #waiting = new Set<Waiter>()
  /** To be woken, in this order. */
  readonly #due = new Set<Waiter>()
  #isWaking = false

  constructor(versions: Versions) {
    this.#versions = versions
  }

  /** Ends at a change of the subject after `since`, or after `timeoutMs`. */
  wait(subject: string, since: number, timeoutMs: number): Wait {
    const slot = this.#versions.slotOf(subject)
    const waiter = new Waiter(slot, since, this.#waiting, this.#due)
    if (this.#versions.holds(slot, since)) waiter.start(timeoutMs)
    else waiter.end()
    return waiter
  }

  /** How many wait. */
  get count(): number {
    return this.#waiting.size + this.#due.size
  }

  /** To be called after a batch was applied and its versions bumped. */
  changed(): void {
    for (const waiter of this.#waiting) {
      if (this.#versions.holds(waiter.slot, waiter.since)) continue
      this.#waiting.delete(waiter)
      this.#due.add(waiter)
    }
    if (!this.#isWaking) this.#wakeSome()
  }

  #wakeSome(): void {
    let woken = 0
    for (const waiter of this.#due) {
      waiter.end()
      if (++woken === batch) break
    }
    this.#isWaking = this.#due.size > 0
    if (this.#isWaking) setImmediate(() => this.#wakeSome())
  }
}

/** One object each, because there may be ten thousand. */
class Waiter implements Wait {
  readonly slot: number
  readonly since: number
  readonly ended: Promise<void>
  readonly #waiting: Set<Waiter>
  readonly #due: Set<Waiter>
  #resolve: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(slot: number, since: number, waiting: Set<Waiter>, due: Set<Waiter>) {
    this.slot = slot
    this.since = since
    this.#waiting = waiting
    this.#due = due
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  start(timeoutMs: number): void {
    const ms = timeoutMs < 10 * coarseMs ? timeoutMs : Math.ceil(timeoutMs / coarseMs) * coarseMs
    this.#timer = setTimeout(endOf, ms, this)
    this.#waiting.add(this)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#waiting.delete(this)
    this.#due.delete(this)
    this.#resolve?.()
  }
}

function endOf(waiter: Waiter): void {
  waiter.end()
}
