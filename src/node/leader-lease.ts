import type { Term } from '../raft/entry.ts'
import type { Message } from '../raft/message.ts'

/** What a leader knows of its quorum at one moment. */
export interface LeaseFacts {
  /** It leads, has applied an entry of its own term, and is not handing over. */
  readonly isLeader: boolean
  /** It is a quorum by itself: nobody else can be elected. */
  readonly isAlone: boolean
  readonly term: Term
  /** The newest heartbeat token that a quorum has sent back. */
  readonly confirmedToken: number
}

interface Sent {
  readonly token: number
  readonly atMs: number
}

/** Heartbeats remembered; a quorum that has answered none of so many has long let the lease run out. */
const sentMax = 64

/**
 * Until when a leader may answer from its own copy without asking (thesis §6.4.1): a while from when
 * it *sent* the newest heartbeat that a quorum has answered. When the answer arrived says nothing: a
 * process that stood still finds old answers in its sockets.
 */
export class LeaderLease {
  readonly #leaseMs: number
  #term: Term = 0
  #sent: Sent[] = []

  /** `leaseMs`: less than what a follower waits for its leader before it votes for another. */
  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs
  }

  /** To be called before `messages` leave. */
  note(messages: readonly Message[], nowMs: number): void {
    for (const message of messages) {
      if (message.type !== 'heartbeat') continue
      if (message.term !== this.#term) this.#sent = []
      this.#term = message.term
      if (message.readToken === this.#sent.at(-1)?.token) continue
      this.#sent.push({ token: message.readToken, atMs: nowMs })
      if (this.#sent.length > sentMax) this.#sent.shift()
    }
  }

  /** On the clock of `nowMs`; 0 = no lease, Infinity = for as long as the members stay. */
  until({ isLeader, isAlone, term, confirmedToken }: LeaseFacts): number {
    if (!isLeader) return 0
    if (isAlone) return Infinity
    if (term !== this.#term) return 0
    const confirmed = this.#sent.find(({ token }) => token === confirmedToken)
    return confirmed === undefined ? 0 : confirmed.atMs + this.#leaseMs
  }
}
