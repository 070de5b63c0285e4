import type { Database, Statement } from 'better-sqlite3'
import { forgottenUpTo } from '../machine/subjects.ts'
import type { Lock, LockDelay, Session } from './model.ts'
import { sessionOf } from './rows.ts'
import type { SessionRow } from './tables.ts'

/** A session that ends by silence. */
export interface TimedSession {
  readonly id: string
  readonly ttlMs: number
  readonly lockDelayNs: number
  readonly index: number
}

const pageRows = 256

/** Reads sessions and locks over one connection. Lists are read page by page. */
export class SessionReader {
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  session(id: string): Session | undefined {
    const row = this.#sql.session.get(id)
    return row === undefined ? undefined : sessionOf(row)
  }

  has(id: string): boolean {
    return this.#sql.has.get(id) !== undefined
  }

  /** All sessions, by their IDs. */
  *sessions(): Generator<Session, void> {
    let after = ''
    for (;;) {
      const rows = this.#sql.sessions.all(after, pageRows)
      for (const row of rows) yield sessionOf(row)
      const last = rows.at(-1)
      if (last === undefined || rows.length < pageRows) return
      after = last.id
    }
  }

  /** The sessions of a node, by their IDs. */
  *sessionsOf(node: string): Generator<Session, void> {
    const key = node.toLowerCase()
    let after = ''
    for (;;) {
      const rows = this.#sql.ofNode.all(key, after, pageRows)
      for (const row of rows) yield sessionOf(row)
      const last = rows.at(-1)
      if (last === undefined || rows.length < pageRows) return
      after = last.id
    }
  }

  /** The sessions with a TTL that were made after entry `index`. */
  timedAfter(index: number): readonly TimedSession[] {
    return this.#sql.timedAfter.all(index)
  }

  lockDelay(key: string): LockDelay | undefined {
    return this.#sql.lockDelay.get(key)
  }

  /** Whether a key is free, and no session may lock it yet. */
  isReserved(key: string): boolean {
    return this.lockDelay(key) !== undefined && (this.lock(key)?.session ?? '') === ''
  }

  /** The lock-delays that began after entry `index`. */
  lockDelaysAfter(index: number): readonly LockDelay[] {
    return this.#sql.lockDelaysAfter.all(index)
  }

  /** The keys that are locked, or were, by the bytes of their names. */
  *locks(): Generator<Lock, void> {
    let after = ''
    for (;;) {
      const locks = this.#sql.locks.all(after, pageRows)
      yield* locks
      const last = locks.at(-1)
      if (last === undefined || locks.length < pageRows) return
      after = last.key
    }
  }

  /** Undefined: there is no such key. */
  lock(key: string): Lock | undefined {
    return this.#sql.lock.get(key)
  }

  /** The last entry that it shows. */
  appliedIndex(): number {
    return this.#sql.applied.get() ?? 0
  }

  /** As CatalogReader.indexOf. */
  indexOf(subject: string): number {
    return this.#sql.index.get(subject) ?? forgottenUpTo(this.appliedIndex())
  }
}

function prepare(db: Database) {
  const one = <P extends unknown[], R>(text: string): Statement<P, R> =>
    db.prepare<P, R>(text).pluck()
  const delay = 'SELECT key, delay_ns AS delayNs, modify_index AS "index" FROM lock_delays'
  const lock = 'SELECT key, session, lock_index AS lockIndex FROM kv'
  return {
    session: db.prepare<[string], SessionRow>('SELECT * FROM sessions WHERE id = ?'),
    has: db.prepare<[string]>('SELECT 1 FROM sessions WHERE id = ?'),
    sessions: db.prepare<[string, number], SessionRow>(
      'SELECT * FROM sessions WHERE id > ? ORDER BY id LIMIT ?',
    ),
    ofNode: db.prepare<[string, string, number], SessionRow>(
      'SELECT * FROM sessions WHERE node_key = ? AND id > ? ORDER BY id LIMIT ?',
    ),
    timedAfter: db.prepare<[number], TimedSession>(
      `SELECT id, ttl_ms AS ttlMs, lock_delay_ns AS lockDelayNs, create_index AS "index" FROM sessions
       WHERE create_index > ? AND ttl_ms > 0 ORDER BY create_index`,
    ),
    lockDelay: db.prepare<[string], LockDelay>(`${delay} WHERE key = ?`),
    lockDelaysAfter: db.prepare<[number], LockDelay>(
      `${delay} WHERE modify_index > ? ORDER BY modify_index`,
    ),
    lock: db.prepare<[string], Lock>(`${lock} WHERE key = ?`),
    locks: db.prepare<[string, number], Lock>(
      `${lock} WHERE key > ? AND lock_index > 0 ORDER BY key LIMIT ?`,
    ),
    applied: one<[], number>("SELECT value FROM meta WHERE key = 'applied_index'"),
    index: one<[string], number>('SELECT modify_index FROM subjects WHERE subject = ?'),
  }
}
