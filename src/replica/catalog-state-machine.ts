import { reasonOf } from '../base/errors.ts'
import type { BatchResult, CommittedCommand } from '../state/machine/apply.ts'
import { decodeCommand } from '../state/families.ts'
import { sessionFamily } from '../state/session/family.ts'
import type { Command, Outcome } from '../state/machine/command.ts'
import type { Versions } from '../state/machine/versions.ts'
import type { Entry, Index, Term } from '../raft/entry.ts'
import type { SnapshotMeta, StateMachine } from '../raft/storage.ts'
import { isDamage } from '../storage/state-check.ts'
import type { StateWriter } from '../storage/state.ts'

export interface CatalogStateMachineParts {
  readonly state: StateWriter
  readonly versions: Versions
  /** The file of a snapshot that the transport has put in place. */
  readonly snapshotPath: (snapshot: SnapshotMeta) => string
  /** The command of an entry that was parsed before, equal to what decoding it gives. */
  readonly takeParsed?: (index: Index, term: Term) => Command | undefined
  readonly onApplied: (index: Index, term: Term, outcome: Outcome | undefined) => void
  readonly onRestored: (index: Index) => void
  /** For the audit trail; left out: there is none. `outcomes` and `commands` are by position. */
  readonly onAudited?:
    | ((
        entries: readonly Entry[],
        commands: readonly CommittedCommand[],
        outcomes: BatchResult['outcomes'],
      ) => void)
    | undefined
  /** Sessions were made, or have ended. */
  readonly onSessions?: () => void
  /** SQLite found it damaged while it was written; the error is thrown on. */
  readonly onDamage?: (reason: string) => void
}

/** The catalog as what the Raft log drives. Readers are told after the COMMIT, never before. */
export class CatalogStateMachine implements StateMachine {
  readonly #parts: CatalogStateMachineParts

  constructor(parts: CatalogStateMachineParts) {
    this.#parts = parts
    this.#noteIndex()
  }

  appliedIndex(): Index {
    return this.#parts.state.appliedIndex
  }

  apply(entries: readonly Entry[]): void {
    const { state, versions, onApplied, onSessions } = this.#parts
    const commands = entries.map((entry) => this.#committed(entry))
    const { outcomes, subjects } = this.#noting(() => state.applyBatch(commands))
    this.#noteIndex()
    versions.bump(subjects)
    this.#parts.onAudited?.(entries, commands, outcomes)
    if (subjects.has(sessionFamily.name)) onSessions?.()
    for (const [at, { index, term }] of entries.entries()) onApplied(index, term, outcomes[at])
  }

  restore(snapshot: SnapshotMeta): void {
    const { state, versions, snapshotPath, onRestored } = this.#parts
    this.#noting(() => state.restore(snapshotPath(snapshot), snapshot))
    this.#noteIndex()
    versions.bumpAll()
    onRestored(snapshot.index)
  }

  #committed(entry: Entry): CommittedCommand {
    const { index, term } = entry
    const command = this.#parts.takeParsed?.(index, term)
    return command === undefined ? committed(entry) : { index, term, command }
  }

  #noteIndex(): void {
    this.#parts.versions.index = this.#parts.state.appliedIndex
  }

  #noting<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (isDamage(error)) this.#parts.onDamage?.(reasonOf(error))
      throw error
    }
  }
}

/** An entry as apply takes it. */
export function committed({ index, term, kind, data }: Entry): CommittedCommand {
  return kind === 'command' ? { index, term, command: decodeCommand(data) } : { index, term }
}
