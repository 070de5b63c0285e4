import type { Database, Statement } from 'better-sqlite3'
import { assert, must } from '../../base/assert.ts'
import { svcdError } from '../../base/errors.ts'
import { entryBytes } from '../../raft/entry.ts'
import type { Entry, Index, Term } from '../../raft/entry.ts'
import type { LogState, LogStore, LogWrite, SnapshotMeta } from '../../raft/storage.ts'
import {
  emptyHead,
  entryCrc,
  entryOf,
  headColumns,
  headOf,
  kindNumber,
  logTables,
  logVersion,
  textCrc,
} from './rows.ts'
import type { LogHead, LogRow, StateRow } from './rows.ts'
import { checkpoint, migrate, openDatabase, openError, walBytesOf } from '../sqlite.ts'
import { TermRuns } from './term-runs.ts'

export interface LogStats {
  readonly firstIndex: Index
  readonly lastIndex: Index
  /** Of the data of all entries kept. */
  readonly entryBytes: number
  /** Of raft.db, free pages included. */
  readonly fileBytes: number
  readonly walBytes: number
}

/** Above this size the WAL is moved into the file although there is work to do. */
const walFramesMax = 4096
const walBytesKept = 8 * 1024 * 1024
/** Of a page, as far as it is filled with rows. */
const pageBytes = 3500

function prepare(db: Database) {
  const sql = <P extends unknown[], R>(text: string): Statement<P, R> => db.prepare<P, R>(text)
  return {
    begin: sql<[], unknown>('BEGIN IMMEDIATE'),
    commit: sql<[], unknown>('COMMIT'),
    insert: sql<[number, number, number, number, Uint8Array], unknown>(
      'INSERT INTO log VALUES (?, ?, ?, ?, ?)',
    ),
    range: sql<[number, number], LogRow>(
      'SELECT * FROM log WHERE idx BETWEEN ? AND ? ORDER BY idx',
    ),
    all: sql<[], LogRow>('SELECT * FROM log ORDER BY idx'),
    bytes: sql<[number, number], { bytes: number }>(
      'SELECT total(length(data)) AS bytes FROM log WHERE idx BETWEEN ? AND ?',
    ),
    clear: sql<[], unknown>('DELETE FROM log'),
    deleteFrom: sql<[number], unknown>('DELETE FROM log WHERE idx >= ?'),
    deleteTo: sql<[number], unknown>('DELETE FROM log WHERE idx <= ?'),
    putHead: sql<ReturnType<typeof headColumns>, unknown>(
      'INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?)',
    ),
    head: sql<[], StateRow>('SELECT * FROM state WHERE id = 1'),
    putSnapshot: sql<[string, number], unknown>('INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?)'),
    snapshot: sql<[], { body: string; crc: number }>('SELECT body, crc FROM snapshot WHERE id = 1'),
    meta: sql<[string], { value: string }>('SELECT value FROM meta WHERE key = ?'),
    putMeta: sql<[string, string], unknown>('INSERT OR REPLACE INTO meta VALUES (?, ?)'),
  }
}

/**
 * raft.db: the durable log. What {@link write} has called `done` for is on disk. Its exclusive lock
 * is the lock on the data directory.
 *
 * An error of a write is thrown as it is, and no further write is taken: after a failed sync the
 * page cache may show what the disk lacks, so the caller must die.
 */
export class RaftLog implements LogStore {
  readonly #path: string
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepare>
  readonly #terms = new TermRuns()
  #head = emptyHead
  #snapshot: SnapshotMeta | undefined
  #entryBytes = 0
  #walFrames = 0
  #isWriting = false
  #tornEntries = 0

