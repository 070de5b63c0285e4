import type { Database, Statement } from 'better-sqlite3'

export class DemoReader {
  readonly #notes: Statement<[], [string, string]>

  constructor(db: Database) {
    this.#notes = db
      .prepare<[], [string, string]>('SELECT name, text FROM demo ORDER BY name')
      .raw()
  }

  /** Names with their texts. */
  notes(): readonly (readonly [string, string])[] {
    return this.#notes.all()
  }
}
