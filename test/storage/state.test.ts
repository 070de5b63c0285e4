import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Sqlite } from '../helpers/sqlite.ts'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { parseIp } from '../../src/base/ip.ts'
import { stateVersion } from '../../src/state/families.ts'
import { catalogMigrations } from '../../src/state/catalog/schema.ts'
import { emptyConfig } from '../../src/raft/config.ts'
import { boot, bootstrapWrite } from '../../src/raft/driver.ts'
import type { Driver } from '../../src/raft/driver.ts'
import { defaultLimits } from '../../src/raft/options.ts'
import { RaftLog } from '../../src/storage/log/raft-log.ts'
import { StateReader, StateWriter } from '../../src/storage/state.ts'
import { restoreTables } from '../../src/storage/state-tables.ts'
import { registerCommand, serviceDefinition } from '../helpers/catalog.ts'
import { committed, copyClean, fill, registration, tamper, toFormat } from '../helpers/state.ts'

function open(
  t: Test,
  name = 'state.db',
): { path: string; writer: StateWriter; reader: StateReader } {
  const path = join(t.testdirName, name)
  const writer = new StateWriter(path)
  const reader = new StateReader(path)
  t.teardown(() => {
    reader.close()
    writer.close()
  })
  return { path, writer, reader }
}

const service = (index: number, name: string) =>
  committed(index, registerCommand('n1', { service: serviceDefinition(name) }))

t.test('a reader sees each commit, and one moment inside a read', async (t) => {
  t.testdir()
  const { writer, reader } = open(t)
  writer.applyBatch([service(1, 'web')])
  t.equal(reader.catalog.instances('web').length, 1)
  reader.read((catalog) => {
    t.equal(catalog.instances('db').length, 0)
    writer.applyBatch([service(2, 'db')])
    t.equal(catalog.instances('db').length, 0, 'still the same moment')
  })
  t.equal(reader.catalog.instances('db').length, 1)
})

t.test('the space of a WAL is given back when it is emptied', async (t) => {
  const directory = t.testdir()
  const { path, writer } = open(t)
  const log = new RaftLog(join(directory, 'raft.db'))
  t.teardown(() => log.close())
  for (let index = 1; index <= 50; index++) {
    writer.applyBatch([service(index, `web-${index}`)])
    log.setMeta('filler', String(index).repeat(1000))
  }
  for (const file of [path, join(directory, 'raft.db')]) t.ok(statSync(`${file}-wal`).size > 0)
  writer.emptyWal()
  log.emptyWal()
  for (const file of [path, join(directory, 'raft.db')]) t.equal(statSync(`${file}-wal`).size, 0)
})

t.test('a checkpoint makes the applied index durable, also while a reader lingers', async (t) => {
  t.testdir()
  const { path, writer, reader } = open(t)
  writer.applyBatch([service(1, 'web')])
  t.equal(writer.durableIndex, 0)
  writer.checkpoint()
  t.equal(writer.durableIndex, 1)
  reader.begin()
  reader.catalog.nodes()
  for (const index of [2, 3]) {
    writer.applyBatch([service(index, 'web')])
    t.equal(writer.durableIndex, index - 1)
    const { walBytes } = writer
    writer.checkpoint()
    t.ok(writer.walBytes > walBytes, 'a commit of its own, for only a commit syncs the WAL')
    t.equal(writer.durableIndex, index, 'the WAL holds it, and is synced')
    const other = new StateReader(path)
    t.equal(other.catalog.appliedIndex(), index)
    other.close()
  }
  t.equal(reader.catalog.appliedIndex(), 1, 'the reader has lingered all the time')
  reader.end()
})

t.test(
  'a reader that lingers is reported by the size of the WAL, which then shrinks',
  async (t) => {
    t.testdir()
    const path = join(t.testdirName, 'state.db')
    const grown: number[] = []
    const mib = 1024 * 1024
    const writer = new StateWriter(path, { onWalGrown: (walBytes) => grown.push(walBytes) })
    const reader = new StateReader(path)
    t.teardown(() => {
      reader.close()
      writer.close()
    })
    let index = 0
    const grow = (count: number): void => {
      for (let done = 0; done < count; done++) {
        // Pages that stay the same would not go to the WAL.
        const meta = { large: String(index % 10).repeat(400_000) }
        const body = registerCommand('n1', { service: serviceDefinition('web', { meta }) })
        writer.applyBatch([committed(++index, body)])
        if (index % 10 === 0) writer.checkpoint()
      }
    }
    reader.begin()
    reader.catalog.nodes()
    grow(350)
    t.equal(grown.length, 2, 'at 64 and at 128 MiB, and not each time')
    t.ok(must(grown[0]) >= 64 * mib && must(grown[1]) >= 128 * mib, grown.join())
    t.equal(writer.durableIndex, index)
    reader.end()
    grow(10)
    t.ok(writer.walBytes < mib, `${writer.walBytes}`)
    reader.begin()
    reader.catalog.nodes()
    grow(60)
    t.ok(statSync(`${path}-wal`).size > 20 * mib, 'too small to be emptied at once')
    reader.end()
    grow(20)
    t.ok(statSync(`${path}-wal`).size <= 12 * mib, `${statSync(`${path}-wal`).size}`)
  },
)

