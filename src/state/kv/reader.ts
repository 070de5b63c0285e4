import type { Database, Statement } from 'better-sqlite3'
import { afterKey, afterPrefix } from './key-range.ts'
import type { Bound } from './key-range.ts'
import { kvSubject } from './subjects.ts'
import { floorKey } from './tables.ts'
import type { EntryRow } from './tables.ts'

/** A key with its value. */
export interface KvEntry {
  readonly key: string
  readonly value: Uint8Array
  /** Decimal, up to 2^64-1. */
  readonly flags: string
  readonly lockIndex: number
  /** The session that holds the lock; '' for none. */
  readonly session: string
  readonly createIndex: number
  readonly modifyIndex: number
}

/** Bytes of values that a page should have. */
const pageBytes = 128 * 1024
const pageRowsMax = 256
const firstPageRows = 8
/** Prefixes whose indexes are remembered. */
const indexesMax = 1000

/** Reads the key/value store over one connection. Lists are read page by page, in the bytewise order of keys. */
export class KvReader {
  readonly #sql: ReturnType<typeof prepare>
  /** Of prefixes, as of one applied index: a change wakes all who wait for a prefix, and each looks at all of its keys. */
  readonly #indexes = new Map<string, number>()
  #indexesOf = -1

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  entry(key: string): KvEntry | undefined {
    const row = this.#sql.entry.get(key)
    return row === undefined ? undefined : entryOf(row)
  }

  has(key: string): boolean {
    return this.#sql.index.get(key) !== undefined
  }

  /** All entries whose key begins with `prefix`. */
  *entries(prefix: string): Generator<KvEntry, void> {
    const end = afterPrefix(prefix)
    let [from, limit] = [prefix, firstPageRows]
    for (;;) {
      const rows = this.#sql.entries.all(from, end, limit)
      let bytes = 0
      for (const row of rows) {
        bytes += row.value.length
        yield entryOf(row)
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < limit) return
      from = afterKey(last.key)
      const fitting = Math.floor((pageBytes * rows.length) / Math.max(1, bytes))
      limit = Math.max(1, Math.min(pageRowsMax, 4 * limit, fitting))
    }
  }

  /**
   * All keys that begin with `prefix`, each up to the end of the first `separator` behind the prefix, and
   * each once; "" for whole keys. Keys that only differ behind a separator are skipped, not read.
   */
  *keys(prefix: string, separator = ''): Generator<string, void> {
    const end = afterPrefix(prefix)
    let [from, limit]: [Bound, number] = [prefix, firstPageRows]
    for (;;) {
      const keys = this.#sql.keys.all(from, end, limit)
      let next: Bound | undefined
      for (const key of keys) {
        const at = separator === '' ? -1 : key.indexOf(separator, prefix.length)
        const shown = at < 0 ? key : key.slice(0, at + separator.length)
        yield shown
        next = at < 0 ? afterKey(key) : afterPrefix(shown)
        if (at >= 0) break
      }
      const last = keys.at(-1)
      if (next === undefined || last === undefined) return
      const isSkipped = next !== afterKey(last)
      if (!isSkipped && keys.length < limit) return
      from = next
      limit = isSkipped ? firstPageRows : Math.min(pageRowsMax, 4 * limit)
    }
  }

  /** The last entry of the log that it shows. */
  appliedIndex(): number {
    return this.#sql.appliedIndex.get() ?? 0
  }

  /** The index of a subject; see {@link kvSubject}. */
  indexOf(subject: string): number {
    const colon = subject.indexOf(':')
    // A subject of no key: nothing moves it.
    if (colon < 0) return this.#floor()
    const name = subject.slice(colon + 1)
    return subject === kvSubject.key(name) ? this.indexOfKey(name) : this.indexOfPrefix(name)
  }

  /** The entry of the log that changed a key last, also one that is gone; 0: none is known. */
  indexOfKey(key: string): number {
    const entry = this.#sql.index.get(key)
    if (entry !== undefined) return entry
    return Math.max(this.#sql.tombstone.get(key) ?? 0, this.#floor())
  }

  /** The entry that last changed a key that begins with `prefix`, also one that is gone; 0: none is known. */
  indexOfPrefix(prefix: string): number {
    const appliedIndex = this.appliedIndex()
    if (appliedIndex !== this.#indexesOf || this.#indexes.size >= indexesMax) {
      this.#indexes.clear()
      this.#indexesOf = appliedIndex
    }
    const known = this.#indexes.get(prefix)
    if (known !== undefined) return known
    const end = afterPrefix(prefix)
    const live = this.#sql.lastChange.get(prefix, end) ?? 0
    const index = Math.max(live, this.#sql.lastDeletion.get(prefix, end) ?? 0, this.#floor())
    this.#indexes.set(prefix, index)
    return index
  }

  #floor(): number {
    return this.#sql.tombstone.get(floorKey) ?? 0
  }
}

function prepare(db: Database) {
  const one = <P extends unknown[], R>(text: string): Statement<P, R> =>
    db.prepare<P, R>(text).pluck()
  const range = 'WHERE key >= ? AND key < ?'
  return {
    entry: db.prepare<[string], EntryRow>('SELECT * FROM kv WHERE key = ?'),
    entries: db.prepare<[string, Bound, number], EntryRow>(
      `SELECT * FROM kv ${range} ORDER BY key LIMIT ?`,
    ),
    keys: one<[Bound, Bound, number], string>(`SELECT key FROM kv ${range} ORDER BY key LIMIT ?`),
    appliedIndex: one<[], number>("SELECT value FROM meta WHERE key = 'applied_index'"),
    index: one<[string], number>('SELECT modify_index FROM kv WHERE key = ?'),
    tombstone: one<[string], number>('SELECT modify_index FROM kv_tombstones WHERE key = ?'),
    lastChange: one<[string, Bound], number | null>(`SELECT max(modify_index) FROM kv ${range}`),
    lastDeletion: one<[string, Bound], number | null>(
      `SELECT max(+modify_index) FROM kv_tombstones ${range}`,
    ),
  }
}

function entryOf(row: EntryRow): KvEntry {
  return {
    key: row.key,
    value: row.value,
    flags: row.flags,
    lockIndex: row.lock_index,
    session: row.session,
    createIndex: row.create_index,
    modifyIndex: row.modify_index,
  }
}
