import type { Database } from 'better-sqlite3'
import type { Change } from '../machine/change.ts'
import type { Outcome } from '../machine/command.ts'
import type { Applier } from '../machine/family.ts'
import { isSameRow } from '../machine/table.ts'
import type { KvCommand, KvDeleteCommand, KvDeleteTreeCommand, KvPutCommand } from './commands.ts'
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

/** What the commands of the store are applied with; one for a connection. */
interface KvChange {
  readonly gate: Change
  readonly sql: ReturnType<typeof prepare>
}

export function openKv(db: Database, gate: Change): Applier<KvCommand> {
  const change = { gate, sql: prepare(db) }
  return {
    apply(body): Outcome {
      switch (body.kind) {
        case 'kv-put':
          return put(body, change)
        case 'kv-delete':
          return remove(body, change)
        case 'kv-delete-tree':
          return removeTree(body, change)
      }
    },
    forget: (index) => forget(index, change),
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

function put({ key, value, flags, cas }: KvPutCommand, { gate, sql }: KvChange): Outcome {
  const { index } = gate
  const before = sql.entry.get(key)
  if (cas !== undefined && cas !== String(before?.modify_index ?? 0)) {
    return { ok: true, index, value: false }
  }
  const row: EntryRow = {
    key,
    flags,
    lock_index: before?.lock_index ?? 0,
    session: before?.session ?? '',
    create_index: before?.create_index ?? index,
    modify_index: index,
    value: Buffer.from(value, 'base64'),
  }
  if (before === undefined || !isSameRow(before, row)) {
    gate.put(kvTable, row, before)
    touch(key, gate)
  }
  return { ok: true, index }
}

function remove({ key, cas }: KvDeleteCommand, change: KvChange): Outcome {
  const { index } = change.gate
  const before = change.sql.entry.get(key)
  if (before === undefined) return { ok: true, index }
  if (cas !== undefined && cas !== String(before.modify_index)) {
    return { ok: true, index, value: false }
  }
  bury(before, change)
  return { ok: true, index }
}

function removeTree({ prefix }: KvDeleteTreeCommand, change: KvChange): Outcome {
  const end = afterPrefix(prefix)
  for (;;) {
    const rows = change.sql.tree.all(prefix, end, pageRows)
    for (const row of rows) bury(row, change)
    if (rows.length < pageRows) return { ok: true, index: change.gate.index }
  }
}

function bury(row: EntryRow, { gate, sql }: KvChange): void {
  const { key } = row
  gate.remove(kvTable, row)
  gate.put(kvTombstonesTable, { key, modify_index: gate.index }, sql.tombstone.get(key))
  touch(key, gate)
}

function touch(key: string, gate: Change): void {
  for (const subject of subjectsOf(key)) gate.touch(subject)
}

/** It wakes no reader: the indexes of the forgotten keys rise, but there is nothing new to see. */
function forget(index: number, { gate, sql }: KvChange): void {
  if (index % forgetEvery !== 0) return
  const forgotten = sql.tombstonesUpTo.all(index - rememberEntries, floorKey)
  let last = 0
  for (const row of forgotten) {
    gate.remove(kvTombstonesTable, row)
    last = Math.max(last, row.modify_index)
  }
  const before = sql.tombstone.get(floorKey)
  if (last <= (before?.modify_index ?? 0)) return
  gate.put(kvTombstonesTable, { key: floorKey, modify_index: last }, before)
}
