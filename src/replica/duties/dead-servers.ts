import type { Logger } from '../../base/log.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { ConfChange } from '../../raft/membership.ts'
import type { Status as RaftStatus } from '../../raft/status.ts'
import type { AutopilotReader } from '../../state/autopilot/reader.ts'
import { nodeCheckId } from '../../state/catalog/model.ts'
import type { CatalogReader } from '../../state/catalog/query.ts'
import type { Duty, OwnCommand } from './duty.ts'

export interface DeadServersParts {
  /** What this server has applied. */
  readonly autopilot: Pick<AutopilotReader, 'configuration'>
  readonly catalog: CatalogReader
  /** How long a server may be silent before it is taken for dead. */
  readonly silenceMs: number
  /** Since a member was heard, or since this server leads if that is shorter. */
  readonly silenceOf: (id: NodeId) => number
  /** Returns whether the core has taken it. */
  readonly changeMembers: (change: ConfChange) => boolean
  readonly propose: (command: OwnCommand, cause: string) => void
  readonly logger: Logger
}

/** A removed server cannot return under its ID, so a restart of its machine must not remove it. */
const silencesMin = 20
const lookMs = 1000

/**
 * Removes a failed server once a new one has taken its place (`CleanupDeadServers`), and what was registered with it.
 * Only from an even number of voters: a majority of the rest then survives as many failures as before. So a cluster of
 * three or five servers never gets smaller.
 */
export class DeadServers implements Duty {
  readonly #parts: DeadServersParts
  #nextMs = -Infinity

  constructor(parts: DeadServersParts) {
    this.#parts = parts
  }

  check({ id: self, config }: RaftStatus, nowMs: number): void {
    if (nowMs < this.#nextMs) return
    this.#nextMs = nowMs + lookMs
    const { voters, votersOutgoing } = config
    // Of two voters, none can be removed without the other.
    if (votersOutgoing.length > 0 || voters.length % 2 === 1 || voters.length < 4) return
    const { cleanupDeadServers, minQuorum } = this.#parts.autopilot.configuration()
    if (!cleanupDeadServers || voters.length - 1 < minQuorum) return
    const dead = voters.find(
      (id) => id !== self && this.#isDead(id) && this.#isReplaced(id, voters),
    )
    if (dead !== undefined) this.#remove(dead)
  }

  #isDead(id: NodeId): boolean {
    const { silenceOf, silenceMs } = this.#parts
    return silenceOf(id) > silencesMin * silenceMs
  }

  /** Whether a voter that lives has joined after the server had failed, or has taken its name. */
  #isReplaced(dead: NodeId, voters: readonly NodeId[]): boolean {
    const { catalog, silenceOf, silenceMs } = this.#parts
    const node = catalog.nodeById(dead)
    const check = node === undefined ? undefined : catalog.check(node.name, nodeCheckId)
    if (node !== undefined && check?.status !== 'critical') return false
    const failedIndex = check?.modifyIndex ?? 0
    return voters.some((id) => {
      const { createIndex = 0 } = catalog.nodeById(id) ?? {}
      return id !== dead && silenceOf(id) <= silenceMs && createIndex > failedIndex
    })
  }

  #remove(id: NodeId): void {
    const { catalog, changeMembers, propose, logger } = this.#parts
    // Another change is in flight, or too few of the others live: look again later.
    if (!changeMembers({ kind: 'remove', id })) return
    const name = catalog.nodeById(id)?.name
    const cause = 'a new server has taken the place of this failed one'
    if (name !== undefined) propose({ kind: 'deregister', nodeName: name }, cause)
    logger.warn(
      { peer: id },
      `removed the failed server ${name ?? id} from the cluster, because a new server has taken its place`,
    )
  }
}
