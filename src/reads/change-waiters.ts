import type { Wait } from '../ports/waits.ts'
import type { FamilyVersions, Versions } from '../state/machine/versions.ts'

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

/**
 * Blocking queries that wait for a subject to change; looked over after every batch applied. That costs
 * by what has changed, not by how many wait.
 */
export class ChangeWaiters {
  readonly #versions: Versions
  /** By the slot of their subject. */
  readonly #waiting = new Map<number, Set<Waiter>>()
  /** To be woken, in this order. */
  readonly #due = new Set<Waiter>()
  #head: number
  #isWaking = false

  constructor(versions: Versions) {
    this.#versions = versions
    this.#head = versions.head
  }

  /** Ends at a change of the subject of a family after `since`, or after `timeoutMs`. */
  wait(family: string, subject: string, since: number, timeoutMs: number): Wait {
    const versions = this.#versions.of(family)
    const slot = versions.slotOf(subject)
    const waiter = new Waiter(versions, slot, since, this)
    this.#listen()
    if (!versions.holds(slot, since)) waiter.end()
    else {
      const others = this.#waiting.get(slot)
      if (others === undefined) this.#waiting.set(slot, new Set([waiter]))
      else others.add(waiter)
      waiter.start(timeoutMs)
    }
    return waiter
  }

  /** How many wait. */
  get count(): number {
    let count = this.#due.size
    for (const waiters of this.#waiting.values()) count += waiters.size
    return count
  }

  /**
   * To be called after a batch was applied and its versions bumped. Without a waiter (`Versions.isAwaited`) it need
   * not be.
   */
  changed(): void {
    const head = this.#head
    this.#head = this.#versions.head
    // More than can be told, as after a restore: every slot is looked at.
    for (const slot of this.#versions.bumpedSince(head) ?? this.#waiting.keys()) this.#look(slot)
    if (!this.#isWaking) this.#wakeSome()
    if (this.#waiting.size === 0) this.#versions.isAwaited = false
  }

  /** Before a slot is looked at, so that its next change is heard of. */
  #listen(): void {
    if (this.#versions.isAwaited) return
    this.#versions.isAwaited = true
    // Earlier changes show in the slot itself.
    this.#head = this.#versions.head
  }

  /** A waiter has ended, by itself or because it was woken. */
  forget(waiter: Waiter): void {
    this.#due.delete(waiter)
    const others = this.#waiting.get(waiter.slot)
    if (others?.delete(waiter) === true && others.size === 0) this.#waiting.delete(waiter.slot)
  }

  #look(slot: number): void {
    const waiters = this.#waiting.get(slot)
    if (waiters === undefined) return
    for (const waiter of waiters) {
      if (waiter.holds) continue
      waiters.delete(waiter)
      this.#due.add(waiter)
    }
    if (waiters.size === 0) this.#waiting.delete(slot)
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
  readonly ended: Promise<void>
  readonly #versions: FamilyVersions
  readonly #since: number
  readonly #waiters: ChangeWaiters
  #resolve: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(versions: FamilyVersions, slot: number, since: number, waiters: ChangeWaiters) {
    this.slot = slot
    this.#versions = versions
    this.#since = since
    this.#waiters = waiters
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get holds(): boolean {
    return this.#versions.holds(this.slot, this.#since)
  }

  start(timeoutMs: number): void {
    const ms = timeoutMs < 10 * coarseMs ? timeoutMs : Math.ceil(timeoutMs / coarseMs) * coarseMs
    this.#timer = setTimeout(endOf, ms, this)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#waiters.forget(this)
    this.#resolve?.()
  }
}

function endOf(waiter: Waiter): void {
  waiter.end()
}