  /**
   * Reads all that is kept once. Throws SvcdError `data-corrupt`, `data-dir-in-use`,
   * `data-dir-unusable`, `data-dir-newer` or `data-dir-older`.
   */
  constructor(path: string) {
    this.#path = path
    this.#db = openDatabase(path, {
      mode: 'read-write',
      synchronous: 'FULL',
      exclusive: true,
      automaticCheckpoint: false,
    })
    try {
      migrate(this.#db, { path, version: logVersion, oldest: logVersion, migrations: [logTables] })
      // What a burst has made of it is given back when it is begun again.
      this.#db.pragma(`journal_size_limit = ${walBytesKept}`)
      this.#sql = prepare(this.#db)
      this.#head = this.#readHead()
      this.#snapshot = this.#readSnapshot()
      this.#scan()
    } catch (error) {
      this.#db.close()
      throw openError(path, error)
    }
  }

  /** Entries that were cut off at the start: the tail of a write that never became whole. */
  get tornEntries(): number {
    return this.#tornEntries
  }

  state(): LogState {
    const { hardState, base, lastIndex } = this.#head
    return { hardState, base, lastIndex, snapshot: this.#snapshot }
  }

  snapshot(): SnapshotMeta | undefined {
    return this.#snapshot
  }

  term(index: Index): Term {
    const { base, lastIndex } = this.#head
    if (index === base.index) return base.term
    assert(index > base.index && index <= lastIndex, `entry ${index} is in the log`)
    return this.#terms.at(index)
  }

  /** Throws SvcdError `data-corrupt` for an entry that is not what was written. */
  entries(from: Index, to: Index, maxBytes: number): Entry[] {
    const { base, lastIndex } = this.#head
    assert(from > base.index && to <= lastIndex, `entries ${from}..${to} are in the log`)
    const found: Entry[] = []
    let bytes = 0
    // One row at a time, so that a long range costs no more memory than what is asked for.
    for (const row of this.#sql.range.iterate(from, to)) {
      const entry = entryOf(row)
      if (entry === undefined || entry.index !== from + found.length) break
      bytes += entryBytes(entry)
      if (bytes > maxBytes && found.length > 0) return found
      found.push(entry)
    }
    if (found.length === to - from + 1) return found
    throw this.#damaged(from + found.length)
  }

  /** One synced transaction; `done` is called before this returns. */
  write(write: LogWrite, done: () => void): void {
    const next = this.#headAfter(write)
    const { snapshot, truncateFrom, entries } = write
    this.#transact(() => {
      if (snapshot !== undefined) {
        this.#sql.clear.run()
        this.#putSnapshot(snapshot)
      } else if (truncateFrom !== undefined) {
        this.#entryBytes -= this.#bytesOf(truncateFrom, this.#head.lastIndex)
        this.#sql.deleteFrom.run(truncateFrom)
      }
      for (const { index, term, kind, data } of entries) {
        const number = kindNumber(kind)
        this.#sql.insert.run(index, term, number, entryCrc(index, term, number, data), data)
      }
      this.#putHead(next)
    })
    if (snapshot !== undefined) {
      this.#terms.clear()
      this.#entryBytes = 0
    } else if (truncateFrom !== undefined) this.#terms.truncateFrom(truncateFrom)
    this.#count(entries)
    if (this.#walFrames > walFramesMax) this.checkpoint()
    done()
  }

  compact(index: Index): void {
    const { base } = this.#head
    assert(index >= base.index, `a compacted entry (${base.index}) does not come back (${index})`)
    assert(index <= (this.#snapshot?.index ?? 0), `a snapshot covers what is compacted (${index})`)
    if (index === base.index) return
    const next: LogHead = { ...this.#head, base: { index, term: this.term(index) } }
    const bytes = this.#bytesOf(base.index + 1, index)
    this.#transact(() => {
      this.#sql.deleteTo.run(index)
      this.#putHead(next)
    })
    this.#entryBytes -= bytes
    this.#terms.forgetTo(index)
    // Its pages went through the WAL.
    this.#walFrames += Math.ceil(bytes / pageBytes / 8)
  }

  saveSnapshot(meta: SnapshotMeta): void {
    assert(meta.index >= this.#head.base.index, 'a snapshot covers all that was compacted')
    assert(
      meta.index <= this.#head.lastIndex && meta.term === this.term(meta.index),
      `a snapshot at ${meta.index}/${meta.term} is of this log`,
    )
    this.#transact(() => this.#putSnapshot(meta))
  }

  /** Values that are stored beside the log, such as the id of the cluster. */
  meta(key: string): string | undefined {
    return this.#sql.meta.get(key)?.value
  }

  /** Synced when it returns. */
  setMeta(key: string, value: string): void {
    this.#transact(() => this.#sql.putMeta.run(key, value))
  }

  /** Moves the WAL into the file. To be called when there is nothing else to do. */
  checkpoint(): void {
    this.#walFrames = 0
    checkpoint(this.#db)
  }

  /** The same, and the space of the WAL is given back. */
  emptyWal(): void {
    this.#walFrames = 0
    checkpoint(this.#db, 'TRUNCATE')
  }

  stats(): LogStats {
    const pages = Number(this.#db.pragma('page_count', { simple: true }))
    const size = Number(this.#db.pragma('page_size', { simple: true }))
    return {
      firstIndex: this.#head.base.index + 1,
      lastIndex: this.#head.lastIndex,
      entryBytes: this.#entryBytes,
      fileBytes: pages * size,
      walBytes: walBytesOf(this.#db),
    }
  }

  close(): void {
    this.#db.close()
  }

  /** What the log will be, or a broken invariant before anything is written. */
  #headAfter({ hardState, snapshot, truncateFrom, entries }: LogWrite): LogHead {
    const before = this.#head
    const { term, vote, commit } = before.hardState
    assert(hardState.term >= term, `the term never falls (${term} to ${hardState.term})`)
    assert(
      hardState.term > term || vote === undefined || hardState.vote === vote,
      `one vote in term ${term}`,
    )
    assert(hardState.commit >= commit, `the commit index never falls (${commit})`)
    let { base, lastIndex } = before
    if (snapshot !== undefined) {
      assert(truncateFrom === undefined, 'nothing is left to be cut behind a snapshot')
      assert(snapshot.index >= commit, 'a snapshot takes nothing back')
      base = { index: snapshot.index, term: snapshot.term }
      lastIndex = snapshot.index
    }
    if (truncateFrom !== undefined) {
      assert(truncateFrom > base.index && truncateFrom <= lastIndex, 'there is what is cut')
      assert(truncateFrom > commit, `a committed entry is never cut (${truncateFrom})`)
      lastIndex = truncateFrom - 1
    }
    for (const { index } of entries) {
      assert(index === lastIndex + 1, `entry ${index} follows ${lastIndex}`)
      lastIndex = index
    }
    assert(hardState.commit <= lastIndex, 'nothing is committed beyond the log')
    return { hardState, base, lastIndex }
  }

  #transact(change: () => void): void {
    assert(!this.#isWriting, 'a write that failed is not followed by another')
    this.#isWriting = true
    this.#sql.begin.run()
    change()
    this.#sql.commit.run()
    this.#isWriting = false
    this.#walFrames += 3
  }

  #putHead(head: LogHead): void {
    this.#sql.putHead.run(...headColumns(head))
    this.#head = head
  }

  #putSnapshot(meta: SnapshotMeta): void {
    const body = JSON.stringify(meta)
    this.#sql.putSnapshot.run(body, textCrc(body))
    this.#snapshot = meta
  }

  #count(entries: readonly Entry[]): void {
    let bytes = 0
    for (const { index, term, data } of entries) {
      this.#terms.append(index, term)
      bytes += data.length
    }
    this.#entryBytes += bytes
    this.#walFrames += Math.ceil((bytes + 16 * entries.length) / pageBytes)
  }

  #bytesOf(from: Index, to: Index): number {
    return must(this.#sql.bytes.get(from, to)).bytes
  }

  #readHead(): LogHead {
    const row = this.#sql.head.get()
    // A log that was opened, and never written to.
    const isEmpty = this.#sql.all.get() === undefined && this.#sql.snapshot.get() === undefined
    if (row === undefined && isEmpty) return emptyHead
    const head = row === undefined ? undefined : headOf(row)
    if (head === undefined) {
      throw this.#corrupt('the row of the term, the vote and the commit index fails its checksum')
    }
    return head
  }

  #readSnapshot(): SnapshotMeta | undefined {
    const row = this.#sql.snapshot.get()
    if (row === undefined) return undefined
    if (textCrc(row.body) !== row.crc) {
      throw this.#corrupt('the description of the newest snapshot fails its checksum')
    }
    return JSON.parse(row.body) as SnapshotMeta
  }

  /**
   * Only behind what the last whole transaction wrote can a bad entry be a write that was cut short;
   * it was never promised to anyone and is cut off. Up to there, committed or not, a bad entry was
   * good once, and this server may have answered for it: it is damage, and to cut it would be to
   * lose it.
   */
  #scan(): void {
    const { base, hardState } = this.#head
    const whole = Math.max(this.#head.lastIndex, hardState.commit)
    let last = base.index
    for (const row of this.#sql.all.iterate()) {
      const entry = entryOf(row)
      if (entry?.index !== last + 1 || entry.term < (this.#terms.last ?? base.term)) break
      this.#count([entry])
      last = entry.index
    }
    if (last < whole) throw this.#damaged(last + 1)
    this.#walFrames = 0
    const head = { ...this.#head, lastIndex: last }
    this.#head = head
    this.#tornEntries = this.#sql.deleteFrom.run(last + 1).changes
    if (last > whole) this.#transact(() => this.#putHead(head))
    const index = this.#snapshot?.index ?? 0
    if (index < base.index || index > last) {
      throw this.#corrupt(
        `the newest snapshot is at ${index}, and the log has entries ${base.index + 1} to ${last}`,
      )
    }
  }

  #damaged(index: Index): Error {
    return this.#corrupt(`entry ${index} is missing, out of order or fails its checksum`)
  }

  #corrupt(reason: string): Error {
    return svcdError('data-corrupt', { file: this.#path, reason })
  }
}
