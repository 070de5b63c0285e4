import { failureBy } from '../writes/proposals.ts'
import type { Logger } from '../../base/log.ts'
import { type SvcdError, svcdError } from '../../base/errors.ts'
import { members } from '../../raft/config.ts'
import type { PeerStatus } from '../../peers/options.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { ClusterMarks } from './marks.ts'
import type { RaftServer } from '../raft-server.ts'

export interface EpochFenceParts {
  readonly self: NodeId
  readonly marks: Pick<ClusterMarks, 'epoch' | 'newestEpoch' | 'setNewestEpoch'>
  readonly raft: () => RaftServer | undefined
  /** Members that answered since the start, or that could not be reached. */
  readonly tried: () => ReadonlySet<NodeId>
  readonly nowMs: () => number
  readonly logger: Logger
  /** The greeting of this server has changed. */
  readonly onFenced: () => void
}

/** A member whose host does not even refuse a connection is not waited for any longer. */
const contactMs = 2000
const remindMs = 60_000

/**
 * Keeps a server that was left behind by `operator raft recover` from continuing in the old epoch.
 * It takes no part in its cluster before it has tried to reach each member once, and stops
 * permanently when one of them is in a newer epoch. The result is stored in raft.db.
 *
 * Only a connection that this server dialled counts: any client could dial in and claim an epoch.
 */
export class EpochFence {
  readonly #parts: EpochFenceParts
  #waitsSinceMs: number | undefined
  #remindedMs = -Infinity

  constructor(parts: EpochFenceParts) {
    this.#parts = parts
  }

  get isFenced(): boolean {
    const { epoch, newestEpoch } = this.#parts.marks
    return newestEpoch > epoch
  }

  /** To be called when the Raft server is there, before it does anything. */
  begin(raft: RaftServer): void {
    if (this.isFenced) return this.#close(raft)
    const { config } = raft.status
    if (members(config).every((id) => id === this.#parts.self)) return
    raft.holdBack('epoch')
    this.#waitsSinceMs = this.#parts.nowMs()
  }

  /** A server that this one dialled knows that epoch of their cluster. */
  learn(epoch: number): void {
    const { marks, raft } = this.#parts
    if (epoch <= Math.max(marks.epoch, marks.newestEpoch)) return
    marks.setNewestEpoch(epoch)
    const server = raft()
    if (server !== undefined) this.#close(server)
    this.#parts.onFenced()
  }

  /** To be called a few times a second. */
  check(): void {
    const raft = this.#parts.raft()
    if (raft === undefined) return
    if (this.isFenced) return this.#remind()
    const { self, tried, nowMs } = this.#parts
    if (this.#waitsSinceMs === undefined) return
    const known = tried()
    const isOver = nowMs() - this.#waitsSinceMs >= contactMs
    const { config } = raft.status
    if (!isOver && members(config).some((id) => id !== self && !known.has(id))) return
    this.#waitsSinceMs = undefined
    raft.takePart('epoch')
  }

  #close(raft: RaftServer): void {
    this.#waitsSinceMs = undefined
    raft.fence(failureBy(leftBehindError(this.#parts.marks)))
    this.#remind()
  }

  #remind(): void {
    const { nowMs, logger, marks } = this.#parts
    if (nowMs() - this.#remindedMs < remindMs) return
    this.#remindedMs = nowMs()
    const { epoch, newestEpoch } = marks
    logger.error({ epoch, newestEpoch }, leftBehindError(marks).message)
  }
}

/** Why a server of an older epoch serves no writes and no fresh reads. */
export function leftBehindError(marks: {
  readonly epoch: number
  readonly newestEpoch: number
}): SvcdError {
  return svcdError('left-behind', { epoch: marks.epoch, newer: marks.newestEpoch })
}

/** The members that are connected, and those to which an attempt has failed. */
export function triedIn(peers: readonly PeerStatus[]): ReadonlySet<NodeId> {
  return new Set(
    peers
      .filter(({ isConnected, lastError }) => isConnected || lastError !== undefined)
      .map(({ id }) => id),
  )
}
