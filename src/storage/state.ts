import { copyFileSync, existsSync, rmSync } from 'node:fs'
import type { Database, Statement } from 'better-sqlite3'
import { must } from '../base/assert.ts'
import { reasonOf, SvcdError, svcdError } from '../base/errors.ts'
import type { Outcome } from '../state/machine/command.ts'
import type { BatchResult, CommittedCommand, Machine } from '../state/machine/apply.ts'
import {
  openMachine,
  stateMigrations,
  stateTables,
  stateVersion,
  tablesChangedSince,
} from '../state/families.ts'
import { catalogFamily } from '../state/catalog/family.ts'
import { CatalogReader } from '../state/catalog/query.ts'
import { SessionReader } from '../state/session/reader.ts'
import { AclReader } from '../state/acl/reader.ts'
import { AutopilotReader } from '../state/autopilot/reader.ts'
import { DnsCookieReader } from '../state/dns-cookie/reader.ts'
import type { ReadableFamily } from '../state/machine/family.ts'
import { extendSums, initializeSums, isSoundTable, SumsError } from '../state/machine/sums.ts'
import { defineAddressKeys, summedVersion, widenServiceIndex } from '../state/catalog/schema.ts'
import {
  checkpoint,
  copyPages,
  formatOf,
  migrate,
  openDatabase,
  openError,
  walBytesOf,
} from './sqlite.ts'
import { isSignOfDamage } from './state-check.ts'
import { appliedIn, restoreTables, stateHash } from './state-tables.ts'

/** How long a WAL that has grown waits for the readers of its old frames, with the writer. */
const busyTimeoutMs = 20
const walBytesMax = 32 * 1024 * 1024
/** SQLite never shrinks the file of a WAL by itself, so one slow reader would make it large permanently. */
const walKeptBytes = 12 * 1024 * 1024
/** The only writer keeps its pages: it looks up each row that it may change. */
const writerCacheKib = 4096

export interface StateOptions {
  /** A reader keeps the WAL from being emptied; called at 64 MiB, and whenever it has doubled. */
  readonly onWalGrown?: (walBytes: number) => void
}

/**
 * state.db as the replica thread writes it. NORMAL: a power cut may take it back to an older
 * consistent state, and replaying the log from its `applied_index` brings it forward again.
 */
export class StateWriter {
  readonly #db: Database
  readonly #options: StateOptions
  readonly #shift: Statement<[number]>
  /** The applied entries, for the thread that writes them. */
  readonly catalog: CatalogReader
  readonly sessions: SessionReader
  readonly tokens: AclReader
  readonly autopilot: AutopilotReader
  readonly dnsCookies: DnsCookieReader
  #machine: Machine
  #durableIndex = 0
  #warnAtBytes = 2 * walBytesMax

