import { crc32 } from 'node:zlib'
import type { Database, Statement } from 'better-sqlite3'
import { assert } from '../base/assert.ts'
import { svcdError } from '../base/errors.ts'
import { checkpoint, migrate, openDatabase } from './sqlite.ts'

/** What an entry is for: 0 a command of the catalog, 1 a no-op, 2 a configuration. */
export type EntryKind = 0 | 1 | 2

export interface LogEntry {
  readonly index: number
  readonly term: number
  readonly kind: EntryKind
  readonly data: Buffer
}

/** What Raft must remember beside its log (§5.1), in one row, so that it changes in one piece. */
export interface HardState {
  readonly term: number
  readonly votedFor: string
  readonly commit: number
}

interface LogRow {
  idx: number
  term: number
  kind: number
  crc: number
  data: Buffer
}

const version1 = `
  CREATE TABLE hard_state (id INTEGER PRIMARY KEY CHECK (id = 1), term INTEGER NOT NULL,
    voted_for TEXT NOT NULL, commit_index INTEGER NOT NULL) STRICT;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE log (idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, kind INTEGER NOT NULL,
    crc INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
  INSERT INTO hard_state VALUES (1, 0, '', 0);
  INSERT INTO meta VALUES ('compacted_index', '0'), ('compacted_term', '0');
`

/** Above this size the WAL is moved into the file although there is work to do. */
const walPagesMax = 4096

/**
 * The durable log in raft.db: what {@link append} returned from is on disk. Its exclusive lock is
 * the lock on the data directory. A failed write or sync is never retried: after an fsync error the
 * page cache may show what the disk lacks, so the caller must die.
 */
export class RaftLog {
  readonly #db: Database
  readonly #path: string
  readonly #insert: Statement<[number, number, number, number, Buffer]>
  readonly #range: Statement<[number, number], LogRow>
  #first = 1
  #last = 0
  #lastTerm = 0
  #hardState: HardState = { term: 0, votedFor: '', commit: 0 }
  #framesSinceCheckpoint = 0

  constructor(path: string) {
    this.#path = path
    this.#db = openDatabase(path, {
      mode: 'read-write',
      synchronous: 'FULL',
      exclusive: true,
      automaticCheckpoint: false,
    })
    migrate(this.#db, { path, version: 1, migrations: [version1] })
    this.#insert = this.#db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?)')
    this.#range = this.#db.prepare('SELECT * FROM log WHERE idx BETWEEN ? AND ? ORDER BY idx')
    this.#hardState = this.#readHardState()
    this.#first = Number(this.meta('compacted_index')) + 1
    this.#last = this.#first - 1
    this.#lastTerm = Number(this.meta('compacted_term'))
    this.#scan()
  }

  /** Index of the oldest entry kept; `lastIndex + 1` when the log is empty. */
  get firstIndex(): number {
    return this.#first
  }

  get lastIndex(): number {
    return this.#last
  }

  get lastTerm(): number {
    return this.#lastTerm
  }

  get hardState(): HardState {
    return this.#hardState
  }

  meta(key: string): string | undefined {
    const row = this.#db.prepare('SELECT value FROM meta WHERE key = ?').get(key)
    return (row as { value: string } | undefined)?.value
  }

  setMeta(key: string, value: string): void {
    this.#db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value)
  }

  /** Appends entries that follow the last one, and the hard state, in one synced transaction. */
  append(entries: readonly LogEntry[], hardState?: HardState): void {
    this.#db.exec('BEGIN IMMEDIATE')
    for (const entry of entries) {
      assert(entry.index === this.#last + 1, `entry ${entry.index} follows ${this.#last}`)
      this.#insert.run(entry.index, entry.term, entry.kind, crcOf(entry), entry.data)
      this.#last = entry.index
      this.#lastTerm = entry.term
    }
    if (hardState !== undefined) this.#writeHardState(hardState)
    this.#db.exec('COMMIT')
    this.#framesSinceCheckpoint += 1 + Math.ceil(entries.length / 8)
    if (this.#framesSinceCheckpoint > walPagesMax) this.checkpoint()
  }

  /** Entries from `from` to `to`, both included, their checksums verified. */
  read(from: number, to: number): LogEntry[] {
    return this.#range.all(from, to).map((row) => {
      const entry = entryOf(row)
      if (crcOf(entry) !== row.crc) throw this.#damaged(`entry ${row.idx} fails its checksum`)
      return entry
    })
  }

  /** Drops entries up to `index`, which must be in a durable state.db already. */
  compact(index: number): void {
    if (index < this.#first) return
    assert(index <= this.#last, `compaction to ${index} stays within the log (${this.#last})`)
    const term = this.read(index, index)[0]?.term ?? 0
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM log WHERE idx <= ?').run(index)
      this.setMeta('compacted_index', String(index))
      this.setMeta('compacted_term', String(term))
    })()
    this.#first = index + 1
  }

  checkpoint(): boolean {
    this.#framesSinceCheckpoint = 0
    return checkpoint(this.#db)
  }

  close(): void {
    this.#db.close()
  }

  #readHardState(): HardState {
    const row = this.#db.prepare('SELECT * FROM hard_state WHERE id = 1').get() as {
      term: number
      voted_for: string
      commit_index: number
    }
    return { term: row.term, votedFor: row.voted_for, commit: row.commit_index }
  }

  #writeHardState(state: HardState): void {
    this.#db
      .prepare('UPDATE hard_state SET term = ?, voted_for = ?, commit_index = ? WHERE id = 1')
      .run(state.term, state.votedFor, state.commit)
    this.#hardState = state
  }

  /**
   * Reads all that is kept once, before anything is served. A bad entry after the last committed
   * one is a torn tail, which was never promised to anyone, and is cut off; a bad entry anywhere
   * else is damage, and cutting there would lose what was acknowledged.
   */
  #scan(): void {
    for (const row of this.#db.prepare<[], LogRow>('SELECT * FROM log ORDER BY idx').iterate()) {
      const sound = row.idx === this.#last + 1 && crcOf(entryOf(row)) === row.crc
      if (!sound && row.idx <= this.#hardState.commit) {
        throw this.#damaged(
          `committed entry ${row.idx} is missing, out of order or fails its checksum`,
        )
      }
      if (!sound) break
      this.#last = row.idx
      this.#lastTerm = row.term
    }
    if (this.#last < this.#hardState.commit) {
      throw this.#damaged(
        `entry ${this.#last + 1} is missing, and ${this.#hardState.commit} was committed`,
      )
    }
    this.#db.prepare('DELETE FROM log WHERE idx > ?').run(this.#last)
  }

  #damaged(reason: string): Error {
    return svcdError('data-corrupt', { file: this.#path, reason })
  }
}

function entryOf(row: LogRow): LogEntry {
  return { index: row.idx, term: row.term, kind: row.kind as EntryKind, data: row.data }
}

const header = Buffer.alloc(17)

/** Covers the index, term and kind too, so that a row in the wrong place is found. */
function crcOf(entry: LogEntry): number {
  header.writeBigUInt64LE(BigInt(entry.index), 0)
  header.writeBigUInt64LE(BigInt(entry.term), 8)
  header.writeUInt8(entry.kind, 16)
  // zlib answers 0 for a null pointer, and an empty Buffer may have one: an empty entry is its header.
  return entry.data.length === 0 ? crc32(header) : crc32(entry.data, crc32(header))
}
