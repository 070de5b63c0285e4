import type { Database, Statement } from 'better-sqlite3'
import type { DnsCookieRow } from './tables.ts'

/** Reads the secrets of DNS cookies over one connection. */
export class DnsCookieReader {
  readonly #row: Statement<[], DnsCookieRow>

  constructor(db: Database) {
    this.#row = db.prepare<[], DnsCookieRow>('SELECT * FROM dns_cookie')
  }

  /** Undefined: there is no secret yet. */
  stored(): DnsCookieRow | undefined {
    return this.#row.get()
  }
}
