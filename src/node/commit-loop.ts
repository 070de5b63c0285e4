import type { BatchResult, CommittedCommand } from '../catalog/apply.ts'
import { decodeCommand, stampProposal } from '../catalog/command.ts'
import type { Outcome } from '../catalog/command.ts'
import type { Versions } from '../catalog/versions.ts'
import { must } from '../base/assert.ts'
import { svcdError } from '../base/errors.ts'
import type { Entry } from '../raft/message.ts'
import type { RaftLog } from '../storage/raft-log.ts'
import type { StateWriter } from '../storage/state.ts'
import type { Stamp } from './replica-messages.ts'

/** Entries applied in one transaction while replaying. */
const replayBatch = 1000
/** Entries between two checkpoints under load. */
const checkpointEvery = 4000

export interface CommitLoopParts {
  readonly log: RaftLog
  readonly state: StateWriter
  readonly versions: Versions
  readonly stamp: Stamp
  readonly wallMs: () => number
}

/**
 * The way of a write on a server that is its cluster's only voter: propose, append (synced), commit
 * by being on the disk of a majority of one, apply, publish. The order is what matters: nothing is
 * applied before its entry is durable, and nothing is published before its COMMIT.
 */
export class CommitLoop {
  readonly #parts: CommitLoopParts
  readonly #term: number
  #sinceCheckpoint = 0

  constructor(parts: CommitLoopParts) {
    this.#parts = parts
    this.#replay()
    this.#term = parts.log.state().hardState.term + 1
    // A new leader's no-op (§8): its term is durable before it answers anyone.
    this.#append([{ kind: 'noop', data: Buffer.alloc(0) }])
  }

  get appliedIndex(): number {
    return this.#parts.state.appliedIndex
  }

  /** Commits all proposals with one sync of the log and one transaction of the catalog. */
  propose(proposals: readonly string[]): readonly Outcome[] {
    const timeMs = this.#parts.wallMs()
    const result = this.#append(
      proposals.map((proposal) => ({ kind: 'command', data: stampProposal(proposal, timeMs) })),
    )
    return result.outcomes.map((outcome) => must(outcome, 'a command has an outcome'))
  }

  /** To be called when nothing waits: moves both WALs into their files and drops old log. */
  tidy(): void {
    const { log, state, stamp } = this.#parts
    if (this.#sinceCheckpoint === 0) return
    stamp.enter()
    state.checkpoint()
    this.#sinceCheckpoint = 0
    log.checkpoint()
    stamp.leave()
  }

  /** What it is about to append is durable when this returns: only then is it applied. */
  #append(items: readonly Pick<Entry, 'kind' | 'data'>[]): BatchResult {
    const { log, stamp } = this.#parts
    const first = log.state().lastIndex + 1
    const entries = items.map((item, at) => ({ ...item, index: first + at, term: this.#term }))
    stamp.enter()
    const hardState = { term: this.#term, vote: 'self', commit: first + items.length - 1 }
    log.write({ hardState, snapshot: undefined, truncateFrom: undefined, entries }, () => {})
    const result = this.#apply(entries)
    stamp.leave()
    return result
  }

  #apply(entries: readonly Entry[]): BatchResult {
    const { state, versions } = this.#parts
    const result = state.applyBatch(entries.map(committed))
    versions.bump(result.subjects)
    this.#sinceCheckpoint += entries.length
    if (this.#sinceCheckpoint >= checkpointEvery) {
      state.checkpoint()
      this.#sinceCheckpoint = 0
    }
    return result
  }

  #replay(): void {
    const { log, state } = this.#parts
    const { hardState, base, lastIndex } = log.state()
    const { commit } = hardState
    if (state.appliedIndex > lastIndex || state.appliedIndex < base.index) {
      throw svcdError('data-corrupt', {
        file: 'state.db',
        reason: `it holds the catalog up to entry ${state.appliedIndex}, and raft.db has entries ${base.index + 1} to ${lastIndex}`,
      })
    }
    for (let from = state.appliedIndex + 1; from <= commit; from += replayBatch) {
      this.#apply(log.entries(from, Math.min(from + replayBatch - 1, commit), Infinity))
    }
  }
}

function committed(entry: Entry): CommittedCommand {
  const { index, term, kind, data } = entry
  return kind === 'command' ? { index, term, command: decodeCommand(data) } : { index, term }
}
