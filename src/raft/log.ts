import { assert, must } from '../base/assert.ts'
import { entryBytes } from './entry.ts'
import type { Entry, Index, Term } from './entry.ts'
import type { LogReader, LogWrite, SnapshotMeta } from './storage.ts'

type Batch = Pick<LogWrite, 'snapshot' | 'truncateFrom' | 'entries'>

/**
 * The log (§5.3): its entries on disk, on their way there, and waiting to be written.
 *
 * Invariants: `base.index <= applied <= applying <= commit <= lastIndex` and `persisted <= written
 * <= lastIndex`, but while a received snapshot is being written. The cache holds every entry that
 * is not yet persisted, and as many older ones as its bytes allow.
 */
export class RaftLog {
  readonly #reader: LogReader
  readonly #cacheBytesMax: number
  /** Entries `#cacheFirst`..`lastIndex`. */
  #cache: Entry[] = []
  #cacheFirst: Index
  #cacheBytes = 0
  #base: { readonly index: Index; readonly term: Term }
  /** Received, and not yet persisted. */
  #snapshot: SnapshotMeta | undefined
  #snapshotWritten = false
  /** Everything up to here was handed out to be written. */
  #written: Index
  #truncateFrom: Index | undefined
  #persisted: Index
  #commit: Index
  #applying: Index
  #applied: Index

