import type { Database } from 'better-sqlite3'
import type { ServiceDefinition } from '../../state/catalog/model.ts'
import { must } from '../../base/assert.ts'
import {
  agentMigrations,
  checkOf,
  headOf,
  pageRows,
  prepareAgentStatements,
  serviceOf,
} from './rows.ts'
import type {
  CheckProgress,
  Head,
  Removal,
  StoredCheck,
  StoredRemoval,
  StoredService,
} from './rows.ts'
import { migrate, openDatabase, openError, refuseDamaged } from '../sqlite.ts'

export interface AgentStoreOptions {
  /** A COMMIT failed: writes since the last one are not in the file. */
  readonly onLost: (error: unknown) => void
}

/**
 * agent.db: the services and checks of this agent. Services are read on demand, so that a hundred
 * thousand of them cost no memory. All writes of one turn of the event loop are one transaction.
 */
export class AgentStore<Run> {
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepareAgentStatements>
  readonly #options: AgentStoreOptions
  #synchronous: Synchronous = 'NORMAL'
  #group: Group | undefined
  #timer: NodeJS.Immediate | undefined

  /** Throws SvcdError `data-dir-in-use`, `data-dir-unusable`, `data-dir-newer`, `data-corrupt`. */
  constructor(path: string, options: AgentStoreOptions) {
    this.#options = options
    this.#db = openDatabase(path, { mode: 'read-write', synchronous: 'NORMAL', exclusive: true })
    try {
      migrate(this.#db, { path, version: agentMigrations.length, migrations: agentMigrations })
      refuseDamaged(this.#db, path)
      this.#sql = prepareAgentStatements(this.#db)
    } catch (error) {
      this.#db.close()
      throw openError(path, error)
    }
  }

  /**
   * Adds or replaces a service, which counts as unacknowledged until {@link serviceSynced}. Returns the
   * name of the one that it replaces.
   */
  putService(service: ServiceDefinition, knownIndex: number): string | undefined {
    this.#begin('NORMAL')
    const { id } = service
    const body = JSON.stringify(service)
    if (this.#sql.addService.run(id, body, knownIndex).changes === 1) return undefined
    const name = this.#sql.serviceName.get(id)
    this.#sql.replaceService.run(id, body, knownIndex)
    return name
  }

  putCheck(stored: Omit<StoredCheck<Run>, 'syncedIndex'>): void {
    const { check, run, ttlLeftMs, savedWallMs, knownIndex } = stored
    this.#begin('NORMAL')
    this.#sql.putCheck.run({
      check_id: check.checkId,
      service_id: check.serviceId,
      body: JSON.stringify({ ...check, evidence: undefined, output: '' }),
      run: JSON.stringify(run),
      status: check.status,
      output: check.output,
      ttl_left_ms: ttlLeftMs ?? null,
      saved_wall_ms: savedWallMs,
      known_index: knownIndex,
      evidence: check.evidence ?? '',
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
    const { checkId, status, evidence, output, ttlLeftMs, savedWallMs } = progress
    this.#begin('NORMAL')
    this.#sql.saveProgress.run(status, evidence, output, ttlLeftMs ?? null, savedWallMs, checkId)
  }

  service(id: string): StoredService | undefined {
    const row = this.#sql.service.get(id)
    return row === undefined ? undefined : serviceOf(row)
  }

  /**
   * By id, read page by page: the caller may stop in between, and sees rows that are written then.
   */
  *services(): Generator<StoredService, void> {
    let after = ''
    for (;;) {
      const rows = this.#sql.services.all(after)
      for (const row of rows) yield serviceOf(row)
      const last = rows.at(-1)
      if (last === undefined || rows.length < pageRows) return
      after = last.id
    }
  }

  servicesNamed(name: string): readonly StoredService[] {
    const rows = this.#sql.servicesTelling.all(`"name":${JSON.stringify(name)}`)
    return rows.map(serviceOf).filter(({ service }) => service.name === name)
  }

  /** How many services and checks there are. */
  counts(): { readonly services: number; readonly checks: number } {
    return must(this.#sql.counts.get())
  }

  /** Up to `limit` services in order of id, from the first one behind `afterId`, without contents. */
  serviceHeads(afterId: string, limit: number): readonly Head[] {
    return this.#sql.serviceHeads.all(afterId, limit).map(headOf)
  }

  /** As {@link serviceHeads}, of checks. */
  checkHeads(afterId: string, limit: number): readonly Head[] {
    return this.#sql.checkHeads.all(afterId, limit).map(headOf)
  }

  /** The services of files, or of the API. */
  serviceIdsOfOwner(owner: 'agent' | 'file'): readonly string[] {
    const rows = this.#sql.servicesWith.all(ownerText(owner))
    return rows.filter(({ body }) => ownerIn(body) === owner).map(({ id }) => id)
  }

  checkIdsOfOwner(owner: 'agent' | 'file'): readonly string[] {
    const rows = this.#sql.checksWith.all(ownerText(owner))
    return rows.filter(({ body }) => ownerIn(body) === owner).map(({ id }) => id)
  }

  hasService(id: string): boolean {
    return this.#sql.hasService.get(id) !== undefined
  }

  check(id: string): StoredCheck<Run> | undefined {
    const row = this.#sql.check.get(id)
    return row === undefined ? undefined : checkOf<Run>(row)
  }

  /** By id, as {@link services}. */
  *checks(): Generator<StoredCheck<Run>, void> {
    let after = ''
    for (;;) {
      const rows = this.#sql.checks.all(after)
      for (const row of rows) yield checkOf<Run>(row)
      const last = rows.at(-1)
      if (last === undefined || rows.length < pageRows) return
      after = last.check_id
    }
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

/** What to look for before anything is parsed: nearly all rows are the others. */
function ownerText(owner: 'agent' | 'file'): string {
  return `"owner":"${owner}"`
}

function ownerIn(json: string): unknown {
  return (JSON.parse(json) as { readonly owner?: unknown }).owner
}
