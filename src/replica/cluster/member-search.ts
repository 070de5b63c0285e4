import type { PeerTarget } from '../../peers/links.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { ServerInfo } from './formation.ts'

export interface MemberSearchParts {
  readonly hasLeader: () => boolean
  /** The other members, as this server knows them. */
  readonly others: () => readonly NodeId[]
  /** The addresses of `-retry-join`. */
  readonly retryJoin: readonly string[]
  readonly ask: (target: PeerTarget) => Promise<ServerInfo>
  /** A member can be dialled there, as another member says. */
  readonly onPlace: (id: NodeId, address: string) => void
  readonly nowMs: () => number
}

const waitMsMin = 500
const waitMsMax = 10_000

/**
 * Looks for the other members while no leader is known: servers may have been started again at
 * other addresses than in the configuration. Greetings contain the address of each server. So all
 * servers in `-retry-join` are greeted, and each one that answers is asked where it reaches the
 * others.
 *
 * If those are of another cluster, the greetings are refused, and both logs say so: two clusters
 * never become one.
 */
export class MemberSearch {
  readonly #parts: MemberSearchParts
  #waitMs = waitMsMin
  #nextMs = -Infinity

  constructor(parts: MemberSearchParts) {
    this.#parts = parts
  }

  /** To be called a few times a second once this server has a cluster. */
  check(): void {
    const { hasLeader, nowMs } = this.#parts
    // Once in any case: the servers there may be of another cluster.
    const isFirst = this.#nextMs === -Infinity
    if (!isFirst && hasLeader()) {
      this.#waitMs = waitMsMin
      return
    }
    if (nowMs() < this.#nextMs) return
    this.#nextMs = nowMs() + this.#waitMs
    this.#waitMs = Math.min(this.#waitMs * 2, waitMsMax)
    this.look()
  }

  look(): void {
    const { others, retryJoin } = this.#parts
    for (const address of retryJoin) void this.#ask({ address })
    for (const id of others()) void this.#ask({ id })
  }

  async #ask(target: PeerTarget): Promise<void> {
    const { ask, onPlace } = this.#parts
    try {
      const { places } = await ask(target)
      for (const [id, address] of Object.entries(places ?? {})) onPlace(id, address)
    } catch {
      // Not there, not yet, or this server itself: the transport has said what there is to say.
    }
  }
}
