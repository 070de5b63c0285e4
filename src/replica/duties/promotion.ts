import type { ConfChange } from '../../raft/membership.ts'
import type { Status } from '../../raft/status.ts'
import type { Duty } from './duty.ts'

export interface PromotionParts {
  /** Returns whether the core has taken it. */
  readonly changeMembers: (change: ConfChange) => boolean
}

/** Lets a server vote once it has caught up. One at a time: the core refuses a second change in flight. */
export class Promotion implements Duty {
  readonly #parts: PromotionParts

  constructor(parts: PromotionParts) {
    this.#parts = parts
  }

  check({ config, peers }: Status): void {
    const ready = peers.find(({ id, isCaughtUp, isActive }) => {
      return config.learners.includes(id) && isCaughtUp && isActive
    })
    if (ready !== undefined) this.#parts.changeMembers({ kind: 'promote', id: ready.id })
  }
}
