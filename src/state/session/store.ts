import type { Database } from 'better-sqlite3'
import { checksTable, nodesTable } from '../catalog/tables.ts'
import type { EntryFields, KvStore } from '../kv/store.ts'
import type { EntryRow } from '../kv/tables.ts'
import type { Change } from '../machine/change.ts'
import { LockDelays } from './lock-delays.ts'
import type { SessionDefinition } from './model.ts'
import { checkIdsOf, rowOf, sessionOf } from './rows.ts'
import { sessionSubject } from './subjects.ts'
import { sessionChecksTable, sessionsTable } from './tables.ts'
import type { SessionCheckRow, SessionRow } from './tables.ts'

/** Why a session cannot be made. */
export interface SessionRefusal {
  readonly error: 'unknown-node' | 'unknown-check' | 'critical-check'
  /** The name of the node, or the ID of the check. */
  readonly subject: string
}

/** What locking a key came to; `held`: by another session. */
export type Acquired = 'acquired' | 'held' | 'lock-delay' | 'unknown-session'

/** So many of its keys are in memory while a session ends. */
const pageRows = 64

/**
 * The operations on sessions and locks, for the commands of this family and of those above it. `gate` is the
 * gate of the session family, and `kv` is the store over the gate of the kv family.
 */
export class SessionStore {
  readonly #gate: Change
  readonly #kv: KvStore
  readonly #sql: ReturnType<typeof prepare>
  readonly delays: LockDelays

  constructor(db: Database, gate: Change, kv: KvStore) {
    this.#gate = gate
    this.#kv = kv
    this.#sql = prepare(db)
    this.delays = new LockDelays(db, gate)
  }

  /** Ends the sessions whose node is removed, and those of which a check is removed or becomes critical. */
  watchCatalog(): void {
    this.#gate.after(checksTable, (row, before) => {
      if (row !== undefined && row.status !== 'critical') return
      const { node_key, check_id } = row ?? before ?? { node_key: '', check_id: '' }
      for (const id of this.#sql.ofCheck.all(node_key, check_id)) this.end(id)
    })
    this.#gate.after(nodesTable, (row, before) => {
      if (row !== undefined || before === undefined) return
      for (const id of this.#sql.ofNode.all(before.key)) this.end(id)
    })
  }

  session(id: string): SessionRow | undefined {
    return this.#sql.session.get(id)
  }

  /** Why a session cannot be made; undefined when it can. */
  refusal({ node, ...rest }: SessionDefinition): SessionRefusal | undefined {
    const nodeKey = node.toLowerCase()
    if (this.#sql.hasNode.get(nodeKey) === undefined)
      return { error: 'unknown-node', subject: node }
    for (const id of checkIdsOf({ node, ...rest })) {
      const status = this.#sql.checkStatus.get(nodeKey, id)
      if (status === undefined) return { error: 'unknown-check', subject: id }
      if (status === 'critical') return { error: 'critical-check', subject: id }
    }
    return undefined
  }

  /** Adds a session that is not there yet, and that {@link refusal} does not refuse. */
  create(session: SessionDefinition): void {
    const row = rowOf(session, this.#gate.index)
    this.#gate.put(sessionsTable, row, undefined)
    for (const check of checkRows(row)) this.#gate.put(sessionChecksTable, check, undefined)
    this.#touch(row)
    this.#gate.come(sessionSubject.session(row.id))
    this.#gate.come(sessionSubject.node(row.node_key))
  }

  /** Ends a session, if it is there. `keepsKeys`: they are released, whatever its behavior is. */
  end(id: string, keepsKeys = false): void {
    const row = this.session(id)
    if (row === undefined) return
    this.#gate.remove(sessionsTable, row)
    for (const check of checkRows(row)) this.#gate.remove(sessionChecksTable, check)
    this.#touch(row)
    this.#gate.gone(sessionSubject.session(id))
    const isLast = this.#sql.ofNode.get(row.node_key) === undefined
    if (isLast) this.#gate.gone(sessionSubject.node(row.node_key))
    const isDeleting = row.behavior === 'delete' && !keepsKeys
    for (;;) {
      const keys = this.#sql.keysOf.all(id, pageRows)
      for (const key of keys) this.#giveUp(key, row, isDeleting)
      if (keys.length < pageRows) return
    }
  }

  /** Locks a key and replaces what it says, unless it is locked. */
  acquire(key: string, { value, flags }: EntryFields, session: string): Acquired {
    if (this.session(session) === undefined) return 'unknown-session'
    const before = this.#kv.entry(key)
    const holder = before?.session ?? ''
    if (holder !== '' && holder !== session) return 'held'
    if (holder === '' && this.delays.of(key) !== undefined) return 'lock-delay'
    const taken = before?.lock_index ?? 0
    const lockIndex = holder === session ? taken : taken + 1
    this.#kv.put(key, { value, flags, session, lockIndex }, before)
    return 'acquired'
  }

  /** Unlocks a key and replaces what it says; false if the session does not hold it. */
  release(key: string, { value, flags }: EntryFields, session: string): boolean {
    const before = this.#kv.entry(key)
    if (before === undefined || before.session !== session) return false
    this.#kv.put(key, { value, flags, session: '' }, before)
    return true
  }

  /** Gives a key the lock of an archive. */
  restoreLock(key: string, session: string, lockIndex: number): void {
    const before = this.#kv.entry(key)
    if (before === undefined) return
    const holder = this.session(session) === undefined ? '' : session
    const rest = { session: holder, lockIndex: Math.max(before.lock_index, lockIndex) }
    this.#kv.put(key, { value: before.value, flags: before.flags, ...rest }, before)
  }

  #giveUp(key: EntryRow, { lock_delay_ns }: SessionRow, isDeleting: boolean): void {
    if (isDeleting) this.#kv.remove(key)
    else this.#kv.put(key.key, { value: key.value, flags: key.flags, session: '' }, key)
    if (lock_delay_ns > 0) this.delays.begin(key.key, lock_delay_ns)
  }

  #touch({ id, node_key }: SessionRow): void {
    this.#gate.touch(sessionSubject.all)
    this.#gate.touch(sessionSubject.session(id))
    this.#gate.touch(sessionSubject.node(node_key))
  }
}

function checkRows(row: SessionRow): readonly SessionCheckRow[] {
  const { node_key, id: session } = row
  return checkIdsOf(sessionOf(row)).map((check_id) => ({ node_key, check_id, session }))
}

function prepare(db: Database) {
  return {
    session: db.prepare<[string], SessionRow>('SELECT * FROM sessions WHERE id = ?'),
    ofNode: db
      .prepare<[string], string>('SELECT id FROM sessions WHERE node_key = ? ORDER BY id')
      .pluck(),
    ofCheck: db
      .prepare<[string, string], string>(
        'SELECT session FROM session_checks WHERE node_key = ? AND check_id = ? ORDER BY session',
      )
      .pluck(),
    keysOf: db.prepare<[string, number], EntryRow>(
      `SELECT * FROM kv WHERE session = ? AND session <> '' ORDER BY key LIMIT ?`,
    ),
    hasNode: db.prepare<[string]>('SELECT 1 FROM nodes WHERE key = ?'),
    checkStatus: db
      .prepare<[string, string], string>(
        'SELECT status FROM checks WHERE node_key = ? AND check_id = ?',
      )
      .pluck(),
  }
}
