import { existsSync, renameSync, rmSync } from 'node:fs'
import { reasonOf, svcdError } from '../base/errors.ts'
import type { Index } from '../raft/entry.ts'
import type { LogReader } from '../raft/storage.ts'
import { runSnapshotJob } from '../storage/snapshot-job.ts'
import { checkFacts } from '../storage/snapshot.ts'
import type { SnapshotFile } from '../storage/snapshot-file.ts'
import { StateWriter } from '../storage/state.ts'
import { committed } from './catalog-state-machine.ts'

export interface RebuildSources {
  readonly log: Pick<LogReader, 'state' | 'entries'>
  /** The newest first. */
  readonly snapshots: readonly SnapshotFile[]
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
  { log, snapshots }: RebuildSources,
  lost: { readonly file: string; readonly reason: string },
): void {
  removeState(path)
  const { base, lastIndex } = log.state()
  const state = new StateWriter(path)
  try {
    const faults = restoreNewest(state, snapshots, base.index, to)
    if (state.appliedIndex < base.index || to > lastIndex) {
      const begins = `the log begins at entry ${base.index + 1}`
      const why =
        faults.length === 0 ? `${begins}, and no snapshot covers what is before` : faults.join('; ')
      throw svcdError('state-lost', { ...lost, why })
    }
    while (state.appliedIndex < to) {
      const entries = log.entries(state.appliedIndex + 1, to, batchBytes)
      state.applyBatch(entries.map(committed))
    }
  } finally {
    state.close()
  }
}

/** Returns why those that could not be used could not. */
function restoreNewest(
  state: StateWriter,
  snapshots: readonly SnapshotFile[],
  from: Index,
  to: Index,
): readonly string[] {
  const faults: string[] = []
  for (const file of snapshots) {
    // One below the log's begin leaves a gap behind it; one beyond `to` is ahead of the core.
    if (file.meta.index < from || file.meta.index > to) continue
    try {
      checkFacts(file, runSnapshotJob({ kind: 'check', path: file.path }))
      state.restore(file.path, file.meta)
      return faults
    } catch (error) {
      faults.push(reasonOf(error))
    }
  }
  return faults
}

/** Puts a finished state in the place of one that nobody has open. The old file is kept beside it. */
export function replaceState(path: string, by: string): void {
  // A WAL that is left would be taken for the new file's.
  for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true })
  if (existsSync(path)) renameSync(path, `${path}.damaged`)
  renameSync(by, path)
}

export function removeState(path: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(path + end, { force: true })
}
