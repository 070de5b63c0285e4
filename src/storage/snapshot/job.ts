import { createHash } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, openSync, readSync } from 'node:fs'
import { reasonOf, SvcdError, svcdError } from '../../base/errors.ts'
import { summedVersion } from '../../state/catalog/schema.ts'
import { loadSums, noteSums } from '../../state/machine/sums.ts'
import { faultBy, formatOf, openDatabase } from '../sqlite.ts'
import { damageIn, isDamage } from '../state-check.ts'
import { appliedIn, rowCounts } from '../state-tables.ts'

// Work on the files of snapshots, in a thread of its own, because it would block the caller.

/** `verify`: compares a state with its sums. `make`: a new file out of a state. `check`: an existing one. `move`: to another place in a log. `name`: of the file, in errors. */
export type SnapshotJob =
  | { readonly kind: 'verify'; readonly statePath: string }
  | { readonly kind: 'make'; readonly statePath: string; readonly path: string }
  | { readonly kind: 'check'; readonly path: string; readonly name?: string }
  | { readonly kind: 'move'; readonly path: string; readonly index: number; readonly term: number }

/** The description of a valid file. */
export interface SnapshotFacts {
  /** The entry that was applied last. */
  readonly index: number
  readonly term: number
  /** Format of its tables. */
  readonly schemaVersion: number
  /** In bytes. */
  readonly size: number
  readonly sha256: string
  /** By table. */
  readonly rows: Readonly<Record<string, number>>
  /** Its rows are not those that its sums are of: how. */
  readonly damage?: string
}

/** Throws SvcdError `snapshot-failed` or `snapshot-unusable`. The file is synced when it returns. */
export function runSnapshotJob(job: SnapshotJob): SnapshotFacts {
  if (job.kind === 'verify') return verify(job.statePath)
  if (job.kind === 'make') {
    make(job.statePath, job.path)
    refuseDamage(job.path)
  }
  if (job.kind === 'move') move(job.path, job)
  try {
    return examine(job.path, job.kind !== 'make')
  } catch (error) {
    throw unusable(job.kind === 'check' ? (job.name ?? job.path) : job.path, error)
  }
}

/** A clean copy in one read transaction: the writer continues, and its changes are not in it. */
function make(statePath: string, path: string): void {
  try {
    const db = openDatabase(statePath, { mode: 'read-only', synchronous: 'NORMAL' })
    try {
      db.prepare('VACUUM INTO ?').run(path)
    } finally {
      db.close()
    }
    chmodSync(path, 0o600)
  } catch (error) {
    const inner = error instanceof SvcdError ? (error.cause ?? error) : error
    if (isDamage(inner)) throw svcdError('state-damaged', { reason: reasonOf(inner) }, error)
    throw svcdError('snapshot-failed', { reason: reasonOf(error), path }, error)
  }
}

/** Throws SvcdError `state-damaged`. Of the facts it knows only how far the state goes. */
function verify(path: string): SnapshotFacts {
  try {
    refuseDamage(path)
    const db = openDatabase(path, { mode: 'read-only', synchronous: 'NORMAL' })
    try {
      const { place } = loadSums(db)
      return { ...place, schemaVersion: formatOf(db), size: 0, sha256: '', rows: {} }
    } finally {
      db.close()
    }
  } catch (error) {
    const inner = error instanceof SvcdError ? (error.cause ?? error) : error
    if (isDamage(inner)) throw svcdError('state-damaged', { reason: reasonOf(inner) }, error)
    if (error instanceof SvcdError) throw error
    throw svcdError('snapshot-failed', { reason: reasonOf(error), path }, error)
  }
}

/** A copy has the rows of its state, and its sums: that they do not fit is the damage of the state. */
function refuseDamage(path: string): void {
  const db = openDatabase(path, { mode: 'read-only', synchronous: 'NORMAL' })
  try {
    const damage = damageIn(db)
    if (damage !== undefined) throw svcdError('state-damaged', { reason: damage })
  } finally {
    db.close()
  }
}

function move(path: string, place: { readonly index: number; readonly term: number }): void {
  try {
    const db = openDatabase(path, { mode: 'read-write', synchronous: 'FULL', journal: 'DELETE' })
    try {
      const sql = db.prepare<[number, string]>('UPDATE meta SET value = ? WHERE key = ?')
      db.transaction(() => {
        const hasSums = formatOf(db) >= summedVersion
        const { sums } = hasSums ? loadSums(db) : { sums: undefined }
        sql.run(place.index, 'applied_index')
        sql.run(place.term, 'applied_term')
        if (sums !== undefined) noteSums(db, sums)
      })()
    } finally {
      db.close()
    }
  } catch (error) {
    throw unusable(path, error)
  }
}

function examine(path: string, withSums: boolean): SnapshotFacts {
  const db = openDatabase(path, { mode: 'read-only', synchronous: 'NORMAL' })
  try {
    const fault = faultBy(db, 'quick_check(1)')
    if (fault !== undefined) throw new Error(fault)
    const applied = appliedIn(db)
    if (applied === undefined) throw new Error('it has no applied index')
    // That of an older release has no sums to compare with.
    const hasSums = withSums && formatOf(db) >= summedVersion
    const damage = hasSums ? damageIn(db) : undefined
    const facts = { ...applied, schemaVersion: formatOf(db), rows: rowCounts(db) }
    return { ...facts, ...digestOf(path), ...(damage === undefined ? {} : { damage }) }
  } finally {
    db.close()
  }
}

/** Syncs the file, too. */
function digestOf(path: string): { readonly size: number; readonly sha256: string } {
  const hash = createHash('sha256')
  const buffer = Buffer.alloc(1024 * 1024)
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
    let size = 0
    for (;;) {
      const length = readSync(file, buffer, 0, buffer.length, size)
      if (length === 0) return { size, sha256: hash.digest('hex') }
      hash.update(buffer.subarray(0, length))
      size += length
    }
  } finally {
    closeSync(file)
  }
}

function unusable(path: string, error: unknown): SvcdError {
  // What SQLite said, and not what it would mean for a node that starts on this file.
  const inner = error instanceof SvcdError ? (error.cause ?? error) : error
  return svcdError('snapshot-unusable', { file: path, reason: reasonOf(inner) }, error)
}
