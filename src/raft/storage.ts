import type { Config } from './config.ts'
import type { Entry, Index, NodeId, Term } from './entry.ts'

/** What must survive a restart (figure 2, "persistent state"). `commit` may lag behind. */
export interface HardState {
  readonly term: Term
  /** For whom this server voted in `term`; undefined when it has not. */
  readonly vote: NodeId | undefined
  readonly commit: Index
}

/** What a snapshot replaces (§7): all entries up to `index`, and the configuration in force there. */
export interface SnapshotMeta {
  readonly index: Index
  readonly term: Term
  readonly config: Config
  /** Index of the entry that brought `config`. */
  readonly confIndex: Index
}

/** One atomic, synced write: all of it is on disk afterwards, or none. */
export interface LogWrite {
  readonly hardState: HardState
  /** Replaces the whole log: afterwards it is empty and begins behind this snapshot. */
  readonly snapshot: SnapshotMeta | undefined
  /** Entries from here on are dropped before `entries` are appended. */
  readonly truncateFrom: Index | undefined
  /** Without a gap, directly behind what the log then ends with. */
  readonly entries: readonly Entry[]
}

/** What a log store holds when it is opened. A fresh one: term 0, base 0/0, last index 0. */
export interface LogState {
  readonly hardState: HardState
  /** The last compacted entry; the log begins behind it. */
  readonly base: { readonly index: Index; readonly term: Term }
  readonly lastIndex: Index
  /** The newest finished snapshot. Its index is not before the base's. */
  readonly snapshot: SnapshotMeta | undefined
}

/** The reads that the core makes, synchronously, of what was written. */
export interface LogReader {
  state(): LogState
  /** Term of a written entry. */
  term(index: Index): Term
  /** Written entries `from`..`to`, both included; fewer when they exceed `maxBytes`, but at least one. */
  entries(from: Index, to: Index, maxBytes: number): Entry[]
  /** The newest finished snapshot, to be sent to who needs what was compacted. */
  snapshot(): SnapshotMeta | undefined
}

/**
 * The durable log. An error thrown by any method ends the process: a failed sync is never retried,
 * for the page cache may then show what the disk lacks.
 */
export interface LogStore extends LogReader {
  /** Calls `done` once `write` is durable: before it returns, or later. One write at a time. */
  write(write: LogWrite, done: () => void): void
  /** Drops entries up to `index`, which a finished snapshot covers. */
  compact(index: Index): void
  /** A snapshot of the applied state is finished and durable. */
  saveSnapshot(meta: SnapshotMeta): void
}

/** What the log drives. */
export interface StateMachine {
  /** Index of the last entry whose effects this state holds. */
  appliedIndex(): Index
  /** Applies committed entries in order, and `appliedIndex` with them, in one transaction. */
  apply(entries: readonly Entry[]): void
  /** Becomes the state of a received snapshot, whose file the transport has put in place. */
  restore(snapshot: SnapshotMeta): void
}
