import { chmodSync, existsSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { SvcdError, svcdError } from '../base/errors.ts'
import { InvariantError, must } from '../base/assert.ts'
import { loadSqlite } from './sqlite-driver.ts'

export interface OpenOptions {
  readonly mode: 'read-write' | 'read-only'
  /** FULL syncs the WAL at every COMMIT; NORMAL only at checkpoints. better-sqlite3 builds default to NORMAL. */
  readonly synchronous: 'FULL' | 'NORMAL'
  /** Holds the file's lock for as long as it is open: the lock on the data directory. */
  readonly exclusive?: boolean
  /** False: checkpoints only when asked (an automatic one every 1000 pages doubles the cost of a command). */
  readonly automaticCheckpoint?: boolean
  /** The size to which a WAL that had to grow is cut once all of it is in the database; unlimited unless given. */
  readonly walKeptBytes?: number
  /** Of the pages that the connection keeps in memory; 1 MiB unless given. */
  readonly cacheKib?: number
  /** WAL unless given. DELETE: for a file that has nothing beside it when it is closed. */
  readonly journal?: 'WAL' | 'DELETE'
}

/**
 * A build's default of 16 MB is one for each of six connections. Readers of a WAL gain nothing by
 * it: their cache is void after every commit of the writer.
 */
const cacheKibDefault = 1024

/**
 * Opens a database in WAL mode; the one door to better-sqlite3 (`sqlite-driver.ts` picks its
 * release). Throws SvcdError `data-dir-in-use` when another process holds it, `data-dir-unusable`
 * when the file cannot be opened, and `data-corrupt` when it is not a database.
 */
export function openDatabase(path: string, options: OpenOptions): Database {
  const readOnly = options.mode === 'read-only'
  let database: Database | undefined
  try {
    database = new (loadSqlite())(path, {
      readonly: readOnly,
      fileMustExist: readOnly,
      timeout: readOnly ? 5000 : 0,
    })
    if (!readOnly) makePrivate(path)
    database.pragma(`cache_size = -${options.cacheKib ?? cacheKibDefault}`)
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

/**
 * Registrations are for clients that may ask the agent, so only its user reads the files. SQLite
 * gives the files that it makes beside a database the mode of the database.
 */
function makePrivate(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    if (existsSync(file)) chmodSync(file, 0o600)
  }
}

function setPragmas(database: Database, options: OpenOptions): void {
  database.pragma(`journal_mode = ${options.journal ?? 'WAL'}`)
  database.pragma(`synchronous = ${options.synchronous}`)
  if (options.automaticCheckpoint === false) database.pragma('wal_autocheckpoint = 0')
  if (options.walKeptBytes !== undefined)
    database.pragma(`journal_size_limit = ${options.walKeptBytes}`)
  const levels = ['OFF', 'NORMAL', 'FULL', 'EXTRA']
  const level = levels[Number(database.pragma('synchronous', { simple: true }))]
  // Durability hangs on this one setting, so it is read back instead of trusted.
  if (level !== options.synchronous) throw new Error(`synchronous is ${level ?? 'unknown'}`)
}

/** What an error of SQLite at the opening of `path` means to who starts a node. */
export function openError(path: string, error: unknown): Error {
  if (error instanceof SvcdError || error instanceof InvariantError) return error
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
  /** Oldest format that can be brought to `version`; the one that `migrations[0]` creates. */
  readonly oldest?: number
  /** Statements that create the oldest format, and then those that raise it by one each. */
  readonly migrations: readonly string[]
  /** Called in the transaction that brings a database to `version`, with the format that was found; 0: none. */
  readonly begin?: (database: Database, found: number) => void
  /** As `begin`, at the end of the transaction. */
  readonly finish?: (database: Database, found: number) => void
}

/**
 * Creates or upgrades the tables of a database, its format number kept in `user_version`. Throws
 * SvcdError `data-dir-newer` for a format from the future, `data-dir-older` for one that nothing
 * leads from, and changes nothing then.
 */
export function migrate(database: Database, format: Format): void {
  const { version: known, oldest = 1, path } = format
  const found = formatOf(database)
  const place = {
    path: path.slice(0, Math.max(path.lastIndexOf('/'), 1)),
    file: path.slice(path.lastIndexOf('/') + 1),
  }
  if (found > known) throw svcdError('data-dir-newer', { ...place, found, known })
  if (found !== 0 && found < oldest) {
    throw svcdError('data-dir-older', { ...place, found, oldest, known })
  }
  if (found === known) return
  // One transaction, so that a migration that was cut off begins again with the format that it found.
  database.transaction(() => {
    format.begin?.(database, found)
    for (let to = found === 0 ? oldest : found + 1; to <= known; to++) {
      database.exec(must(format.migrations[to - oldest], `a migration to format ${to}`))
    }
    database.pragma(`user_version = ${known}`)
    format.finish?.(database, found)
  })()
}

/** The format number of a database; 0 when it has no tables yet. */
export function formatOf(database: Database, schema = 'main'): number {
  return Number(database.pragma(`${schema}.user_version`, { simple: true }))
}

export interface Checkpointed {
  /** All of the WAL is in the file, and synced: everything committed before is durable. */
  readonly isComplete: boolean
  /** What the WAL still holds, moved or not. */
  readonly walBytes: number
}

const walFrameBytes = 4096 + 24

/**
 * Moves the WAL into the database file. PASSIVE does not wait for readers; TRUNCATE waits for those
 * that still need the WAL, as long as the connection's busy timeout, and empties the file of the WAL.
 */
export function checkpoint(
  database: Database,
  mode: 'PASSIVE' | 'TRUNCATE' = 'PASSIVE',
): Checkpointed {
  const [row] = database.pragma(`wal_checkpoint(${mode})`) as {
    busy: number
    log: number
    checkpointed: number
  }[]
  const { busy, log, checkpointed } = must(row, 'a checkpoint says what it came to')
  return {
    isComplete: busy === 0 && log === checkpointed,
    walBytes: Math.max(log, 0) * walFrameBytes,
  }
}

/** The size of the WAL, without doing anything about it. */
export function walBytesOf(database: Database): number {
  const [row] = database.pragma('wal_checkpoint(NOOP)') as { log: number }[]
  return Math.max(row?.log ?? 0, 0) * walFrameBytes
}

/** Throws SvcdError `data-corrupt` for an invalid page; some tenths of a second for 100 MB. */
export function refuseDamaged(database: Database, path: string): void {
  const reason = faultBy(database, 'quick_check(1)')
  if (reason !== undefined) throw svcdError('data-corrupt', { file: path, reason })
}

/** What SQLite itself finds, on one line; undefined: nothing. */
export function faultBy(
  database: Database,
  check: `${'quick' | 'integrity'}_check(${string})`,
): string | undefined {
  const found = database.pragma(check, { simple: true })
  if (found === 'ok') return undefined
  const text = typeof found === 'string' ? found : 'it cannot be checked'
  return text.replace('*** in database main ***', '').replaceAll(/\s+/g, ' ').trim()
}

/** Replaces the whole content of the database `to`, which others may have open, by that of `from`. */
export async function copyPages(from: string, to: string): Promise<void> {
  const database = openDatabase(from, { mode: 'read-only', synchronous: 'NORMAL' })
  try {
    // All together: in one transaction of the target.
    await database.backup(to, { progress: () => 0x7fff_ffff })
  } finally {
    database.close()
  }
}
