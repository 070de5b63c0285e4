import type { Database, Statement } from 'better-sqlite3'
import type { CheckDefinition, ServiceDefinition, Status } from '../catalog/model.ts'
import { must } from '../base/assert.ts'
import { migrate, openDatabase } from './sqlite.ts'

/** Format of agent.db: number n+1 is reached from n by migrations[n]. */
const version1 = `
  CREATE TABLE services (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    known_index INTEGER NOT NULL,
    synced_index INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE checks (
    check_id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL,
    body TEXT NOT NULL,
    run TEXT NOT NULL,
    status TEXT NOT NULL,
    output TEXT NOT NULL,
    ttl_left_ms REAL,
    saved_wall_ms REAL NOT NULL,
    known_index INTEGER NOT NULL,
    synced_index INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX checks_by_service ON checks (service_id, check_id);
  CREATE TABLE removals (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    known_index INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
`
const migrations = [version1]

/** How a row stands to the catalog. */
export interface Standing {
  /** The newest index that the agent knew of when it wrote the row: what changed later is newer. */
  readonly knownIndex: number
  /** The index at which the catalog acknowledged it as it is here; undefined before. */
  readonly syncedIndex: number | undefined
}

export interface ServiceHead extends Standing {
  readonly id: string
}

export interface StoredService extends Standing {
  readonly service: ServiceDefinition
}

/** A check with its present status and output. `Run` is how it is run, kept as JSON. */
export interface StoredCheck<Run> extends Standing {
  readonly check: CheckDefinition
  readonly run: Run
  /** What was left of its TTL when it was saved; undefined for other checks. */
  readonly ttlLeftMs: number | undefined
  /** When status, output and TTL were saved, in wall time. */
  readonly savedWallMs: number
}

export interface CheckProgress {
  readonly checkId: string
  readonly status: Status
  readonly output: string
  readonly ttlLeftMs: number | undefined
  readonly savedWallMs: number
}

/** Something deregistered here of which the catalog has not heard yet. */
export interface Removal {
  readonly kind: 'service' | 'check'
  readonly id: string
}

export interface StoredRemoval extends Removal {
  readonly knownIndex: number
}

interface ServiceRow {
  id: string
  body: string
  known_index: number
  synced_index: number | null
}

interface CheckRow {
  check_id: string
  service_id: string
  body: string
  run: string
  status: string
  output: string
  ttl_left_ms: number | null
  saved_wall_ms: number
  known_index: number
  synced_index: number | null
}

function prepare(db: Database) {
  const sql = <P extends unknown[], R>(text: string): Statement<P, R> => db.prepare<P, R>(text)
  return {
    putService: sql<[string, string, number], unknown>(
      'INSERT OR REPLACE INTO services VALUES (?, ?, ?, NULL)',
    ),
    putCheck: sql<[Omit<CheckRow, 'synced_index'>], unknown>(
      `INSERT OR REPLACE INTO checks VALUES
       (:check_id, :service_id, :body, :run, :status, :output, :ttl_left_ms, :saved_wall_ms,
        :known_index, NULL)`,
    ),
    service: sql<[string], ServiceRow>('SELECT * FROM services WHERE id = ?'),
    services: sql<[], ServiceRow>('SELECT * FROM services ORDER BY id'),
    serviceHeads: sql<[string, number], Omit<ServiceRow, 'body'>>(
      'SELECT id, known_index, synced_index FROM services WHERE id > ? ORDER BY id LIMIT ?',
    ),
    hasService: sql<[string], unknown>('SELECT 1 FROM services WHERE id = ?'),
    check: sql<[string], CheckRow>('SELECT * FROM checks WHERE check_id = ?'),
    checks: sql<[], CheckRow>('SELECT * FROM checks ORDER BY check_id'),
    checksOfService: sql<[string], CheckRow>(
      'SELECT * FROM checks WHERE service_id = ? ORDER BY check_id',
    ),
    checkIdsOfService: sql<[string], { check_id: string }>(
      'SELECT check_id FROM checks WHERE service_id = ? ORDER BY check_id',
    ),
    deleteService: sql<[string], unknown>('DELETE FROM services WHERE id = ?'),
    deleteCheck: sql<[string], unknown>('DELETE FROM checks WHERE check_id = ?'),
    deleteChecksOfService: sql<[string], unknown>('DELETE FROM checks WHERE service_id = ?'),
    serviceSynced: sql<[number, string], unknown>(
      'UPDATE services SET synced_index = ? WHERE id = ?',
    ),
    checkSynced: sql<[number, string], unknown>(
      'UPDATE checks SET synced_index = ? WHERE check_id = ?',
    ),
    saveProgress: sql<[string, string, number | null, number, string], unknown>(
      `UPDATE checks SET status = ?, output = ?, ttl_left_ms = ?, saved_wall_ms = ?
       WHERE check_id = ?`,
    ),
    putRemoval: sql<[string, string, number], unknown>(
      'INSERT OR REPLACE INTO removals VALUES (?, ?, ?)',
    ),
    deleteRemoval: sql<[string, string], unknown>('DELETE FROM removals WHERE kind = ? AND id = ?'),
    removals: sql<[], StoredRemoval>(
      'SELECT kind, id, known_index AS knownIndex FROM removals ORDER BY kind, id',
    ),
  }
}

