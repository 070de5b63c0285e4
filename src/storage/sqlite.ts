import Sqlite from 'better-sqlite3'
import type { Database } from 'better-sqlite3'
import { svcdError } from '../base/errors.ts'
import { must } from '../base/assert.ts'

export interface OpenOptions {
  readonly mode: 'read-write' | 'read-only'
  /** FULL syncs the WAL at every COMMIT; NORMAL only at checkpoints. better-sqlite3 builds default to NORMAL. */
  readonly synchronous: 'FULL' | 'NORMAL'
  /** Holds the file's lock for as long as it is open: the lock on the data directory. */
  readonly exclusive?: boolean
  /** False: checkpoints only when asked (an automatic one every 1000 pages doubles the cost of a command). */
  readonly automaticCheckpoint?: boolean
}

/**
 * Opens a database in WAL mode; the one door to better-sqlite3. Throws SvcdError `data-dir-in-use`
 * when another process holds it, `data-dir-unusable` when the file cannot be opened, and
 * `data-corrupt` when it is not a database.
 */
export function openDatabase(path: string, options: OpenOptions): Database {
  const readOnly = options.mode === 'read-only'
  let database: Database | undefined
  try {
    database = new Sqlite(path, {
      readonly: readOnly,
      fileMustExist: readOnly,
      timeout: readOnly ? 5000 : 0,
    })
    if (options.exclusive === true) database.pragma('locking_mode = EXCLUSIVE')
    if (!readOnly) setPragmas(database, options)
    // A plain read takes the lock (and finds a damaged header) now rather than at the first use.
    database.prepare('SELECT count(*) FROM sqlite_master').get()
    return database
  } catch (error) {
    database?.close()
    throw openError(path, error)
  }
}

function setPragmas(database: Database, options: OpenOptions): void {
  database.pragma('journal_mode = WAL')
  database.pragma(`synchronous = ${options.synchronous}`)
  if (options.automaticCheckpoint === false) database.pragma('wal_autocheckpoint = 0')
  const levels = ['OFF', 'NORMAL', 'FULL', 'EXTRA']
  const level = levels[Number(database.pragma('synchronous', { simple: true }))]
  // Durability hangs on this one setting, so it is read back instead of trusted.
  if (level !== options.synchronous) throw new Error(`synchronous is ${level ?? 'unknown'}`)
}

function openError(path: string, error: unknown): Error {
  const { code, message } = error as { code?: string; message: string }
  const directory = path.slice(0, Math.max(path.lastIndexOf('/'), 1))
  if (
    code === 'SQLITE_BUSY' ||
    code?.startsWith('SQLITE_BUSY_') === true ||
    code === 'SQLITE_LOCKED'
  ) {
    return svcdError('data-dir-in-use', { path: directory }, error)
  }
  if (code === 'SQLITE_NOTADB' || code?.startsWith('SQLITE_CORRUPT') === true) {
    return svcdError('data-corrupt', { file: path, reason: message }, error)
  }
  return svcdError('data-dir-unusable', { path: directory, reason: message }, error)
}

export interface Format {
  readonly path: string
  /** Newest format that this version writes and reads. */
  readonly version: number
  /** Statements that bring format n to n + 1, by n. */
  readonly migrations: readonly string[]
}

/**
 * Creates or upgrades the tables of a database, its format number kept in `user_version`. Throws
 * SvcdError `data-dir-newer` for a format from the future, and changes nothing then.
 */
export function migrate(database: Database, format: Format): void {
  const found = Number(database.pragma('user_version', { simple: true }))
  if (found > format.version) {
    throw svcdError('data-dir-newer', {
      path: format.path.slice(0, Math.max(format.path.lastIndexOf('/'), 1)),
      file: format.path.slice(format.path.lastIndexOf('/') + 1),
      found,
      known: format.version,
    })
  }
  for (let from = found; from < format.version; from++) {
    database.transaction(() => {
      database.exec(must(format.migrations[from], `a migration from format ${from}`))
      database.pragma(`user_version = ${from + 1}`)
    })()
  }
}

/**
 * Moves the WAL into the database file without waiting for readers. Returns true when all of it is
 * moved and synced: what was committed before the call is then durable, whatever `synchronous` is.
 */
export function checkpoint(database: Database): boolean {
  const [result] = database.pragma('wal_checkpoint(PASSIVE)') as {
    busy: number
    log: number
    checkpointed: number
  }[]
  return result !== undefined && result.busy === 0 && result.log === result.checkpointed
}