t.test('the hash is that of the rows, not of where they lie', async (t) => {
  t.testdir()
  const one = open(t, 'one.db')
  const other = open(t, 'other.db')
  fill(one.writer, 500)
  for (let index = 1; index <= 500; index++) other.writer.applyBatch([registration(index)])
  const hash = one.writer.stateHash()
  t.match(hash, /^[0-9a-f]{64}$/)
  t.equal(other.writer.stateHash(), hash, 'whatever the batches were')
  t.strictSame(other.reader.stateHash(), { index: 500, hash })
  const clean = new StateReader(copyClean(one.path, join(t.testdirName, 'clean.snap')))
  t.equal(clean.stateHash().hash, hash)
  clean.close()
  other.writer.applyBatch([service(501, 'web')])
  t.not(other.writer.stateHash(), hash)
})

t.test('every table and every column counts for the hash', async (t) => {
  t.testdir()
  const { path, writer } = open(t)
  fill(writer, 3)
  const hash = writer.stateHash()
  const changes = [
    "UPDATE meta SET value = 2 WHERE key = 'applied_term'",
    "UPDATE nodes SET address = '10.9.9.9' WHERE key = 'n1'",
    "UPDATE services SET port = 9 WHERE id = 'web-2'",
    "UPDATE checks SET output = 'x' WHERE check_id = 'service:web-3'",
    "UPDATE subjects SET modify_index = 9 WHERE subject = 'nodes'",
    "UPDATE requests SET outcome = '' WHERE log_index = 1",
    "DELETE FROM checks WHERE check_id = 'service:web-3'",
  ]
  for (const [at, sql] of changes.entries()) {
    const copy = copyClean(path, join(t.testdirName, `${at}.db`))
    tamper(copy, sql)
    const changed = new StateReader(copy)
    t.not(changed.stateHash().hash, hash, sql)
    changed.close()
  }
})

t.test(
  'a restore makes the state that of the snapshot, and the log goes on behind it',
  async (t) => {
    t.testdir()
    const source = open(t, 'source.db')
    fill(source.writer, 700)
    const file = copyClean(source.path, join(t.testdirName, '700-1.snap'))
    const target = open(t, 'target.db')
    target.writer.applyBatch([service(1, 'gone'), service(2, 'gone too')])
    target.writer.restore(file, { index: 700, term: 1 })
    t.equal(target.writer.appliedIndex, 700)
    t.equal(target.writer.durableIndex, 700)
    t.equal(target.writer.stateHash(), source.writer.stateHash())
    t.strictSame([...target.reader.catalog.serviceNames().keys()], ['web'])
    for (const { writer } of [source, target]) writer.applyBatch([registration(701)])
    t.equal(target.writer.stateHash(), source.writer.stateHash())
    const [outcome] = target.writer.applyBatch([
      { ...registration(702), command: must(registration(5).command) },
    ]).outcomes
    t.strictSame(outcome, { ok: true, index: 5 }, 'a retry is known from before the snapshot')
  },
)

t.test('readers see the old state or the new one while it is restored', async (t) => {
  t.testdir()
  const source = open(t, 'source.db')
  fill(source.writer, 300)
  const file = copyClean(source.path, join(t.testdirName, '300-1.snap'))
  const target = open(t, 'target.db')
  target.writer.applyBatch([service(1, 'old')])
  const other = new StateReader(target.path)
  t.teardown(() => other.close())
  const names = (reader: StateReader) => [...reader.catalog.serviceNames().keys()]
  other.read(() => {
    t.strictSame(names(other), ['old'])
    target.writer.restore(file, { index: 300, term: 1 })
    t.strictSame(names(other), ['old'], 'one that was reading goes on with what it had')
    t.equal(other.catalog.appliedIndex(), 1)
    t.strictSame(names(target.reader), ['web'], 'one that comes reads what is new')
    t.equal(
      target.writer.durableIndex,
      300,
      'and the one that lingers does not make it less durable',
    )
  })
  t.strictSame(names(other), ['web'])
})

