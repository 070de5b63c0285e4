import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { summedVersion } from '../../src/state/catalog/schema.ts'
import { runSnapshotJob } from '../../src/storage/snapshot/job.ts'
import { StateWriter } from '../../src/storage/state.ts'
import { loadSums } from '../../src/state/machine/sums.ts'
import { Sqlite } from '../helpers/sqlite.ts'
import { copyClean, fill, tamper, toFormat } from '../helpers/state.ts'

t.test(
  'rows that are not those that were written are found, and no snapshot is made',
  async (t) => {
    t.testdir()
    const statePath = join(t.testdirName, 'state.db')
    const writer = new StateWriter(statePath)
    t.teardown(() => writer.close())
    fill(writer, 40)
    t.equal(runSnapshotJob({ kind: 'verify', statePath }).index, 40)
    const copy = copyClean(statePath, join(t.testdirName, 'copy.db'))
    tamper(copy, "UPDATE services SET address = '10.9.9.9' WHERE id = 'web-1'")
    const error = { code: 'state-damaged', message: /table services: its rows/ }
    t.throws(() => runSnapshotJob({ kind: 'verify', statePath: copy }), error)
    const path = join(t.testdirName, 'make.tmp')
    t.throws(() => runSnapshotJob({ kind: 'make', statePath: copy, path }), error)
    t.ok(existsSync(path), 'left to the caller, who removes it')
  },
)

t.test('an index that is not that of its table is found', async (t) => {
  t.testdir()
  const statePath = join(t.testdirName, 'state.db')
  const writer = new StateWriter(statePath)
  t.teardown(() => writer.close())
  fill(writer, 40)
  const copy = copyClean(statePath, join(t.testdirName, 'copy.db'))
  const db = new Sqlite(copy, { readonly: true })
  const { rootpage } = db
    .prepare<[], { rootpage: number }>(
      "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'services' AND sql IS NOT NULL",
    )
    .get() ?? { rootpage: 0 }
  db.close()
  const bytes = readFileSync(copy)
  const at = bytes.indexOf('web', (rootpage - 1) * 4096 + 1000)
  t.ok(rootpage > 0 && at < rootpage * 4096, 'a key of the index, in its page')
  bytes.write('wec', at)
  writeFileSync(copy, bytes)
  t.throws(() => runSnapshotJob({ kind: 'verify', statePath: copy }), {
    code: 'state-damaged',
    message: /table services: (row|non-unique|wrong)/,
  })
})

t.test(
  'a state of an older release, and a restored one, have the sums of their rows',
  async (t) => {
    t.testdir()
    const [path, other] = ['state.db', 'other.db'].map((name) => join(t.testdirName, name))
    const writer = new StateWriter(must(path))
    fill(writer, 40)
    const { text } = writer.sums.now
    const snapshot = copyClean(must(path), join(t.testdirName, 'a.snap'))
    writer.close()
    toFormat(must(path), 1)
    const migrated = new StateWriter(must(path))
    t.equal(migrated.sums.now.text, text)
    t.equal(runSnapshotJob({ kind: 'verify', statePath: must(path) }).index, 40)
    migrated.close()
    const restored = new StateWriter(must(other))
    t.teardown(() => restored.close())
    fill(restored, 3)
    restored.restore(snapshot, { index: 40, term: 1 })
    t.equal(restored.sums.now.text, text)
    fill(restored, 60)
    t.equal(runSnapshotJob({ kind: 'verify', statePath: must(other) }).index, 60)
  },
)

t.test('damage in a state that has sums already is still found after an upgrade', async (t) => {
  t.testdir()
  const path = join(t.testdirName, 'state.db')
  const writer = new StateWriter(path)
  fill(writer, 40)
  const snapshot = copyClean(path, join(t.testdirName, 'a.snap'))
  writer.close()
  let noted = ''
  for (const file of [path, snapshot]) {
    toFormat(file, summedVersion)
    noted = notedSum(file, 'services')
    tamper(file, 'UPDATE services SET port = port + 1')
  }
  t.match(runSnapshotJob({ kind: 'check', path: snapshot }).damage, /table services/)
  const migrated = new StateWriter(path)
  t.teardown(() => migrated.close())
  t.equal(notedSum(path, 'services'), noted, 'what the damaged rows should add up to')
  t.throws(() => runSnapshotJob({ kind: 'verify', statePath: path }), { code: 'state-damaged' })
})

function notedSum(path: string, table: string): string {
  const db = new Sqlite(path, { readonly: true })
  const { sums } = loadSums(db)
  db.close()
  return must(sums[table]).text
}

t.test('an upgrade that changes rows sums up again only what was sound', async (t) => {
  t.testdir()
  const path = join(t.testdirName, 'state.db')
  const writer = new StateWriter(path)
  fill(writer, 40)
  const { text } = writer.sums.now
  const snapshot = copyClean(path, join(t.testdirName, 'a.snap'))
  writer.close()
  const damaged = copyClean(path, join(t.testdirName, 'damaged.db'))
  for (const file of [path, snapshot, damaged]) toFormat(file, 7)
  const verify = (statePath: string) => runSnapshotJob({ kind: 'verify', statePath })

  const migrated = new StateWriter(path)
  t.teardown(() => migrated.close())
  t.equal(migrated.sums.now.text, text, 'the same as of a state that has always had the column')
  t.equal(verify(path).index, 40)

  tamper(damaged, "UPDATE checks SET status = 'critical' WHERE check_id = 'service:web-7'")
  t.match(runSnapshotJob({ kind: 'check', path: damaged }).damage, /table checks/, 'before')
  const open = new StateWriter(damaged)
  t.teardown(() => open.close())
  t.throws(() => verify(damaged), { code: 'state-damaged', message: /table checks/ })
  t.not(open.sums.now.text, text)

  tamper(snapshot, "DELETE FROM checks WHERE check_id = 'service:web-7'")
  const restored = new StateWriter(join(t.testdirName, 'restored.db'))
  t.teardown(() => restored.close())
  restored.restore(snapshot, { index: 40, term: 1 })
  t.throws(() => verify(join(t.testdirName, 'restored.db')), { code: 'state-damaged' })
})

t.test('an upgrade finds pages that cannot be read, as a start does', async (t) => {
  t.testdir()
  const path = join(t.testdirName, 'state.db')
  const writer = new StateWriter(path)
  fill(writer, 2000)
  writer.close()
  toFormat(path, 7)
  const db = new Sqlite(path)
  const page = db
    .prepare<[], number>(
      "SELECT max(pageno) FROM dbstat WHERE name = 'checks' AND pagetype = 'leaf'",
    )
    .pluck()
    .get()
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(4096, 0xff), 0, 4096, (must(page) - 1) * 4096)
  closeSync(file)
  // The server sets the file aside then, and rebuilds its state.
  t.throws(() => new StateWriter(path), { code: 'data-corrupt' })
})