  /** Throws SvcdError `data-corrupt`, `data-dir-unusable`, `data-dir-newer`. */
  constructor(path: string, options: StateOptions = {}) {
    this.#options = options
    this.#db = openDatabase(path, {
      mode: 'read-write',
      synchronous: 'NORMAL',
      automaticCheckpoint: false,
      cacheKib: writerCacheKib,
      walKeptBytes,
    })
    try {
      toPresentFormat(this.#db, path)
      if (appliedIn(this.#db) === undefined) {
        throw svcdError('data-corrupt', { file: path, reason: 'it has no applied index' })
      }
      this.#machine = openMachine(this.#db)
      this.catalog = new CatalogReader(this.#db)
      this.sessions = new SessionReader(this.#db)
      this.tokens = new AclReader(this.#db)
      this.autopilot = new AutopilotReader(this.#db)
      this.dnsCookies = new DnsCookieReader(this.#db)
      this.#shift = this.#db.prepare(
        "UPDATE meta SET value = value + ? WHERE key = 'applied_index'",
      )
      this.#db.pragma(`busy_timeout = ${busyTimeoutMs}`)
      this.checkpoint()
    } catch (error) {
      this.#db.close()
      if (error instanceof SumsError) {
        throw svcdError('data-corrupt', { file: path, reason: error.message }, error)
      }
      throw openError(path, error)
    }
  }

  get appliedIndex(): number {
    return this.#machine.appliedIndex
  }

  /** What an applied request came to; undefined: that is forgotten. */
  outcomeOf(requestId: string): Outcome | undefined {
    return this.#machine.outcomeOf(requestId)
  }

  /** The newest format that the log has taken into use; 0 for none. */
  get usedFormat(): number {
    return this.#machine.usedFormat
  }

  /** The applied index that a power cut cannot take back; only up to it may the log be compacted. */
  get durableIndex(): number {
    return this.#durableIndex
  }

  /** What the WAL holds, moved into the file or not. */
  get walBytes(): number {
    return walBytesOf(this.#db)
  }

  applyBatch(entries: readonly CommittedCommand[]): BatchResult {
    return this.#machine.applyBatch(entries)
  }

  /**
   * Becomes the state of a verified snapshot's file, in one transaction; the caller then bumps the
   * generation of the versions, for everything cached is void. One of an older release is brought to
   * the present format first, in a copy. Throws SvcdError `snapshot-unusable`, and nothing is changed
   * then.
   */
  restore(file: string, expected: { readonly index: number; readonly term: number }): void {
    if (isOfOlderFormat(file)) {
      inPresentFormat(file, (copy) => restoreTables(this.#db, copy, expected))
    } else restoreTables(this.#db, file, expected)
    this.#machine = openMachine(this.#db)
    this.#durableIndex = 0
    this.checkpoint()
  }

  /**
   * Becomes the state in `file`, page by page and in one transaction: other connections see the old
   * state or the new one, and nothing of the old file need be readable. (`DELETE` would read it.) The
   * caller then bumps the generation of the versions, as after {@link restore}.
   */
  async replaceBy(file: string): Promise<void> {
    await copyPages(file, this.#db.name)
    this.#machine = openMachine(this.#db)
    this.#durableIndex = 0
    this.checkpoint()
  }

  /** What its rows should add up to: equal on all replicas at an equal index, and costs nothing. */
  get sums(): Machine['sums'] {
    return this.#machine.sums
  }

  /** For comparing replicas at an equal applied index; see {@link stateHash} for what it costs. */
  stateHash(): string {
    return stateHash(this.#db)
  }

  /**
   * Moves the WAL into the file, and makes what was applied durable. A reader that lingers keeps
   * frames from being moved, but not from being synced: it never holds up the log's compaction.
   * Returns whether all of the WAL is in the file.
   */
  checkpoint(): boolean {
    const applied = this.#machine.appliedIndex
    let done = checkpoint(this.#db)
    // Readers come and go without a gap: the writer waits a moment for those on the old frames.
    if (done.walBytes > walBytesMax) done = checkpoint(this.#db, 'TRUNCATE')
    if (!done.isComplete && applied > this.#durableIndex) this.#syncWal()
    this.#durableIndex = applied
    if (done.walBytes < walBytesMax) this.#warnAtBytes = 2 * walBytesMax
    else if (done.walBytes >= this.#warnAtBytes) {
      this.#warnAtBytes = 2 * done.walBytes
      this.#options.onWalGrown?.(done.walBytes)
    }
    return done.isComplete
  }

  /** Gives the space of the WAL back. Readers of old frames may keep it from that, for this time. */
  emptyWal(): void {
    checkpoint(this.#db, 'TRUNCATE')
  }

  close(): void {
    this.checkpoint()
    this.#db.close()
  }

  /** A commit under FULL syncs the WAL, and with it all that was committed before. */
  #syncWal(): void {
    this.#db.pragma('synchronous = FULL')
    this.#db.exec('BEGIN IMMEDIATE')
    // There and back: SQLite writes nothing, and syncs nothing, for a row that is not touched.
    this.#shift.run(1)
    this.#shift.run(-1)
    this.#db.exec('COMMIT')
    this.#db.pragma('synchronous = NORMAL')
  }
}

function toPresentFormat(db: Database, path: string): void {
  defineAddressKeys(db)
  let changed: readonly string[] = []
  migrate(db, {
    path,
    version: stateVersion,
    migrations: stateMigrations,
    begin: (database, found) => {
      if (found < summedVersion) return
      changed = tablesChangedSince(found).filter((table) => isSoundTable(database, table))
    },
    finish: (database, found) => {
      // A format that has sums already keeps them: summed up again, damage that is there would be taken for right.
      if (found < summedVersion) initializeSums(database, stateTables)
      else extendSums(database, stateTables, changed)
    },
  })
  widenServiceIndex(db)
}

/** A file that is not a state at all is left to {@link restoreTables}, which reports what it is. */
function isOfOlderFormat(file: string): boolean {
  if (!existsSync(file)) return false
  let db: Database | undefined
  try {
    db = openDatabase(file, { mode: 'read-only', synchronous: 'NORMAL' })
    const format = formatOf(db)
    return format > 0 && format < stateVersion
  } catch {
    return false
  } finally {
    db?.close()
  }
}

/** A finished snapshot is never written to: others may be sent it, and its checksum is known. */
function inPresentFormat(file: string, use: (copy: string) => void): void {
  // The next start removes what has this name.
  const copy = `${file}.upgrade.tmp`
  try {
    copyFileSync(file, copy)
    const db = openDatabase(copy, {
      mode: 'read-write',
      synchronous: 'NORMAL',
      journal: 'DELETE',
    })
    try {
      toPresentFormat(db, copy)
    } finally {
      db.close()
    }
    use(copy)
  } catch (error) {
    if (error instanceof SvcdError && error.code === 'snapshot-unusable') throw error
    throw svcdError('snapshot-unusable', { file, reason: reasonOf(error) }, error)
  } finally {
    rmSync(copy, { force: true })
  }
}

/** A read-only connection to state.db, for one thread. */
export class StateReader {
  readonly catalog: CatalogReader
  readonly #db: Database
  readonly #begin: Statement<[]>
  readonly #commit: Statement<[]>
  readonly #onSuspicion: (reason: string) => void
  readonly #readers = new Map<string, unknown>()

  /** `onSuspicion` is called when a read meets what looks like damage of the file. */
  constructor(path: string, onSuspicion: (reason: string) => void = () => {}) {
    this.#onSuspicion = onSuspicion
    this.#db = openDatabase(path, { mode: 'read-only', synchronous: 'NORMAL' })
    this.catalog = this.of(catalogFamily)
    this.#begin = this.#db.prepare('BEGIN')
    this.#commit = this.#db.prepare('COMMIT')
  }

  /** The reader of a family over this connection. */
  of<R>(family: ReadableFamily<R>): R {
    const known = this.#readers.get(family.name) as R | undefined
    if (known !== undefined) return known
    const reader = family.reader(this.#db)
    this.#readers.set(family.name, reader)
    return reader
  }

  /**
   * Runs `query` in one read transaction: all it reads is of one moment. It must be synchronous. Throws
   * SvcdError `state-damaged` where a read meets damage.
   */
  read<T>(query: (catalog: CatalogReader) => T): T {
    if (this.#db.inTransaction) return query(this.catalog)
    this.begin()
    try {
      return query(this.catalog)
    } catch (error) {
      throw this.judged(error)
    } finally {
      this.end()
    }
  }

  /** What to throw for an error of a read between {@link begin} and {@link end}. */
  judged(error: unknown): unknown {
    if (!isSignOfDamage(error)) return error
    const reason = reasonOf(error)
    this.#onSuspicion(reason)
    return svcdError('state-damaged', { reason }, error)
  }

  /** Opens a read transaction unless one is open: for several reads of one batch of packets. */
  begin(): void {
    if (!this.#db.inTransaction) this.#begin.run()
  }

  /** Closes it. A transaction left open would keep the WAL from ever being checkpointed. */
  end(): void {
    if (!this.#db.inTransaction) return
    try {
      this.#commit.run()
    } catch {
      // After a read that met damage the COMMIT fails, too. Nothing was written; it only has to end.
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
    }
  }

  /** Of one moment; see the function of this name for what it costs. */
  stateHash(): { readonly index: number; readonly hash: string } {
    return this.read(() => ({ index: must(appliedIn(this.#db)).index, hash: stateHash(this.#db) }))
  }

  close(): void {
    this.#db.close()
  }
}
