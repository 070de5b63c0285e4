import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Sqlite } from '../../helpers/sqlite.ts'
import fc from 'fast-check'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../../src/base/assert.ts'
import { emptyConfig } from '../../../src/raft/config.ts'
import { entryBytes } from '../../../src/raft/entry.ts'
import type { Entry } from '../../../src/raft/entry.ts'
import type { LogWrite, SnapshotMeta } from '../../../src/raft/storage.ts'
import { RaftLog } from '../../../src/storage/log/raft-log.ts'
import { MemoryStore } from '../../helpers/memory-store.ts'
import { typescriptFlags } from '../../helpers/typescript-flags.ts'

const entry = (index: number, term = 1, text = `e${index}`): Entry => ({
  index,
  term,
  kind: 'command',
  data: Buffer.from(text),
})

const snapshotAt = (index: number, term = 1): SnapshotMeta => ({
  index,
  term,
  config: { ...emptyConfig, voters: ['n1'], addresses: { n1: '127.0.0.1:8300' } },
  confIndex: 1,
})

function write(log: RaftLog | MemoryStore, parts: Partial<LogWrite>): void {
  const { hardState } = log.state()
  log.write(
    { hardState, snapshot: undefined, truncateFrom: undefined, entries: [], ...parts },
    () => {},
  )
}

function all(log: RaftLog): Entry[] {
  const { base, lastIndex } = log.state()
  return log.entries(base.index + 1, lastIndex, Infinity)
}

function logWith(t: Test, entries: readonly Entry[], commit: number): string {
  const path = join(t.testdir(), 'raft.db')
  const log = new RaftLog(path)
  write(log, { hardState: { term: 3, vote: 'n1', commit }, entries })
  log.close()
  return path
}

function open(t: Test, path = join(t.testdir(), 'raft.db')): RaftLog {
  const log = new RaftLog(path)
  t.teardown(() => log.close())
  return log
}

function tamper(path: string, sql: string): void {
  const db = new Sqlite(path)
  db.exec(sql)
  db.close()
}

t.test('a fresh log is empty', async (t) => {
  const log = open(t)
  t.strictSame(log.state(), {
    hardState: { term: 0, vote: undefined, commit: 0 },
    base: { index: 0, term: 0 },
    lastIndex: 0,
    snapshot: undefined,
  })
  t.equal(log.term(0), 0)
})

t.test('entries of every kind and the hard state are there after a restart', async (t) => {
  const entries: Entry[] = [
    { index: 1, term: 1, kind: 'config', data: Buffer.from('{}') },
    { index: 2, term: 3, kind: 'noop', data: Buffer.alloc(0) },
    { index: 3, term: 3, kind: 'command', data: Buffer.from([0, 255, 10]) },
  ]
  const log = open(t, logWith(t, entries, 2))
  t.strictSame(all(log), entries)
  t.strictSame(log.state().hardState, { term: 3, vote: 'n1', commit: 2 })
  t.strictSame(
    [0, 1, 2, 3].map((index) => log.term(index)),
    [0, 1, 3, 3],
  )
})

t.test('data that is a part of a larger buffer is written as it is, and only it', async (t) => {
  const whole = new Uint8Array([9, 9, 1, 2, 9])
  const entries = [
    { ...entry(1), data: whole.subarray(2, 4) },
    { ...entry(2), data: whole.subarray(2, 2) },
  ]
  const log = open(t, logWith(t, entries, 0))
  t.strictSame(
    all(log).map(({ data }) => [...data]),
    [[1, 2], []],
  )
})

t.test('a vote that was taken back in a higher term is none', async (t) => {
  const path = logWith(t, [entry(1)], 0)
  const log = new RaftLog(path)
  write(log, { hardState: { term: 4, vote: undefined, commit: 0 } })
  log.close()
  t.strictSame(open(t, path).state().hardState, { term: 4, vote: undefined, commit: 0 })
})

