import { assert, must } from '../../src/base/assert.ts'
import { entryBytes } from '../../src/raft/entry.ts'
import type { Entry, Index, Term } from '../../src/raft/entry.ts'
import type { LogState, LogStore, LogWrite, SnapshotMeta } from '../../src/raft/storage.ts'

/** A log store in memory, exact about its contract. */
export class MemoryStore implements LogStore {
  base = { index: 0, term: 0 }
  hardState: LogState['hardState'] = { term: 0, vote: undefined, commit: 0 }
  log: Entry[] = []
  saved: SnapshotMeta | undefined

  get lastIndex(): Index {
    return this.base.index + this.log.length
  }

  state(): LogState {
    const { hardState, base, lastIndex, saved: snapshot } = this
    return { hardState, base, lastIndex, snapshot }
  }

  term(index: Index): Term {
    if (index === this.base.index) return this.base.term
    return must(this.log[index - this.base.index - 1], `entry ${index} is stored`).term
  }

  entries(from: Index, to: Index, maxBytes: number): Entry[] {
    assert(from > this.base.index && to <= this.lastIndex, `entries ${from}..${to} are stored`)
    const found: Entry[] = []
    let bytes = 0
    for (let index = from; index <= to; index++) {
      const entry = must(this.log[index - this.base.index - 1])
      bytes += entryBytes(entry)
      if (bytes > maxBytes && found.length > 0) break
      found.push(entry)
    }
    return found
  }

  snapshot(): SnapshotMeta | undefined {
    return this.saved
  }

  write(write: LogWrite, done: () => void): void {
    this.commitWrite(write)
    done()
  }

  commitWrite({ hardState, snapshot, truncateFrom, entries }: LogWrite): void {
    this.hardState = hardState
    if (snapshot !== undefined) {
      this.saved = snapshot
      this.base = { index: snapshot.index, term: snapshot.term }
      this.log = []
    }
    if (truncateFrom !== undefined) {
      assert(
        truncateFrom > this.base.index && truncateFrom <= this.lastIndex,
        'there is what is cut',
      )
      this.log.length = truncateFrom - this.base.index - 1
    }
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1, `entry ${entry.index} follows ${this.lastIndex}`)
      this.log.push(entry)
    }
  }

  compact(index: Index): void {
    assert(index <= (this.saved?.index ?? 0), 'a snapshot covers what is compacted')
    const term = this.term(index)
    this.log.splice(0, index - this.base.index)
    this.base = { index, term }
  }

  saveSnapshot(meta: SnapshotMeta): void {
    this.saved = meta
  }
}
