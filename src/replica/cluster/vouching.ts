import type { Logger } from '../../base/log.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { Membership } from './removal-notice.ts'

export interface VouchingParts {
  /** The other members, as this server knows them. */
  readonly members: () => readonly NodeId[]
  /** Asks `whom` whether `about` is a member; rejects when it does not answer. */
  readonly ask: (whom: NodeId, about: NodeId) => Promise<Membership>
  /** Every connection is proven, by a secret or certificates. */
  readonly isAuthenticated: boolean
  readonly onVouched: (id: NodeId) => void
  readonly logger: Logger
  readonly nowMs: () => number
}

/** How often is asked about one stranger, and about how many in that time. */
const againMs = 1000
const strangersMax = 16

/**
 * What happens to Raft messages whose sender is in no configuration here (raft/sender-check.ts). This server
 * may have slept while that one was let in, and it cannot learn so from its log, which only that one may
 * be able to send. So those whom it knows are asked. If none of them leads or follows any more, all of
 * them having been replaced, a server that has proven who it is may speak for itself.
 */
export class Vouching {
  readonly #parts: VouchingParts
  readonly #askedMs = new Map<NodeId, number>()
  /** Said once for each. */
  readonly #said = new Set<NodeId>()

  constructor(parts: VouchingParts) {
    this.#parts = parts
  }

  /** A message of `id` was ignored. */
  met(id: NodeId): void {
    const nowMs = this.#parts.nowMs()
    for (const [other, atMs] of this.#askedMs) {
      if (nowMs - atMs >= againMs) this.#askedMs.delete(other)
    }
    if (this.#askedMs.has(id) || this.#askedMs.size >= strangersMax) return
    this.#askedMs.set(id, nowMs)
    void this.#look(id)
  }

  async #look(id: NodeId): Promise<void> {
    const { members, isAuthenticated, onVouched } = this.#parts
    const answers = await Promise.all(members().map((member) => this.#ask(member, id)))
    const isVouched =
      answers.some((answer) => answer?.isMember === true) ||
      // A server that hears no leader does not know.
      (isAuthenticated &&
        answers.every((answer) => answer?.hasLeader !== true) &&
        (await this.#ask(id, id))?.isMember === true)
    if (isVouched) onVouched(id)
    else this.#say(id)
  }

  async #ask(whom: NodeId, about: NodeId): Promise<Membership | undefined> {
    try {
      return await this.#parts.ask(whom, about)
    } catch {
      // Not reached: it knows as little as this server.
      return undefined
    }
  }

  #say(id: NodeId): void {
    if (this.#said.has(id)) return
    if (this.#said.size >= strangersMax) this.#said.clear()
    this.#said.add(id)
    this.#parts.logger.warn(
      { peer: id },
      `ignoring Raft messages from ${id}: according to this server and the members that answer, it is not a member of this cluster`,
    )
  }
}