  constructor(reader: LogReader, options: { applied: Index; cacheBytesMax: number }) {
    const state = reader.state()
    this.#reader = reader
    this.#cacheBytesMax = options.cacheBytesMax
    this.#base = state.base
    this.#cacheFirst = state.lastIndex + 1
    this.#written = state.lastIndex
    this.#persisted = state.lastIndex
    this.#applied = options.applied
    this.#applying = options.applied
    // Applied entries were committed; the commit index on disk may lag behind.
    this.#commit = Math.max(state.hardState.commit, options.applied, state.base.index)
    assert(options.applied >= state.base.index, 'the state machine is not behind the log')
    assert(this.#commit <= state.lastIndex, 'nothing is committed beyond the log')
  }

  get firstIndex(): Index {
    return this.#base.index + 1
  }

  get lastIndex(): Index {
    return this.#cacheFirst + this.#cache.length - 1
  }

  get lastTerm(): Term {
    return must(this.term(this.lastIndex), 'the last entry has a term')
  }

  get commit(): Index {
    return this.#commit
  }

  get applied(): Index {
    return this.#applied
  }

  /** Everything up to here is durable on this server. */
  get persisted(): Index {
    return this.#persisted
  }

  /** A received snapshot is not yet in the state machine. */
  get isRestoring(): boolean {
    return this.#snapshot !== undefined || this.#applied < this.#base.index
  }

  /** Term of an entry or of the base; undefined for what was compacted or lies beyond the log. */
  term(index: Index): Term | undefined {
    if (index === this.#base.index) return this.#base.term
    if (index < this.#base.index || index > this.lastIndex) return undefined
    const cached = this.#cache[index - this.#cacheFirst]
    return cached === undefined ? this.#reader.term(index) : cached.term
  }

  matches(index: Index, term: Term): boolean {
    return this.term(index) === term
  }

  /** Entries `from`..`to`, both included, as many as `maxBytes` allow but at least one. */
  entries(from: Index, to: Index, maxBytes: number): Entry[] {
    assert(from >= this.firstIndex && to <= this.lastIndex, `entries ${from}..${to} are in the log`)
    if (from > to) return []
    if (from < this.#cacheFirst) {
      return this.#reader.entries(from, Math.min(to, this.#cacheFirst - 1), maxBytes)
    }
    const start = from - this.#cacheFirst
    let end = start
    for (let bytes = 0; end <= to - this.#cacheFirst; end++) {
      bytes += entryBytes(must(this.#cache[end]))
      if (bytes > maxBytes && end > start) break
    }
    return this.#cache.slice(start, end)
  }

  /** What to send to a peer that needs compacted entries. */
  snapshot(): SnapshotMeta {
    const snapshot = must(this.#reader.snapshot(), 'a compacted log has a snapshot')
    assert(snapshot.index >= this.#base.index, 'the snapshot covers what was compacted')
    return snapshot
  }

  /** True when a log that ends so is at least as up to date as this one (§5.4.1). */
  isUpToDate(lastIndex: Index, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex)
  }

  /**
   * The newest entry at or before `index` whose term does not exceed `term`: where a log that has
   * `term` at `index` can still match this one. Skips a whole term at a time (§5.3).
   */
  findConflictByTerm(index: Index, term: Term): { index: Index; term: Term } {
    let at = Math.min(index, this.lastIndex)
    for (; at > this.#base.index; at--) {
      const own = must(this.term(at))
      if (own <= term) return { index: at, term: own }
    }
    return { index: at, term: this.term(at) ?? 0 }
  }

  /** Appends a leader's own new entries: a leader never overwrites its log (§5.3). */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1, `entry ${entry.index} follows ${this.lastIndex}`)
      this.#cache.push(entry)
      this.#cacheBytes += entryBytes(entry)
    }
  }

  /**
   * Takes a leader's entries behind an entry that matches (§5.3, AppendEntries steps 3 and 4): those
   * already here stay, and the log is cut only where one conflicts, for an old message may be shorter
   * than the log. Returns where it was cut, if it was.
   */
  merge(entries: readonly Entry[]): { added: readonly Entry[]; cutFrom: Index | undefined } {
    const at = entries.findIndex((entry) => !this.matches(entry.index, entry.term))
    if (at === -1) return { added: [], cutFrom: undefined }
    const added = entries.slice(at)
    const first = must(added[0]).index
    const cutFrom = first <= this.lastIndex ? first : undefined
    if (cutFrom !== undefined) this.truncateFrom(cutFrom)
    this.append(added)
    return { added, cutFrom }
  }

  truncateFrom(index: Index): void {
    assert(index > this.#commit, `a committed entry is never cut (${index} <= ${this.#commit})`)
    if (index < this.#cacheFirst) {
      this.#cache = []
      this.#cacheFirst = index
    } else {
      this.#cache.length = index - this.#cacheFirst
    }
    this.#cacheBytes = this.#cache.reduce((sum, entry) => sum + entryBytes(entry), 0)
    if (index <= this.#written) {
      this.#truncateFrom = Math.min(index, this.#truncateFrom ?? index)
      // The write under way may still carry what was cut: its end must not count for what replaces it.
      this.#written = index - 1
    }
    this.#persisted = Math.min(this.#persisted, index - 1)
  }

  /** Returns true when `index` is news. */
  commitTo(index: Index): boolean {
    if (index <= this.#commit) return false
    assert(
      index <= this.lastIndex,
      `the log reaches the commit index ${index} (it ends at ${this.lastIndex}); ` +
        'if the data directory was lost, rejoin with a new node ID',
    )
    this.#commit = index
    return true
  }

  /** Replaces the whole log by a snapshot (§7). */
  restore(snapshot: SnapshotMeta): void {
    assert(snapshot.index > this.#commit, 'a snapshot never takes back what is committed')
    this.#cache = []
    this.#cacheBytes = 0
    this.#cacheFirst = snapshot.index + 1
    this.#base = { index: snapshot.index, term: snapshot.term }
    this.#snapshot = snapshot
    this.#snapshotWritten = false
    this.#truncateFrom = undefined
    this.#written = snapshot.index
    this.#persisted = 0
    this.#commit = snapshot.index
  }

  /** The entries to be written now; undefined when all of them were handed out. */
  takeBatch(): Batch | undefined {
    const snapshot = this.#snapshotWritten ? undefined : this.#snapshot
    if (snapshot === undefined && this.#truncateFrom === undefined) {
      if (this.#written === this.lastIndex) return undefined
    }
    const entries = this.#cache.slice(this.#written + 1 - this.#cacheFirst)
    const batch = { snapshot, truncateFrom: this.#truncateFrom, entries }
    this.#snapshotWritten = snapshot !== undefined || this.#snapshotWritten
    this.#truncateFrom = undefined
    this.#written = this.lastIndex
    return batch
  }

  /** The batch that was handed out is durable, as far as nothing has been cut or replaced since. */
  batchPersisted(): void {
    if (this.#snapshot !== undefined && !this.#snapshotWritten) return
    this.#snapshot = undefined
    this.#persisted = this.#written
    this.#trimCache()
  }

  /** The next committed entries to apply. Only durable ones: the state must not outrun the log. */
  takeCommitted(maxBytes: number): Entry[] {
    const to = Math.min(this.#commit, this.#persisted)
    if (this.isRestoring || this.#applying > this.#applied || to <= this.#applying) return []
    const entries = this.entries(this.#applying + 1, to, maxBytes)
    this.#applying = must(entries.at(-1)).index
    return entries
  }

  appliedTo(index: Index): void {
    assert(
      index >= this.#applied && index <= this.#commit,
      `an applied entry (${index}) is committed`,
    )
    this.#applied = index
    this.#applying = Math.max(this.#applying, index)
  }

  /** The store has dropped everything up to `index`. */
  compactedTo(index: Index): void {
    if (index <= this.#base.index) return
    assert(index <= this.#applied, `only what is applied is compacted (${index})`)
    this.#base = { index, term: must(this.term(index)) }
    if (index >= this.#cacheFirst) this.#dropCached(index + 1 - this.#cacheFirst)
  }

  #trimCache(): void {
    if (this.#cacheBytes <= this.#cacheBytesMax) return
    let [count, bytes] = [0, this.#cacheBytes]
    // Down to half, so that entries are dropped in few and large steps.
    while (bytes > this.#cacheBytesMax / 2 && this.#cacheFirst + count <= this.#persisted) {
      bytes -= entryBytes(must(this.#cache[count++]))
    }
    this.#dropCached(count)
  }

  #dropCached(count: number): void {
    for (const entry of this.#cache.splice(0, count)) this.#cacheBytes -= entryBytes(entry)
    this.#cacheFirst += count
  }
}