t.test('a conflict is cut, replaced and voted for in one write', async (t) => {
  const path = logWith(t, [entry(1), entry(2), entry(3)], 1)
  const log = new RaftLog(path)
  const hardState = { term: 5, vote: undefined, commit: 1 }
  write(log, { hardState, truncateFrom: 2, entries: [entry(2, 5, 'new')] })
  t.equal(log.term(2), 5)
  log.close()
  const again = open(t, path)
  t.strictSame(all(again), [entry(1), entry(2, 5, 'new')])
  t.strictSame(again.state().hardState, hardState)
  t.equal(again.term(2), 5)
})

t.test('a cut that reaches behind the beginning of a term takes the term with it', async (t) => {
  const log = open(t, logWith(t, [entry(1), entry(2), entry(3, 3), entry(4, 3)], 0))
  write(log, { truncateFrom: 2, entries: [entry(2, 3), entry(3, 3)] })
  t.strictSame(
    [1, 2, 3].map((index) => log.term(index)),
    [1, 3, 3],
  )
})

t.test('as many entries are read as the bytes allow, and at least one', async (t) => {
  const entries = [entry(1), entry(2), entry(3), entry(4)]
  const log = open(t, logWith(t, entries, 4))
  const one = entryBytes(entry(1))
  t.strictSame(log.entries(2, 4, 2 * one), [entry(2), entry(3)])
  t.strictSame(log.entries(2, 4, 2 * one - 1), [entry(2)])
  t.strictSame(log.entries(2, 4, 1), [entry(2)])
})

t.test('a compacted log goes on where it was, also when nothing is left in it', async (t) => {
  const path = logWith(t, [entry(1), entry(2), entry(3)], 3)
  const log = new RaftLog(path)
  log.saveSnapshot(snapshotAt(3))
  log.compact(2)
  t.strictSame(all(log), [entry(3)])
  log.compact(3)
  log.close()
  const again = open(t, path)
  const { base, lastIndex, snapshot } = again.state()
  t.strictSame([base, lastIndex, snapshot], [{ index: 3, term: 1 }, 3, snapshotAt(3)])
  t.equal(again.term(3), 1)
  write(again, { entries: [entry(4, 3)] })
  t.strictSame(all(again), [entry(4, 3)])
})

t.test('a received snapshot replaces the whole log, in one write', async (t) => {
  const path = logWith(t, [entry(1), entry(2), entry(3)], 1)
  const log = new RaftLog(path)
  const hardState = { term: 7, vote: undefined, commit: 90 }
  write(log, { hardState, snapshot: snapshotAt(90, 6), entries: [entry(91, 7)] })
  log.close()
  const again = open(t, path)
  t.strictSame(again.state(), {
    hardState,
    base: { index: 90, term: 6 },
    lastIndex: 91,
    snapshot: snapshotAt(90, 6),
  })
  t.strictSame(all(again), [entry(91, 7)])
})

t.test('it does what the store in memory does, across restarts', async (t) => {
  const directory = t.testdir()
  let runs = 0
  const step = fc.record({
    kind: fc.constantFrom('append', 'cut', 'compact', 'save', 'install', 'restart'),
    a: fc.nat(),
    b: fc.nat(6),
  })
  const property = fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
    const path = join(directory, `raft-${++runs}.db`)
    const memory = new MemoryStore()
    let log = new RaftLog(path)
    const both = (parts: Partial<LogWrite>): void => {
      write(memory, parts)
      write(log, parts)
    }
    try {
      for (const { kind, a, b } of steps) {
        const { hardState, base, lastIndex, snapshot } = memory.state()
        const term = hardState.term + (b % 2)
        const commit = Math.max(hardState.commit, base.index, lastIndex - b)
        const vote = term > hardState.term ? (b > 3 ? 'n2' : undefined) : hardState.vote
        const more = (from: number) =>
          Array.from({ length: b }, (_, at) => entry(from + at, term, `${a}`.repeat(at)))
        if (kind === 'append')
          both({ hardState: { term, vote, commit }, entries: more(lastIndex + 1) })
        const from = lastIndex - (a % 4)
        if (kind === 'cut' && from > Math.max(hardState.commit, base.index)) {
          const cut = { term, vote, commit: hardState.commit }
          both({ hardState: cut, truncateFrom: from, entries: more(from) })
        }
        const at = Math.max(base.index, hardState.commit - (a % 3))
        if (kind === 'save' && at > (snapshot?.index ?? 0)) {
          for (const store of [memory, log]) store.saveSnapshot(snapshotAt(at, memory.term(at)))
        }
        const to = Math.max(base.index, (snapshot?.index ?? 0) - (a % 3))
        if (kind === 'compact') for (const store of [memory, log]) store.compact(to)
        if (kind === 'install') {
          const meta = snapshotAt(lastIndex + 1 + b, term)
          both({
            hardState: { term, vote, commit: meta.index },
            snapshot: meta,
            entries: more(meta.index + 1),
          })
        }
        if (kind === 'restart') {
          log.close()
          log = new RaftLog(path)
        }
        t.strictSame(log.state(), memory.state())
        const state = memory.state()
        const first = state.base.index + 1
        t.strictSame(
          all(log).map((found) => ({ ...found, data: Buffer.from(found.data) })),
          memory.entries(first, state.lastIndex, Infinity),
        )
        for (let index = state.base.index; index <= state.lastIndex; index++) {
          t.equal(log.term(index), memory.term(index))
        }
        const bytes = all(log).reduce((sum, { data }) => sum + data.length, 0)
        t.equal(log.stats().entryBytes, bytes)
      }
    } finally {
      log.close()
    }
    return t.passing()
  })
  fc.assert(property, { numRuns: 40 })
})

