import type { Logger } from '../../base/log.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { ClusterStatus } from '../messages.ts'

type Seen = Pick<ClusterStatus, 'role' | 'term' | 'leader' | 'servers'>

/** Logs who leads and, when this server lost leadership, the reason. */
export class LeadershipNotice {
  readonly #self: NodeId
  readonly #logger: Logger
  #last: Seen = { role: 'follower', term: 0, leader: undefined, servers: [] }

  constructor(self: NodeId, logger: Logger) {
    this.#self = self
    this.#logger = logger
  }

  /** To be called with every status, in order. */
  update(now: Seen): void {
    const last = this.#last
    this.#last = now
    if (last.role === 'leader' && (now.role !== 'leader' || now.term !== last.term)) {
      this.#logger.warn({ term: now.term }, `this server lost leadership: ${this.#why(last, now)}`)
    } else if (last.leader !== undefined && now.leader === undefined) {
      this.#logger.warn(
        { term: now.term },
        'lost contact with the leader; writes wait for a new one',
      )
    }
    const leader = now.leader?.id
    if (leader === undefined || (leader === last.leader?.id && now.term === last.term)) return
    const { term } = now
    if (leader === this.#self) this.#logger.info({ term }, 'this server leads the cluster')
    else this.#logger.info({ term, leader }, `new leader: ${now.leader?.address || leader}`)
  }

  /** The core gives up the lead of a term only when it can no longer vouch for it (thesis §6.2). */
  #why(last: Seen, now: Seen): string {
    if (now.term > last.term) return 'the other servers started a newer term'
    if (!now.servers.some(({ id }) => id === this.#self)) return 'it left the cluster'
    return 'no majority answered within the election timeout, or its disk completed no write in that time'
  }
}
