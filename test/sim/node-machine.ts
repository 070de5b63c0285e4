import type { Entry, Index } from '../../src/raft/entry.ts'
import type { SnapshotMeta, StateMachine } from '../../src/raft/storage.ts'
import type { SessionDeadlinesParts } from '../../src/replica/duties/session-deadlines.ts'
import type { Outcome } from '../../src/state/machine/command.ts'

/** A state as of one entry, as those of all servers are compared. */
export interface Shown {
  readonly index: Index
  /** Of all entries up to there, and what each came to. */
  readonly chain: number
  /** Of the contents; undefined where it is not known, which is within a batch. */
  readonly digest: () => number | undefined
}

/** What a snapshot holds. */
export interface Image {
  readonly index: Index
}

/** A command that was applied, now or before, and what it came to. */
export interface Done {
  readonly requestId: string
  readonly outcome: Outcome
}

export interface MachineEvents {
  /** Each entry, before any of its batch is answered. */
  onEntry(entry: Entry, shown: Shown, done: Done | undefined): void
  /** Each entry of a batch, after its commit. */
  onApplied(entry: Entry, outcome: Outcome | undefined): void
  /** Sessions were made, or have ended. */
  onSessions(): void
  onRestored(shown: Shown, snapshot: SnapshotMeta): void
}

/** What a server applies its log to. It is on disk: it outlives the processes. */
export interface NodeMachine extends StateMachine {
  /** What a leader reads of sessions, where there are any. */
  readonly sessions?: SessionDeadlinesParts['sessions']
  /** Finished snapshot files, made here or received, by their index. Nobody changes an image. */
  readonly files: Map<Index, Image>
  /** What a loss of power cannot take back. */
  readonly checkpointIndex: Index
  /** A process begins. */
  start(): void
  copy(): Image
  shown(image: Image): Shown
  losePower(): void
}