t.test('a snapshot of an older release is brought to the present format', async (t) => {
  t.testdir()
  const { path, writer } = open(t)
  writer.applyBatch([registration(1), registration(2)])
  const file = copyClean(path, join(t.testdirName, '2-1.snap'))
  // What the release before did not have yet.
  toFormat(file, 1)
  const before = readFileSync(file)
  const target = open(t, 'target.db')
  target.writer.restore(file, { index: 2, term: 1 })
  t.equal(target.writer.stateHash(), writer.stateHash(), 'the two cannot be told apart')
  t.ok(readFileSync(file).equals(before), 'the snapshot itself stays as it is')
  t.strictSame(
    readdirSync(t.testdirName).filter((name) => name.includes('.snap')),
    ['2-1.snap'],
  )
  tamper(file, 'DROP TABLE subjects')
  t.throws(() => target.writer.restore(file, { index: 2, term: 1 }), {
    code: 'snapshot-unusable',
    message: /no such table: subjects/,
  })
  tamper(file, 'DROP TABLE services')
  t.throws(() => target.writer.restore(file, { index: 2, term: 1 }), {
    code: 'snapshot-unusable',
    message: /no such table: services/,
  })
})

t.test('a snapshot that does not fit is refused and nothing is changed', async (t) => {
  t.testdir({ 'junk.snap': 'this is not a database, it is a text of some length' })
  const { path, writer } = open(t)
  fill(writer, 20)
  const hash = writer.stateHash()
  const file = (name: string, sql: string): string => {
    const copy = copyClean(path, join(t.testdirName, name))
    tamper(copy, sql)
    return copy
  }
  const cases: readonly (readonly [string, RegExp])[] = [
    [join(t.testdirName, 'none.snap'), /none\.snap cannot be used: the file does not exist/],
    [join(t.testdirName, 'junk.snap'), /file is not a database/],
    [
      file('newer.snap', `PRAGMA user_version = ${stateVersion + 1}`),
      /it has format \d+, but this svcd reads format \d+ and older; upgrade this server first/,
    ],
    [file('table.snap', 'DROP TABLE checks'), /it does not have the table checks/],
    [file('kv.snap', 'DROP TABLE kv'), /it does not have the table kv/],
    [file('more.snap', 'CREATE TABLE x (a)'), /it has the unknown table x/],
    [
      file('column.snap', 'ALTER TABLE nodes ADD COLUMN x TEXT'),
      /its table nodes has other columns/,
    ],
    [
      file('index.snap', "UPDATE meta SET value = 19 WHERE key = 'applied_index'"),
      /it is from entry 19, term 1, instead of entry 20, term 1/,
    ],
    [file('empty.snap', 'DELETE FROM meta'), /it has no applied index/],
  ]
  for (const [snapshot, message] of cases) {
    t.throws(() => writer.restore(snapshot, { index: 20, term: 1 }), {
      code: 'snapshot-unusable',
      message,
    })
    t.equal(writer.stateHash(), hash)
  }
  writer.applyBatch([registration(21)])
  t.equal(writer.appliedIndex, 21, 'and it goes on')
})

t.test('a damaged, newer or unusable state is refused with its own error', async (t) => {
  const directory = t.testdir({ 'junk.db': 'this is not a database, it is a text of some length' })
  t.throws(() => new StateWriter(join(directory, 'junk.db')), { code: 'data-corrupt' })
  t.throws(() => new StateWriter(join(directory, 'no', 'state.db')), { code: 'data-dir-unusable' })
  const path = join(directory, 'state.db')
  new StateWriter(path).close()
  tamper(path, 'DELETE FROM meta')
  t.throws(() => new StateWriter(path), { code: 'data-corrupt', message: /no applied index/ })
  tamper(path, 'PRAGMA user_version = 99')
  t.throws(() => new StateWriter(path), { code: 'data-dir-newer' })
})

t.test('a state of format 1 gets its index of addresses', async (t) => {
  const path = join(t.testdir(), 'state.db')
  const old = new Sqlite(path)
  old.exec(must(catalogMigrations[0]).sql)
  old.pragma('user_version = 1')
  const node = [JSON.stringify({ lan_ipv6: '2001:DB8::0:1' }), '{}', 1, 1]
  old
    .prepare('INSERT INTO nodes VALUES (?,?,?,?,?,?,?,?,?)')
    .run('n1', 'n1', 'N1', '', '::1', ...node)
  const tagged = JSON.stringify({ lan_ipv4: { address: '10.9.0.1', port: 1 } })
  old
    .prepare('INSERT INTO services VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)')
    .run('n1', 'w', 'web', 'web', 'h.', 1, '[]', '{}', 1, 1, tagged, 0, 'agent', '{}', 2, 2)
  old.close()
  const writer = new StateWriter(path)
  t.teardown(() => writer.close())
  const holders = (ip: string): unknown => writer.catalog.holdersOf(must(parseIp(ip)))
  t.strictSame(holders('::1'), [{ node: 'N1', service: undefined }])
  t.strictSame(holders('2001:db8::1'), [], 'the address given first is the one')
  t.strictSame(holders('10.9.0.1'), [{ node: 'N1', service: 'web' }])
})