/** Rows as they are written, but by a transaction that never became whole. */
const torn = `INSERT INTO log VALUES (4, 1, 0, 7, x'00'), (5, 1, 0, 8, x'00')`

t.test('the torn tail of a write that never became whole is cut off', async (t) => {
  const path = logWith(t, [entry(1), entry(2), entry(3)], 1)
  tamper(path, torn)
  const log = new RaftLog(path)
  t.equal(log.tornEntries, 2)
  t.equal(log.state().lastIndex, 3)
  write(log, { entries: [entry(4, 3, 'new')] })
  log.close()
  const again = open(t, path)
  t.equal(again.tornEntries, 0)
  t.strictSame(all(again), [entry(1), entry(2), entry(3), entry(4, 3, 'new')])
})

t.test('whole entries behind the last known end are kept', async (t) => {
  const path = logWith(t, [entry(1), entry(2), entry(3)], 1)
  const state = new Sqlite(path)
  const before = state.prepare('SELECT * FROM state').get() as object
  state.close()
  const log = new RaftLog(path)
  write(log, { entries: [entry(4, 3)] })
  log.close()
  const db = new Sqlite(path)
  db.prepare(
    `UPDATE state SET ${Object.keys(before)
      .map((name) => `${name} = @${name}`)
      .join()}`,
  ).run(before)
  db.close()
  t.equal(open(t, path).state().lastIndex, 4)
})

t.test('damage to what was once whole is found and named, committed or not', async (t) => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['a flipped bit', `UPDATE log SET data = x'00' WHERE idx = 2`, /entry 2 is/],
    ['a flipped bit in the last entry', `UPDATE log SET data = x'00' WHERE idx = 3`, /entry 3 is/],
    ['a changed term', 'UPDATE log SET term = 9 WHERE idx = 2', /entry 2 is/],
    ['a changed kind', 'UPDATE log SET kind = 2 WHERE idx = 2', /entry 2 is/],
    ['an unknown kind', 'UPDATE log SET kind = 9 WHERE idx = 2', /entry 2 is/],
    [
      'two entries swapped',
      'UPDATE log SET idx = -1 WHERE idx = 1; UPDATE log SET idx = 1 WHERE idx = 2; UPDATE log SET idx = 2 WHERE idx = -1',
      /entry 1 is/,
    ],
    ['a hole', 'DELETE FROM log WHERE idx = 2', /entry 2 is/],
    ['a missing tail', 'DELETE FROM log WHERE idx = 3', /entry 3 is/],
    ['no entries', 'DELETE FROM log', /entry 1 is/],
    ['a changed term of the server', 'UPDATE state SET term = 2', /the row of the term/],
    ['a vote taken back', 'UPDATE state SET vote = NULL', /the row of the term/],
    ['no hard state', 'DELETE FROM state', /the row of the term/],
    ['a changed snapshot', `UPDATE snapshot SET body = '{}'`, /newest snapshot fails/],
    ['a snapshot gone', `DELETE FROM snapshot`, /newest snapshot is at 0/],
  ]
  for (const [what, sql, message] of cases) {
    for (const commit of [1, 3]) {
      const path = logWith(t, [entry(1), entry(2), entry(3), entry(4)], commit)
      const log = new RaftLog(path)
      if (what.includes('snapshot')) {
        log.saveSnapshot(snapshotAt(1))
        log.compact(1)
      } else write(log, { truncateFrom: 4 })
      log.close()
      tamper(path, sql)
      t.throws(() => new RaftLog(path), { code: 'data-corrupt', message }, what)
      t.throws(() => new RaftLog(path), { code: 'data-corrupt', message }, 'and nothing was cut')
    }
  }
})

