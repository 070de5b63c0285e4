import { join } from 'node:path'
import { reasonOf, SvcdError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Driver } from '../../raft/driver.ts'
import type { PlacedConfig } from '../../raft/config.ts'
import type { Index } from '../../raft/entry.ts'
import type { SnapshotMeta } from '../../raft/storage.ts'
import type { RaftLog } from '../../storage/log/raft-log.ts'
import { SnapshotStore } from '../../storage/snapshot/snapshot.ts'
import type { SnapshotFile } from '../../storage/snapshot/file.ts'
import type { StateWriter } from '../../storage/state.ts'
import type { ClusterMarks } from '../cluster/marks.ts'
import { trailingEntries } from '../trailing-entries.ts'

export interface SnapshotterParts {
  readonly files: SnapshotStore
  /** The state that was to be copied is damaged. */
  readonly onDamage: (reason: string) => void
  readonly log: RaftLog
  readonly state: StateWriter
  /** Undefined before this server is in a cluster. */
  readonly driver: () => Driver | undefined
  readonly logger: Logger
  /** A clock that never goes back. */
  readonly nowMs: () => number
  readonly guard: (work: () => void) => void
}

/** A snapshot is made when the log behind the last one has so many entries … */
const entriesMin = 10_000
/** … and so many times the bytes of that snapshot: large states are copied less often … */
const bytesRatio = 4
/** … or fewer, when the last one is this old: it costs little then, and the file of the log never shrinks. */
const oldMs = 30_000
const oldBytesRatio = 1.25
/** Entries after which the log's size is looked at again. */
const lookEvery = 1000
/** A live follower that is further behind gets a snapshot: otherwise it would make the log grow without limit. */
const slowPeerEntriesMax = 200_000
/** Compaction waits until this many more may go, so that each deletes a run of rows. */
const compactEvery = 2000
/** Entries applied between two checkpoints of state.db under load. */
const checkpointEvery = 4000
/** Entries that come one by one fill the WAL with more pages each than those that share a transaction. */
const walBytesDue = 20 * 1024 * 1024
/** Turns that applied something, after which the size of the WAL is looked at again. */
const walLookEvery = 64

/** The snapshots in a data directory. */
export function openSnapshots(
  dataDirectory: string,
  marks: Pick<ClusterMarks, 'clusterId' | 'epoch'>,
  log: Pick<RaftLog, 'snapshot'>,
): SnapshotStore {
  return new SnapshotStore({
    directory: join(dataDirectory, 'snapshots'),
    statePath: join(dataDirectory, 'state.db'),
    identity: () => ({ clusterId: marks.clusterId ?? '', epoch: marks.epoch }),
    current: () => log.snapshot(),
  })
}

/** When snapshots are made, and what they allow the log to drop. */
export class Snapshotter {
  readonly files: SnapshotStore
  readonly #parts: SnapshotterParts
  #isMaking = false
  #lastBytes = 0
  #checkpointedAt = 0
  #appliedLast = 0
  #turnsSinceLook = 0
  #madeAtMs = 0
  /** After a failure: not before so many entries were applied. */
  #notBefore = 0

  constructor(parts: SnapshotterParts) {
    this.#parts = parts
    this.files = parts.files
    this.#lastBytes = this.#latest()?.meta.size ?? 0
    this.#checkpointedAt = parts.state.appliedIndex
  }

  /** Where the file of a snapshot is that the core is to restore. Throws `snapshot-unusable`. */
  pathOf(snapshot: SnapshotMeta): string {
    return this.files.find(snapshot).path
  }

  /** To be called after each turn: checkpoints, snapshots and compaction when they are due. */
  maybeMake(): void {
    const { log, state } = this.#parts
    const applied = state.appliedIndex
    if (applied - this.#checkpointedAt >= checkpointEvery || this.#isWalLong(applied)) {
      this.#checkpoint()
    }
    const behind = applied - (log.snapshot()?.index ?? 0)
    if (this.#isMaking || behind < entriesMin || applied < this.#notBefore) return
    // Until the first snapshot there is nothing that the log could be compared with.
    const ratio = this.#parts.nowMs() - this.#madeAtMs < oldMs ? bytesRatio : oldBytesRatio
    if (log.stats().entryBytes < ratio * this.#lastBytes) {
      this.#notBefore = applied + lookEvery
      return
    }
    void this.makeNow().catch((error: unknown) => {
      this.#notBefore = applied + entriesMin
      this.#parts.logger.warn({ reason: reasonOf(error) }, 'cannot make a snapshot')
    })
  }

  #isWalLong(applied: number): boolean {
    if (applied === this.#appliedLast) return false
    this.#appliedLast = applied
    this.#turnsSinceLook = (this.#turnsSinceLook + 1) % walLookEvery
    return this.#turnsSinceLook === 0 && this.#parts.state.walBytes > walBytesDue
  }

  /** Makes one of what is applied now; resolves with its path. */
  async makeNow(): Promise<string> {
    this.#isMaking = true
    try {
      const file = await this.files.create(({ index }) => this.#configAt(index))
      if (file === undefined)
        throw new Error('the log was replaced while the snapshot was being made')
      this.#parts.guard(() => this.#note(file))
      return file.path
    } catch (error) {
      if (error instanceof SvcdError && error.code === 'state-damaged') {
        this.#parts.onDamage(error.message)
      }
      throw error
    } finally {
      this.#isMaking = false
    }
  }

  /** Undefined when a received snapshot has replaced the log and what was known of older entries. */
  #configAt(index: Index): PlacedConfig | undefined {
    const configs = this.#parts.driver()?.raft.state.configs
    return configs !== undefined && configs.first.index <= index ? configs.at(index) : undefined
  }

  /** To be called when nothing waits, and again when it returns false: a reader was in the way. */
  tidy(): boolean {
    const isComplete = this.#checkpoint()
    this.#parts.log.checkpoint()
    return isComplete
  }

  /** Returns to the disk what the WALs take of it. */
  giveBack(): void {
    this.#checkpoint()
    this.#parts.state.emptyWal()
    this.#parts.log.emptyWal()
  }

  #note({ meta }: SnapshotFile): void {
    this.#lastBytes = meta.size
    this.#madeAtMs = this.#parts.nowMs()
    const { index, term, config, confIndex } = meta
    this.#parts.driver()?.saveSnapshot({ index, term, config, confIndex })
    this.#compact()
    this.#parts.logger.info({ index, bytes: meta.size }, 'made a snapshot')
  }

  #checkpoint(): boolean {
    const { state } = this.#parts
    const isComplete = state.checkpoint()
    this.#checkpointedAt = state.appliedIndex
    this.#compact()
    return isComplete
  }

  /** Only what a snapshot covers, and what a finished checkpoint made durable, may leave the log. */
  #compact(): void {
    const { log, state, driver } = this.#parts
    const { base, lastIndex } = log.state()
    const to = Math.min(log.snapshot()?.index ?? 0, state.durableIndex, lastIndex - trailingEntries)
    if (to - base.index < compactEvery) return
    const evenIfNeeded = lastIndex - slowPeerEntriesMax
    driver()?.compact({ to, durableApplied: state.durableIndex, evenIfNeeded })
  }

  #latest(): SnapshotFile | undefined {
    return this.files.list()[0]
  }
}
