import type { Versions } from '../catalog/versions.ts'

interface Waiter {
  readonly slot: number
  readonly since: number
  readonly wake: () => void
}

/** Blocking queries that wait for a subject to change; looked over after every batch applied. */
export class ChangeWaiters {
  readonly #versions: Versions
  readonly #waiters = new Set<Waiter>()

  constructor(versions: Versions) {
    this.#versions = versions
  }

  /** Resolves at a change of the subject after `since`, after `timeoutMs`, or when aborted. */
  wait(subject: string, since: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const slot = this.#versions.slotOf(subject)
    if (signal.aborted || !this.#versions.holds(slot, since)) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        this.#waiters.delete(waiter)
        resolve()
      }
      const waiter = { slot, since, wake }
      const timer = setTimeout(wake, timeoutMs)
      signal.addEventListener('abort', wake)
      this.#waiters.add(waiter)
    })
  }

  /** To be called after a batch was applied and its versions bumped. */
  changed(): void {
    for (const waiter of this.#waiters) {
      if (!this.#versions.holds(waiter.slot, waiter.since)) waiter.wake()
    }
  }
}