t.test('an entry that goes bad while the log is open is not handed out', async (t) => {
  const path = logWith(t, [entry(1), entry(2)], 2)
  const db = new Sqlite(path)
  // Whoever reads finds another row than the scan did, as when the page is read again from the disk.
  db.exec(`ALTER TABLE log RENAME TO l; CREATE TABLE flips (idx INTEGER PRIMARY KEY);
    CREATE VIEW log AS SELECT idx, term, kind, crc,
      CASE WHEN idx IN (SELECT idx FROM flips) THEN x'00' ELSE data END AS data FROM l;
    CREATE TRIGGER cut INSTEAD OF DELETE ON log BEGIN SELECT 1; END;
    CREATE TRIGGER fill INSTEAD OF INSERT ON log BEGIN INSERT INTO flips VALUES (2); END;`)
  db.close()
  const log = open(t, path)
  t.strictSame(all(log), [entry(1), entry(2)])
  write(log, { entries: [entry(3, 3)] })
  t.throws(() => log.entries(1, 2, Infinity), { code: 'data-corrupt', message: /entry 2 is/ })
  t.throws(() => log.entries(3, 3, Infinity), { code: 'data-corrupt', message: /entry 3 is/ })
})

t.test('a write that would break the log is a defect, and changes nothing', async (t) => {
  const log = open(t, logWith(t, [entry(1), entry(2)], 1))
  const before = log.state()
  const { hardState } = before
  const cases: readonly (readonly [Partial<LogWrite>, RegExp])[] = [
    [{ entries: [entry(4)] }, /entry 4 follows 2/],
    [{ truncateFrom: 1 }, /a committed entry is never cut/],
    [{ truncateFrom: 3 }, /there is what is cut/],
    [{ hardState: { ...hardState, term: 2 } }, /the term never falls/],
    [{ hardState: { ...hardState, vote: 'n2' } }, /one vote in term 3/],
    [{ hardState: { ...hardState, commit: 0 } }, /the commit index never falls/],
    [{ hardState: { ...hardState, commit: 3 } }, /nothing is committed beyond the log/],
    [{ snapshot: snapshotAt(0) }, /a snapshot takes nothing back/],
  ]
  for (const [parts, message] of cases) t.throws(() => write(log, parts), { message })
  t.throws(() => log.compact(1), /a snapshot covers what is compacted/)
  t.throws(() => log.saveSnapshot(snapshotAt(2, 9)), /is of this log/)
  t.throws(() => log.saveSnapshot(snapshotAt(3)), /is of this log/)
  t.strictSame(log.state(), before)
})

t.test('after a write that failed there is no other', async (t) => {
  const path = logWith(t, [entry(1)], 1)
  tamper(
    path,
    `CREATE TRIGGER full BEFORE INSERT ON log WHEN NEW.idx = 3
    BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END`,
  )
  const log = new RaftLog(path)
  const isDone: boolean[] = []
  const failing = { ...log.state(), snapshot: undefined, truncateFrom: undefined }
  t.throws(
    () => log.write({ ...failing, entries: [entry(2), entry(3)] }, () => isDone.push(true)),
    /disk I\/O error/,
  )
  t.strictSame(isDone, [], 'nothing was promised')
  t.throws(() => write(log, { entries: [entry(2)] }), /a write that failed/)
  t.throws(() => log.setMeta('a', 'b'), /a write that failed/)
  log.close()
  t.strictSame(all(open(t, path)), [entry(1)], 'and nothing of it is there')
})

