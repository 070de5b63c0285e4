import type { Logger } from '../../base/log.ts'
import type { NodeId } from '../../raft/entry.ts'

/** What a member says of another server (request `membership`). */
export interface Membership {
  readonly isMember: boolean
  /** It knows what it says: a leader is there. */
  readonly hasLeader: boolean
}

export interface RemovalNoticeParts {
  readonly self: NodeId
  readonly hasLeader: () => boolean
  /** The other members, as this server knows them. */
  readonly others: () => readonly NodeId[]
  readonly ask: (member: NodeId) => Promise<Membership>
  readonly logger: Logger
}

/** Asks go out when there has been no leader for so many checks. */
const patience = 20

/**
 * A removed server gets no messages, because no member sends to it: it has to ask why. Without this
 * it would wait for a leader without end and log nothing.
 */
export class RemovalNotice {
  readonly #parts: RemovalNoticeParts
  #leaderless = 0

  constructor(parts: RemovalNoticeParts) {
    this.#parts = parts
  }

  /** To be called a few times a second. */
  check(): void {
    const { hasLeader, others } = this.#parts
    this.#leaderless = hasLeader() ? 0 : this.#leaderless + 1
    if (this.#leaderless === 0 || this.#leaderless % patience !== 0) return
    for (const member of others()) void this.#ask(member)
  }

  async #ask(member: NodeId): Promise<void> {
    const { self, ask, logger, hasLeader } = this.#parts
    try {
      const { isMember, hasLeader: isSure } = await ask(member)
      if (isMember || !isSure || hasLeader()) return
      logger.error(
        { id: self, by: member },
        'this server was removed from its cluster, and its ID cannot be used again: stop it, empty its data directory, and start it with -retry-join so that it joins as a new server',
      )
    } catch {
      // That one cannot be reached, which says nothing about this one.
    }
  }
}
