import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t from 'tap'
import { RaftLog } from '../../src/storage/raft-log.ts'
import type { LogEntry } from '../../src/storage/raft-log.ts'
import { StateReader, StateWriter } from '../../src/storage/state.ts'
import { MemoryCatalog, registerCommand, serviceDefinition } from '../helpers/catalog.ts'

const entry = (index: number, text = `e${index}`): LogEntry => ({
  index,
  term: 1,
  kind: 0,
  data: Buffer.from(text),
})

function logWith(
  t: { testdir: () => string },
  entries: readonly LogEntry[],
  commit: number,
): string {
  const path = join(t.testdir(), 'raft.db')
  const log = new RaftLog(path)
  log.append(entries, { term: 3, votedFor: 'n1', commit })
  log.close()
  return path
}

function tamper(path: string, sql: string): void {
  const db = new Sqlite(path)
  db.exec(sql)
  db.close()
}

t.test('entries and the hard state are there after a restart', async (t) => {
  const path = logWith(t, [entry(1), entry(2), entry(3)], 2)
  const log = new RaftLog(path)
  t.teardown(() => log.close())
  t.strictSame([log.firstIndex, log.lastIndex, log.lastTerm], [1, 3, 1])
  t.strictSame(log.hardState, { term: 3, votedFor: 'n1', commit: 2 })
  t.strictSame(log.read(2, 3), [entry(2), entry(3)])
})

t.test('an entry without data, as a no-op is, passes its checksum after a restart', async (t) => {
  const noop: LogEntry = { index: 1, term: 1, kind: 1, data: Buffer.alloc(0) }
  const path = logWith(t, [noop, entry(2)], 2)
  const log = new RaftLog(path)
  t.teardown(() => log.close())
  t.strictSame(log.read(1, 2), [noop, entry(2)])
})

t.test('a compacted log goes on where it was, also when nothing is left in it', async (t) => {
  const path = logWith(t, [entry(1), entry(2), entry(3)], 3)
  const log = new RaftLog(path)
  log.compact(3)
  log.close()
  const again = new RaftLog(path)
  t.teardown(() => again.close())
  t.strictSame([again.firstIndex, again.lastIndex, again.lastTerm], [4, 3, 1])
  again.append([entry(4)])
  t.strictSame(again.read(1, 9), [entry(4)])
})

t.test('a bad entry behind the commit index is a torn tail and is cut off', async (t) => {
  const path = logWith(t, [entry(1), entry(2), entry(3)], 1)
  tamper(path, `UPDATE log SET data = x'00' WHERE idx = 2`)
  const log = new RaftLog(path)
  t.teardown(() => log.close())
  t.equal(log.lastIndex, 1)
  log.append([entry(2, 'new')])
  t.strictSame(log.read(1, 3), [entry(1), entry(2, 'new')])
})

t.test('damage to what was committed is found and the log refuses to open', async (t) => {
  const cases = {
    'a flipped bit': `UPDATE log SET data = x'00' WHERE idx = 2`,
    'a changed term': 'UPDATE log SET term = 9 WHERE idx = 2',
    'two entries swapped':
      'UPDATE log SET idx = -1 WHERE idx = 1; UPDATE log SET idx = 1 WHERE idx = 2; UPDATE log SET idx = 2 WHERE idx = -1',
    'a hole': 'DELETE FROM log WHERE idx = 2',
    'a missing tail': 'DELETE FROM log WHERE idx = 3',
  }
  for (const [what, sql] of Object.entries(cases)) {
    const path = logWith(t, [entry(1), entry(2), entry(3)], 3)
    tamper(path, sql)
    t.throws(() => new RaftLog(path), { code: 'data-corrupt' }, what)
  }
})

t.test('a gap in an append is a defect, not something to write', async (t) => {
  const log = new RaftLog(join(t.testdir(), 'raft.db'))
  t.teardown(() => log.close())
  t.throws(() => log.append([entry(2)]), /broken invariant: entry 2 follows 0/)
})

t.test(
  'a directory in use, unusable, damaged or newer is refused with its own error',
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
      message: /raft\.db has format 99; this one knows up to 1/,
    })
  },
)

t.test('a reader sees each commit, and one moment inside a read', async (t) => {
  const path = join(t.testdir(), 'state.db')
  const writer = new StateWriter(path)
  const reader = new StateReader(path)
  t.teardown(() => {
    reader.close()
    writer.close()
  })
  const memory = new MemoryCatalog()
  const put = (index: number, name: string) =>
    writer.applyBatch([
      {
        index,
        term: 1,
        command: memory.command(registerCommand('n1', { service: serviceDefinition(name) }), name),
      },
    ])
  put(1, 'web')
  t.equal(reader.catalog.instances('web').length, 1)
  reader.read((catalog) => {
    t.equal(catalog.instances('db').length, 0)
    put(2, 'db')
    t.equal(catalog.instances('db').length, 0, 'still the same moment')
  })
  t.equal(reader.catalog.instances('db').length, 1)
})

t.test('only a checkpoint that finished makes an applied index durable', async (t) => {
  const path = join(t.testdir(), 'state.db')
  const writer = new StateWriter(path)
  const reader = new StateReader(path)
  t.teardown(() => {
    reader.close()
    writer.close()
  })
  reader.begin()
  reader.catalog.nodes()
  writer.applyBatch([
    { index: 1, term: 1, command: new MemoryCatalog().command(registerCommand('n1')) },
  ])
  writer.checkpoint()
  t.equal(writer.durableIndex, 0, 'a reader lingers on the old state')
  reader.end()
  writer.checkpoint()
  t.equal(writer.durableIndex, 1)
})
