import type { Status as RaftStatus } from '../../raft/status.ts'
import type { Term } from '../../raft/entry.ts'
import type { Duty } from './duty.ts'

export interface LeaderDutiesParts {
  readonly status: () => RaftStatus
  readonly nowMs: () => number
  /** In the order in which they are done. */
  readonly duties: readonly Duty[]
}

/** Runs the duties of a leader, and tells them when leadership begins and ends. */
export class LeaderDuties {
  readonly #parts: LeaderDutiesParts
  /** The term that this server leads, as the duties know it. */
  #term: Term | undefined

  constructor(parts: LeaderDutiesParts) {
    this.#parts = parts
  }

  /** To be called a few times a second; does nothing on a follower. */
  check(): void {
    const { status, nowMs, duties } = this.#parts
    const now = status()
    const atMs = nowMs()
    const term = now.role === 'leader' ? now.term : undefined
    // A server that leads another term has lost leadership in the meantime.
    if (term !== this.#term && this.#term !== undefined) for (const duty of duties) duty.ended?.()
    if (term !== this.#term && term !== undefined)
      for (const duty of duties) duty.started?.(now, atMs)
    this.#term = term
    if (term === undefined) return
    for (const duty of duties) duty.check(now, atMs)
  }
}
