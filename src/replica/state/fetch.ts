import { reasonOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Index, NodeId } from '../../raft/entry.ts'
import type { SnapshotFile } from '../../storage/snapshot/file.ts'
import type { SnapshotStore } from '../../storage/snapshot/snapshot.ts'
import type { SnapshotWish } from './snapshot-lending.ts'

export interface StateFetchParts {
  /** The other members. */
  readonly others: () => readonly NodeId[]
  /** Resolves when a server has sent its snapshot, and it is in the list. */
  readonly ask: (id: NodeId, wish: SnapshotWish) => Promise<unknown>
  readonly files: Pick<SnapshotStore, 'list'>
  readonly logger: Logger
  readonly random: Random
  /** Resolves after so long, or immediately when this server stops. */
  readonly sleep: (ms: number) => Promise<void>
  readonly isStopped: () => boolean
}

/** Some four minutes in all. */
const triesMax = 12
const waitMsMin = 500
const waitMsMax = 30_000
/** The first tries ask the leader. Without a quorum there is no leader, and the snapshot of any member will do. */
const leaderTries = 3

/**
 * Gets a snapshot from another server, for one that has nothing left to rebuild its state from. Every snapshot
 * is of committed entries, so that it does not matter which server it comes from.
 */
export class StateFetch {
  readonly #parts: StateFetchParts

  constructor(parts: StateFetchParts) {
    this.#parts = parts
  }

  get canAsk(): boolean {
    return this.#parts.others().length > 0
  }

  /**
   * Resolves with a snapshot at `minIndex` or later; undefined when no member gave one in a bounded
   * number of tries, or this server stops.
   */
  async fetch(minIndex: Index): Promise<SnapshotFile | undefined> {
    const { logger, random, sleep, isStopped } = this.#parts
    for (let tries = 0; tries < triesMax && !isStopped(); tries++) {
      const reasons: string[] = []
      const file = await this.#try({ minIndex, leaderOnly: tries < leaderTries }, reasons)
      if (file !== undefined) return file
      const waitMs = Math.min(waitMsMin * 2 ** tries, waitMsMax) * (1 - random() / 2)
      logger.warn(
        { reason: reasons.join('; '), triesLeft: triesMax - tries - 1 },
        'no other server sent a snapshot to rebuild state.db from',
      )
      await sleep(waitMs)
    }
    return undefined
  }

  async #try(wish: SnapshotWish, reasons: string[]): Promise<SnapshotFile | undefined> {
    const { others, ask, files } = this.#parts
    for (const id of others()) {
      try {
        await ask(id, wish)
      } catch (error) {
        reasons.push(`${id}: ${reasonOf(error)}`)
        continue
      }
      const file = files.list().find(({ meta }) => meta.index >= wish.minIndex)
      if (file !== undefined) return file
      reasons.push(`${id}: the snapshot that it sent is missing`)
    }
    return undefined
  }
}