t.test('the keys of a restored state are checked again', async (t) => {
  t.testdir()
  const { path, writer } = open(t)
  fill(writer, 20)
  const file = copyClean(path, join(t.testdirName, '20-1.snap'))
  const db = new Sqlite(path)
  t.teardown(() => db.close())
  restoreTables(db, file, { index: 20, term: 1 })
  t.throws(() => db.exec("DELETE FROM nodes WHERE key = 'n1'"), /FOREIGN KEY constraint failed/)
  t.throws(() => restoreTables(db, file, { index: 21, term: 1 }), { code: 'snapshot-unusable' })
  t.throws(() => db.exec("DELETE FROM nodes WHERE key = 'n1'"), /FOREIGN KEY constraint failed/)
  t.strictSame(
    (db.pragma('database_list') as { name: string }[]).map(({ name }) => name),
    ['main'],
    'and the snapshot is let go',
  )
})

t.test('100,000 services are restored within seconds', async (t) => {
  t.testdir()
  const source = open(t, 'source.db')
  fill(source.writer, 100_000)
  const file = copyClean(source.path, join(t.testdirName, '100000-1.snap'))
  const target = open(t, 'target.db')
  fill(target.writer, 1000)
  const startMs = performance.now()
  target.writer.restore(file, { index: 100_000, term: 1 })
  const restoredMs = performance.now()
  const { hash } = target.reader.stateHash()
  const hashedMs = performance.now()
  t.equal(hash, source.writer.stateHash())
  t.comment(
    `restored in ${(restoredMs - startMs).toFixed()} ms, hashed in ${(hashedMs - restoredMs).toFixed()} ms`,
  )
  t.ok(restoredMs - startMs < 5000)
})

interface Server {
  readonly driver: Driver
  readonly log: RaftLog
  readonly state: StateWriter
  close(): void
}

/** The core on disk, its cluster's only voter. */
function serverIn(directory: string): Server {
  const log = new RaftLog(join(directory, 'raft.db'))
  const state = new StateWriter(join(directory, 'state.db'))
  const first = bootstrapWrite(log.state(), {
    ...emptyConfig,
    voters: ['n1'],
    addresses: { n1: '127.0.0.1:8300' },
  })
  if (first !== undefined) log.write(first, () => {})
  const driver = boot(
    { id: 'n1', random: () => 0, limits: defaultLimits, preVote: true, checkQuorum: true },
    {
      store: log,
      machine: {
        appliedIndex: () => state.appliedIndex,
        apply: (entries) => {
          state.applyBatch(
            entries.map((entry) =>
              entry.kind === 'command'
                ? { ...registration(Number(Buffer.from(entry.data).toString())), ...entry }
                : entry,
            ),
          )
        },
        restore: ({ index, term }) =>
          state.restore(join(directory, `${index}-${term}.snap`), { index, term }),
      },
      transport: { send: () => {} },
      onRead: () => {},
    },
  )
  for (let tick = 0; tick < 30; tick++) {
    driver.raft.tick()
    driver.run()
  }
  const close = (): void => {
    state.close()
    log.close()
  }
  return { driver, log, state, close }
}

function propose(server: Server, from: number, count: number): void {
  const data = Array.from({ length: count }, (_, at) => Buffer.from(`${from + at}`))
  t.equal(server.driver.raft.propose(data).kind, 'accepted')
  server.driver.run()
}

t.test('the core on disk: committed, applied, restarted, compacted, restored', async (t) => {
  const directory = t.testdir()
  let server = serverIn(directory)
  propose(server, 1, 100)
  const { appliedIndex } = server.state
  t.equal(appliedIndex, 102, 'a configuration, a no-op and the commands')
  const hash = server.state.stateHash()
  server.close()

  server = serverIn(directory)
  t.equal(server.state.appliedIndex, 103, 'and the no-op of a new term')
  t.equal(server.log.state().hardState.term, 3)
  t.not(server.state.stateHash(), hash)

  copyClean(join(directory, 'state.db'), join(directory, '103-3.snap'))
  server.driver.saveSnapshot(must(server.driver.raft.snapshotMeta()))
  server.state.checkpoint()
  server.driver.compact({ to: 90, durableApplied: server.state.durableIndex })
  t.equal(server.log.state().base.index, 90)
  propose(server, 101, 50)
  server.close()

  // The state is derived: when it is lost, the snapshot and the log behind it make it again.
  for (const end of ['', '-wal', '-shm']) rmSync(join(directory, `state.db${end}`), { force: true })
  server = serverIn(directory)
  t.teardown(() => server.close())
  t.equal(server.state.appliedIndex, 154)
  const reader = new StateReader(join(directory, 'state.db'))
  t.equal(reader.catalog.instances('web').length, 150)
  reader.close()
})
