import { existsSync, renameSync, rmSync } from 'node:fs'
import { reasonOf, svcdError } from '../../base/errors.ts'
import type { PlacedSums } from '../../state/machine/apply.ts'
import type { Index } from '../../raft/entry.ts'
import type { LogReader, SnapshotMeta } from '../../raft/storage.ts'
import type { RaftLog } from '../../storage/log/raft-log.ts'
import { runSnapshotJob } from '../../storage/snapshot/job.ts'
import { checkFacts } from '../../storage/snapshot/snapshot.ts'
import type { SnapshotFile } from '../../storage/snapshot/file.ts'
import { StateWriter } from '../../storage/state.ts'
import { committed } from '../catalog-state-machine.ts'

export interface RebuildSources {
  readonly log: Pick<LogReader, 'state' | 'entries'>
  /** The newest first. */
  readonly snapshots: readonly SnapshotFile[]
  /** What the state must come to at an entry, by what most servers have. */
  readonly right?: PlacedSums | undefined
}

const batchBytes = 1024 * 1024

/**
 * Makes a new state at `path` out of the newest own snapshot that is sound and the log behind it, up
 * to entry `to`, which must be committed. `damaged` and `reason` are for the error: throws SvcdError
 * `state-lost` when the snapshots and the log do not reach so far back.
 */
export function buildState(
  path: string,
  to: Index,
  { log, snapshots, right }: RebuildSources,
  lost: { readonly file: string; readonly reason: string },
): void {
  const { base, lastIndex } = log.state()
  // One below the log's begin leaves a gap behind it; one beyond `to` is ahead of the core.
  const until = Math.min(to, right?.index ?? to)
  const fitting = snapshots.filter(({ meta }) => meta.index >= base.index && meta.index <= until)
  const begins: readonly (SnapshotFile | undefined)[] =
    base.index === 0 ? [...fitting, undefined] : fitting
  const faults: string[] = []
  for (const begin of to > lastIndex ? [] : begins) {
    removeState(path)
    const state = new StateWriter(path)
    try {
      build(state, begin, to, { log, right })
      return
    } catch (error) {
      faults.push(reasonOf(error))
    } finally {
      state.close()
    }
  }
  removeState(path)
  const gap = `the log starts at entry ${base.index + 1}, and no snapshot covers the entries before it`
  throw svcdError('state-lost', {
    file: lost.file,
    reason: asClause(lost.reason),
    why: asClause(faults.length === 0 ? gap : faults.join(' ')),
  })
}

/** For the middle of a sentence, or an end that has a full stop already. */
function asClause(text: string): string {
  return text.replace(/\.$/, '')
}

/** `begin`: a snapshot; undefined for the first entry. Throws when what comes out is not right. */
function build(
  state: StateWriter,
  begin: SnapshotFile | undefined,
  to: Index,
  { log, right }: Pick<RebuildSources, 'log' | 'right'>,
): void {
  if (begin !== undefined) {
    checkFacts(begin, runSnapshotJob({ kind: 'check', path: begin.path }))
    state.restore(begin.path, begin.meta)
  }
  if (right !== undefined && right.index <= to) {
    replay(state, right.index, log)
    if (state.sums.now.text !== right.text) {
      const from = begin === undefined ? 'the log' : `the log after ${begin.path}`
      throw new Error(`replaying ${from} leads to the same wrong state`)
    }
  }
  replay(state, to, log)
}

function replay(state: StateWriter, to: Index, log: RebuildSources['log']): void {
  while (state.appliedIndex < to) {
    const entries = log.entries(state.appliedIndex + 1, to, batchBytes)
    state.applyBatch(entries.map(committed))
  }
}

/**
 * Makes the log fit a snapshot of another server, all of which is committed. Returns up to where a state
 * is to be built. Throws when it cannot be of this log.
 */
export function alignLog(log: RaftLog, { index, term, config, confIndex }: SnapshotMeta): Index {
  const { base, lastIndex, hardState, snapshot } = log.state()
  const placed = { index, term, config, confIndex }
  const commit = Math.max(base.index, hardState.commit)
  if (index < base.index) throw new Error(`the log starts after the snapshot at entry ${index}`)
  // What lies behind it stays (Raft §7, InstallSnapshot step 6): this server may have acknowledged it.
  if (index <= lastIndex && log.term(index) === term) {
    if (index > (snapshot?.index ?? 0)) log.saveSnapshot(placed)
    return Math.max(commit, index)
  }
  if (index <= commit) throw new Error(`entry ${index} differs from the one in the snapshot`)
  const isNewTerm = term > hardState.term
  log.write(
    {
      hardState: {
        term: Math.max(term, hardState.term),
        vote: isNewTerm ? undefined : hardState.vote,
        commit: index,
      },
      snapshot: placed,
      truncateFrom: undefined,
      entries: [],
    },
    () => {},
  )
  return index
}

/**
 * Puts a finished state in the place of one that no process has open. The old file is kept beside
 * it.
 */
export function replaceState(path: string, by: string): void {
  // A WAL that is left would be taken for the new file's.
  for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true })
  if (existsSync(path)) renameSync(path, `${path}.damaged`)
  renameSync(by, path)
}

export function removeState(path: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(path + end, { force: true })
}
