import { svcdError } from '../../base/errors.ts'
import type { Index, NodeId } from '../../raft/entry.ts'
import type { Message } from '../../raft/message.ts'
import type { SnapshotStore } from '../../storage/snapshot/snapshot.ts'
import type { RaftServer } from '../raft-server.ts'

/** What a server asks for whose own snapshots are all damaged. */
export interface SnapshotWish {
  /** It must be of this entry or of a later one. */
  readonly minIndex: Index
  /** True: only a server that leads is to give it. */
  readonly leaderOnly: boolean
}

export interface SnapshotLendingParts {
  readonly self: NodeId
  readonly raft: () => RaftServer | undefined
  readonly files: Pick<SnapshotStore, 'list' | 'verify'>
  readonly make: () => Promise<unknown>
  /** Begins to send one; {@link SnapshotLending.onSent} is called at its end. */
  readonly send: (message: Message) => void
}

/**
 * Sends other members a snapshot because they ask for it, and not because their log is too short. It takes
 * the way of all snapshots; the receiver knows what it wants it for.
 */
export class SnapshotLending {
  readonly #parts: SnapshotLendingParts
  readonly #waiting = new Map<NodeId, (ok: boolean) => void>()

  constructor(parts: SnapshotLendingParts) {
    this.#parts = parts
  }

  /** Resolves when it has arrived, whole and verified, with its index. */
  async lend(to: NodeId, wish: SnapshotWish): Promise<{ readonly index: Index }> {
    const { self, raft, send } = this.#parts
    const server = raft()
    if (server === undefined) throw refusal('this server has no state')
    if (wish.leaderOnly && !server.isLeader) throw refusal('this server is not the leader')
    if (this.#waiting.has(to)) throw refusal('a snapshot is already being sent')
    const meta = await this.#atLeast(wish.minIndex)
    const { index, term, config, confIndex } = meta
    const snapshot = { index, term, config, confIndex }
    const sent = new Promise<boolean>((resolve) => this.#waiting.set(to, resolve))
    send({ type: 'snapshot-request', from: self, to, term: server.status.term, snapshot })
    if (!(await sent)) throw refusal('the snapshot did not arrive')
    return { index }
  }

  /** The transport's report. */
  onSent(to: NodeId, ok: boolean): void {
    this.#waiting.get(to)?.(ok)
    this.#waiting.delete(to)
  }

  async #atLeast(minIndex: Index) {
    const { files, make } = this.#parts
    if ((files.list()[0]?.meta.index ?? 0) < minIndex) await make()
    const newest = files.list()[0]
    if (newest === undefined || newest.meta.index < minIndex) {
      throw refusal(`this server has no snapshot of entry ${minIndex} or later yet`)
    }
    await files.verify(newest)
    return newest.meta
  }
}

function refusal(reason: string): Error {
  return svcdError('operation-refused', { reason })
}
