import type { Database } from 'better-sqlite3'
import { CatalogMachine } from '../catalog/apply.ts'
import type { BatchResult, CommittedCommand } from '../catalog/apply.ts'
import { CatalogReader } from '../catalog/query.ts'
import { catalogMigrations, catalogVersion } from '../catalog/schema.ts'
import { checkpoint, migrate, openDatabase } from './sqlite.ts'

/**
 * state.db as the replica thread writes it. NORMAL: a power cut may take it back to an older
 * consistent state, and replaying the log from its `applied_index` brings it forward again.
 */
export class StateWriter {
  readonly #db: Database
  readonly #machine: CatalogMachine
  #durableIndex = 0

  constructor(path: string) {
    this.#db = openDatabase(path, {
      mode: 'read-write',
      synchronous: 'NORMAL',
      automaticCheckpoint: false,
    })
    migrate(this.#db, { path, version: catalogVersion, migrations: catalogMigrations })
    this.#machine = new CatalogMachine(this.#db)
    this.checkpoint()
  }

  get appliedIndex(): number {
    return this.#machine.appliedIndex
  }

  /** The applied index that a power cut cannot take back; only up to it may the log be compacted. */
  get durableIndex(): number {
    return this.#durableIndex
  }

  applyBatch(entries: readonly CommittedCommand[]): BatchResult {
    return this.#machine.applyBatch(entries)
  }

  /** Moves the WAL into the file. A reader that lingers makes it incomplete; the next one tries again. */
  checkpoint(): void {
    const applied = this.#machine.appliedIndex
    if (checkpoint(this.#db)) this.#durableIndex = applied
  }

  close(): void {
    this.checkpoint()
    this.#db.close()
  }
}

/** A read-only connection to state.db, for one thread. */
export class StateReader {
  readonly catalog: CatalogReader
  readonly #db: Database

  constructor(path: string) {
    this.#db = openDatabase(path, { mode: 'read-only', synchronous: 'NORMAL' })
    this.catalog = new CatalogReader(this.#db)
  }

  /** Runs `query` in one read transaction: all it reads is of one moment. It must be synchronous. */
  read<T>(query: (catalog: CatalogReader) => T): T {
    if (this.#db.inTransaction) return query(this.catalog)
    this.begin()
    try {
      return query(this.catalog)
    } finally {
      this.end()
    }
  }

  /** Opens a read transaction unless one is open: for several reads of one batch of packets. */
  begin(): void {
    if (!this.#db.inTransaction) this.#db.exec('BEGIN')
  }

  /** Closes it. A transaction left open would keep the WAL from ever being checkpointed. */
  end(): void {
    if (this.#db.inTransaction) this.#db.exec('COMMIT')
  }

  close(): void {
    this.#db.close()
  }
}