export interface AgentStoreOptions {
  /** A COMMIT failed: what was written since the last one is not in the file. */
  readonly onLost: (error: unknown) => void
}

/**
 * agent.db: the services and checks of this agent. Services are read on demand, so that a hundred
 * thousand of them cost no memory. All writes of one turn of the event loop are one transaction.
 */
export class AgentStore<Run> {
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepare>
  readonly #options: AgentStoreOptions
  #synchronous: Synchronous = 'NORMAL'
  #group: Group | undefined
  #timer: NodeJS.Immediate | undefined

  /** Throws SvcdError `data-dir-in-use`, `data-dir-unusable`, `data-dir-newer`, `data-corrupt`. */
  constructor(path: string, options: AgentStoreOptions) {
    this.#options = options
    this.#db = openDatabase(path, { mode: 'read-write', synchronous: 'NORMAL', exclusive: true })
    try {
      migrate(this.#db, { path, version: migrations.length, migrations })
      this.#sql = prepare(this.#db)
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  /** Adds or replaces a service, which counts as unacknowledged until {@link serviceSynced}. */
  putService(service: ServiceDefinition, knownIndex: number): void {
    this.#begin('NORMAL')
    this.#sql.putService.run(service.id, JSON.stringify(service), knownIndex)
  }

  putCheck(stored: Omit<StoredCheck<Run>, 'syncedIndex'>): void {
    const { check, run, ttlLeftMs, savedWallMs, knownIndex } = stored
    this.#begin('NORMAL')
    this.#sql.putCheck.run({
      check_id: check.checkId,
      service_id: check.serviceId,
      body: JSON.stringify({ ...check, output: '' }),
      run: JSON.stringify(run),
      status: check.status,
      output: check.output,
      ttl_left_ms: ttlLeftMs ?? null,
      saved_wall_ms: savedWallMs,
      known_index: knownIndex,
    })
  }

  /**
   * Deletes a service with its checks, and remembers that the catalog has to be told. Resolves when
   * that is synced: a power cut cannot bring it back.
   */
  removeService(id: string, knownIndex: number): Promise<void> {
    this.#begin('FULL')
    this.#sql.deleteService.run(id)
    this.#sql.deleteChecksOfService.run(id)
    this.#sql.putRemoval.run('service', id, knownIndex)
    return this.committed()
  }

  /** Deletes a check as {@link removeService} does a service. */
  removeCheck(id: string, knownIndex: number): Promise<void> {
    this.#begin('FULL')
    this.#sql.deleteCheck.run(id)
    this.#sql.putRemoval.run('check', id, knownIndex)
    return this.committed()
  }

  /** Deletes what the catalog holds no longer. */
  dropService(id: string): void {
    this.#begin('NORMAL')
    this.#sql.deleteService.run(id)
    this.#sql.deleteChecksOfService.run(id)
  }

  dropCheck(id: string): void {
    this.#begin('NORMAL')
    this.#sql.deleteCheck.run(id)
  }

  /** The catalog has heard of a removal, or it was registered again. */
  forgetRemoval({ kind, id }: Removal): void {
    this.#begin('NORMAL')
    this.#sql.deleteRemoval.run(kind, id)
  }

  removals(): readonly StoredRemoval[] {
    return this.#sql.removals.all()
  }

  serviceSynced(id: string, index: number): void {
    this.#begin('NORMAL')
    this.#sql.serviceSynced.run(index, id)
  }

  checkSynced(id: string, index: number): void {
    this.#begin('NORMAL')
    this.#sql.checkSynced.run(index, id)
  }

  saveProgress(progress: CheckProgress): void {
    const { checkId, status, output, ttlLeftMs, savedWallMs } = progress
    this.#begin('NORMAL')
    this.#sql.saveProgress.run(status, output, ttlLeftMs ?? null, savedWallMs, checkId)
  }

  service(id: string): StoredService | undefined {
    const row = this.#sql.service.get(id)
    return row === undefined ? undefined : serviceOf(row)
  }

  services(): readonly StoredService[] {
    return this.#sql.services.all().map(serviceOf)
  }

  /** Up to `limit` services in order of id, from the first one behind `afterId`, without contents. */
  serviceHeads(afterId: string, limit: number): readonly ServiceHead[] {
    return this.#sql.serviceHeads.all(afterId, limit).map((row) => ({
      id: row.id,
      knownIndex: row.known_index,
      syncedIndex: row.synced_index ?? undefined,
    }))
  }

  hasService(id: string): boolean {
    return this.#sql.hasService.get(id) !== undefined
  }

  check(id: string): StoredCheck<Run> | undefined {
    const row = this.#sql.check.get(id)
    return row === undefined ? undefined : checkOf<Run>(row)
  }

  checks(): readonly StoredCheck<Run>[] {
    return this.#sql.checks.all().map((row) => checkOf<Run>(row))
  }

  checksOfService(serviceId: string): readonly StoredCheck<Run>[] {
    return this.#sql.checksOfService.all(serviceId).map((row) => checkOf<Run>(row))
  }

  checkIdsOfService(serviceId: string): readonly string[] {
    return this.#sql.checkIdsOfService.all(serviceId).map((row) => row.check_id)
  }

  /** Commits what was written in this turn, now instead of at its end. */
  flush(): void {
    clearImmediate(this.#timer)
    const group = this.#group
    this.#group = undefined
    if (group === undefined) return
    try {
      // SQLite itself rolls back after some errors (a full disk); there is nothing to commit then.
      if (!this.#db.inTransaction) throw new Error('the transaction was rolled back')
      this.#db.exec('COMMIT')
      group.resolve()
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
      this.#options.onLost(error)
      group.reject(error)
    }
  }

  close(): void {
    this.flush()
    this.#db.close()
  }

  /** Resolves when all that was written so far is committed; rejects when it could not be. */
  committed(): Promise<void> {
    return this.#group?.done ?? Promise.resolve()
  }

  /** Joins the open transaction or begins one. `FULL`: its COMMIT is synced. */
  #begin(synchronous: Synchronous): void {
    if (this.#group !== undefined) {
      if (synchronous === 'NORMAL' || this.#synchronous === 'FULL') return
      // `synchronous` cannot change inside a transaction.
      this.flush()
    }
    if (this.#synchronous !== synchronous) this.#db.pragma(`synchronous = ${synchronous}`)
    this.#synchronous = synchronous
    this.#db.exec('BEGIN IMMEDIATE')
    this.#group = promised()
    this.#timer = setImmediate(() => this.flush())
  }
}

type Synchronous = 'NORMAL' | 'FULL'

interface Group {
  readonly done: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

function promised(): Group {
  let resolve: (() => void) | undefined
  let reject: ((error: unknown) => void) | undefined
  const done = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  // Most writers do not wait; `onLost` has been told.
  done.catch(() => {})
  return { done, resolve: must(resolve), reject: must(reject) }
}

function serviceOf(row: ServiceRow): StoredService {
  return {
    service: JSON.parse(row.body) as ServiceDefinition,
    knownIndex: row.known_index,
    syncedIndex: row.synced_index ?? undefined,
  }
}

function checkOf<Run>(row: CheckRow): StoredCheck<Run> {
  const check = JSON.parse(row.body) as CheckDefinition
  return {
    check: { ...check, status: row.status as Status, output: row.output },
    run: JSON.parse(row.run) as Run,
    ttlLeftMs: row.ttl_left_ms ?? undefined,
    savedWallMs: row.saved_wall_ms,
    knownIndex: row.known_index,
    syncedIndex: row.synced_index ?? undefined,
  }
}
