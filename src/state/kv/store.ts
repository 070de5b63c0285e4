import type { Database } from 'better-sqlite3'
import type { Change } from '../machine/change.ts'
import { isSameRow } from '../machine/table.ts'
import { afterPrefix } from './key-range.ts'
import type { Bound } from './key-range.ts'
import { subjectsOf } from './subjects.ts'
import { floorKey, kvTable, kvTombstonesTable } from './tables.ts'
import type { EntryRow, TombstoneRow } from './tables.ts'

/** So many rows of a tree are in memory while it is deleted. */
const pageRows = 64
/**
 * A deleted key is remembered for this many entries of the log, and then up to as many again as
 * `forgetEvery`, because they are forgotten at entries whose index is a multiple of that.
 */
export const rememberEntries = 65_536
const forgetEvery = 4096

/** What a write says of a key. */
export interface EntryFields {
  readonly value: Uint8Array
  /** Decimal, up to 2^64-1. */
  readonly flags: string
  /** Left out: the lock stays as it is. */
  readonly session?: string
  readonly lockIndex?: number
}

/**
 * The operations on keys, for the commands of this family and of those above it. `gate` is the gate of
 * the kv family (`change.of('kv')`). A key that stays as it is keeps its modify index, and wakes no reader.
 */
export class KvStore {
  readonly #gate: Change
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database, gate: Change) {
    this.#gate = gate
    this.#sql = prepare(db)
  }

  entry(key: string): EntryRow | undefined {
    return this.#sql.entry.get(key)
  }

  /** The entries whose key begins with `prefix`, in the bytewise order of keys; at most `limit`. */
  tree(prefix: string, limit: number): readonly EntryRow[] {
    return this.#sql.tree.all(prefix, afterPrefix(prefix), limit)
  }

  /**
   * Adds a key or replaces what it says. `before` is its row as it was read; undefined: there is none.
   * Returns the row that it has now.
   */
  put(key: string, fields: EntryFields, before: EntryRow | undefined): EntryRow {
    const { index } = this.#gate
    const row: EntryRow = {
      key,
      flags: fields.flags,
      lock_index: fields.lockIndex ?? before?.lock_index ?? 0,
      session: fields.session ?? before?.session ?? '',
      create_index: before?.create_index ?? index,
      modify_index: index,
      value: fields.value,
    }
    if (before !== undefined && isSameRow(before, row)) return before
    this.#gate.put(kvTable, row, before)
    this.#touch(key)
    return row
  }

  /** Adds or replaces a key; a lock on it stays. Returns the row that it has now. */
  set(key: string, fields: EntryFields): EntryRow {
    return this.put(key, fields, this.entry(key))
  }

  /**
   * As {@link set}, if the key has the modify index `cas` (decimal; 0 = it must not be there). Undefined:
   * it has not.
   */
  setIf(key: string, fields: EntryFields, cas: string): EntryRow | undefined {
    const before = this.entry(key)
    return cas === String(before?.modify_index ?? 0) ? this.put(key, fields, before) : undefined
  }

  /** Removes a row as it was read, and remembers when. */
  remove(row: EntryRow): void {
    const { key } = row
    this.#gate.remove(kvTable, row)
    const tombstone = { key, modify_index: this.#gate.index }
    this.#gate.put(kvTombstonesTable, tombstone, this.#sql.tombstone.get(key))
    this.#touch(key)
  }

  /** Removes a key, if it is there. */
  delete(key: string): void {
    const row = this.entry(key)
    if (row !== undefined) this.remove(row)
  }

  /** As {@link delete}; false if the key is there and has another modify index than `cas`. */
  deleteIf(key: string, cas: string): boolean {
    const row = this.entry(key)
    if (row === undefined) return true
    if (cas !== String(row.modify_index)) return false
    this.remove(row)
    return true
  }

  /** Removes all keys that begin with `prefix`. */
  deleteTree(prefix: string): void {
    for (;;) {
      const rows = this.tree(prefix, pageRows)
      for (const row of rows) this.remove(row)
      if (rows.length < pageRows) return
    }
  }

  /**
   * Forgets the keys that are gone for long, at some indexes. It wakes no reader: the indexes of the
   * forgotten keys rise, but there is nothing new to see.
   */
  forget(index: number): void {
    if (index % forgetEvery !== 0) return
    const forgotten = this.#sql.tombstonesUpTo.all(index - rememberEntries, floorKey)
    let last = 0
    for (const row of forgotten) {
      this.#gate.remove(kvTombstonesTable, row)
      last = Math.max(last, row.modify_index)
    }
    const before = this.#sql.tombstone.get(floorKey)
    if (last <= (before?.modify_index ?? 0)) return
    this.#gate.put(kvTombstonesTable, { key: floorKey, modify_index: last }, before)
  }

  #touch(key: string): void {
    for (const subject of subjectsOf(key)) this.#gate.touch(subject)
  }
}

function prepare(db: Database) {
  return {
    entry: db.prepare<[string], EntryRow>('SELECT * FROM kv WHERE key = ?'),
    tree: db.prepare<[string, Bound, number], EntryRow>(
      'SELECT * FROM kv WHERE key >= ? AND key < ? ORDER BY key LIMIT ?',
    ),
    tombstone: db.prepare<[string], TombstoneRow>('SELECT * FROM kv_tombstones WHERE key = ?'),
    tombstonesUpTo: db.prepare<[number, string], TombstoneRow>(
      'SELECT * FROM kv_tombstones WHERE modify_index <= ? AND key <> ?',
    ),
  }
}
