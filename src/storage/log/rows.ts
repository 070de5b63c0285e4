import { crc32 } from 'node:zlib'
import type { Entry, EntryKind } from '../../raft/entry.ts'
import type { HardState } from '../../raft/storage.ts'

// How raft.db keeps things: rows with checksums, for SQLite checks nothing in a page of the file.

export const logVersion = 2

// `state` is one row, so that all of it changes in one piece with the entries of its transaction.
// `last_index` is where the log ended when its last transaction was complete: a missing or bad
// entry up to there was whole once, and only a later one can be an interrupted write.
export const logTables = `
  CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    term INTEGER NOT NULL,
    vote TEXT,
    commit_index INTEGER NOT NULL,
    base_index INTEGER NOT NULL,
    base_term INTEGER NOT NULL,
    last_index INTEGER NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE log (
    idx INTEGER PRIMARY KEY,
    term INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    data BLOB NOT NULL
  ) STRICT;
`

export interface LogRow {
  readonly idx: number
  readonly term: number
  readonly kind: number
  readonly crc: number
  readonly data: Buffer
}

export interface StateRow {
  readonly term: number
  readonly vote: string | null
  readonly commit_index: number
  readonly base_index: number
  readonly base_term: number
  readonly last_index: number
  readonly crc: number
}

const kinds: readonly EntryKind[] = ['command', 'noop', 'config']

export function kindNumber(kind: EntryKind): number {
  return kinds.indexOf(kind)
}

const header = Buffer.alloc(17)
const twoTo32 = 0x1_0000_0000

/** Covers index, term and kind too, so that a row in the wrong place is found. */
export function entryCrc(index: number, term: number, kind: number, data: Uint8Array): number {
  // Halves: a BigInt would cost more than the checksum.
  header.writeUInt32LE(index % twoTo32, 0)
  header.writeUInt32LE(Math.floor(index / twoTo32), 4)
  header.writeUInt32LE(term % twoTo32, 8)
  header.writeUInt32LE(Math.floor(term / twoTo32), 12)
  header[16] = kind
  const ofHeader = crc32(header)
  // zlib answers 0 for a null pointer, and an empty Buffer may have one: an empty entry is its header.
  return data.length === 0 ? ofHeader : crc32(data, ofHeader)
}

/** The entry of a row, or undefined when the row is not what was written. */
export function entryOf(row: LogRow): Entry | undefined {
  const { idx: index, term, data } = row
  const kind = kinds[row.kind]
  // A negative number cannot be in the header of the checksum.
  if (kind === undefined || index < 1 || term < 0) return undefined
  if (entryCrc(index, term, row.kind, data) !== row.crc) return undefined
  return { index, term, kind, data }
}

export function textCrc(text: string): number {
  return crc32(text)
}

/** All that the row of the state holds. */
export interface LogHead {
  readonly hardState: HardState
  readonly base: { readonly index: number; readonly term: number }
  readonly lastIndex: number
}

export const emptyHead: LogHead = {
  hardState: { term: 0, vote: undefined, commit: 0 },
  base: { index: 0, term: 0 },
  lastIndex: 0,
}

/** The columns of the state's row behind its id, the checksum last. */
export function headColumns({
  hardState,
  base,
  lastIndex,
}: LogHead): [number, string | null, number, number, number, number, number] {
  const { term, commit } = hardState
  const vote = hardState.vote ?? null
  const crc = textCrc(JSON.stringify([term, vote, commit, base.index, base.term, lastIndex]))
  return [term, vote, commit, base.index, base.term, lastIndex, crc]
}

/** Undefined when the row is not what was written. */
export function headOf(row: StateRow): LogHead | undefined {
  const head: LogHead = {
    hardState: { term: row.term, vote: row.vote ?? undefined, commit: row.commit_index },
    base: { index: row.base_index, term: row.base_term },
    lastIndex: row.last_index,
  }
  return headColumns(head)[6] === row.crc ? head : undefined
}