t.test('entries whose hard state could not be written are not there either', async (t) => {
  const entries = [entry(1), entry(2)]
  const path = logWith(t, entries, 1)
  tamper(
    path,
    `CREATE TRIGGER full BEFORE INSERT ON state WHEN NEW.term = 9
    BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END`,
  )
  const log = new RaftLog(path)
  const hardState = { term: 9, vote: undefined, commit: 1 }
  const parts = { hardState, truncateFrom: 2, entries: [entry(2, 9), entry(3, 9)] }
  t.throws(() => write(log, parts), /disk I\/O error/)
  log.close()
  t.strictSame(all(open(t, path)), entries, 'nor is anything cut')
})

t.test('what is kept beside the log is there after a restart', async (t) => {
  const path = join(t.testdir(), 'raft.db')
  const log = new RaftLog(path)
  t.equal(log.meta('clusterId'), undefined)
  log.setMeta('clusterId', 'c1')
  log.setMeta('clusterId', 'c2')
  log.close()
  t.equal(open(t, path).meta('clusterId'), 'c2')
})

t.test('the WAL is moved into the file when it has grown, and when asked', async (t) => {
  const log = open(t)
  const data = Buffer.alloc(100_000, 1)
  let [index, largest] = [0, 0]
  while (index < 600) {
    write(log, { entries: [{ ...entry(++index), data }] })
    largest = Math.max(largest, log.stats().walBytes)
  }
  const mib = 1024 * 1024
  t.ok(largest > 12 * mib && largest < 20 * mib, `${largest} bytes at most`)
  const { entryBytes: bytes, fileBytes } = log.stats()
  t.equal(bytes, 600 * data.length)
  t.ok(fileBytes > bytes && fileBytes < 1.1 * bytes)
  log.checkpoint()
  write(log, { entries: [entry(++index)] })
  t.ok(log.stats().walBytes < 0.1 * mib, 'it begins again')
})

t.test(
  'a directory in use, unusable, damaged, newer or older is refused with its own error',
  async (t) => {
    const directory = t.testdir({
      'junk.db': 'this is not a database, it is a text of some length',
    })
    const path = join(directory, 'raft.db')
    const log = new RaftLog(path)
    t.throws(() => new RaftLog(path), { code: 'data-dir-in-use' })
    log.close()
    t.throws(() => new RaftLog(join(directory, 'none', 'raft.db')), { code: 'data-dir-unusable' })
    t.throws(() => new RaftLog(join(directory, 'junk.db')), { code: 'data-corrupt' })
    tamper(path, 'PRAGMA user_version = 99')
    t.throws(() => new RaftLog(path), {
      code: 'data-dir-newer',
      message: /raft\.db has format 99; this one knows up to 2/,
    })
    tamper(path, 'PRAGMA user_version = 1')
    t.throws(() => new RaftLog(path), {
      code: 'data-dir-older',
      message: /raft\.db has format 1; this one reads 2 to 2/,
    })
  },
)

t.test('a kill -9 in the middle of writes leaves each of them whole or not there', async (t) => {
  const path = join(t.testdir(), 'raft.db')
  const script = fileURLToPath(new URL('../../helpers/log-writer.ts', import.meta.url))
  const arguments_ = [...typescriptFlags, script, path]
  for (const after of [5, 40, 300]) {
    const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] })
    let promised = 0
    for await (const line of createInterface(must(child.stdout))) {
      promised = Number(line)
      if (promised % after === 0) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    t.equal(child.signalCode, 'SIGKILL')
    const log = new RaftLog(path)
    const { hardState, lastIndex } = log.state()
    // Write n has term n, commits n - 1, cuts the log back to n and puts three entries there.
    t.ok(hardState.term >= promised, `${hardState.term} is not before ${promised}`)
    t.equal(hardState.commit, hardState.term - 1)
    t.equal(lastIndex, hardState.term + 2)
    t.equal(log.term(lastIndex), hardState.term)
    t.equal(log.term(hardState.term), hardState.term)
    t.equal(log.tornEntries, 0)
    log.close()
  }
})
