import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { summedVersion } from '../../src/state/catalog/schema.ts'
import { runSnapshotJob } from '../../src/storage/snapshot/job.ts'
import { StateWriter } from '../../src/storage/state.ts'
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
  const { text } = writer.sums.now
  const snapshot = copyClean(path, join(t.testdirName, 'a.snap'))
  writer.close()
  for (const file of [path, snapshot]) {
    toFormat(file, summedVersion)
    tamper(file, 'UPDATE services SET port = port + 1')
  }
  t.match(runSnapshotJob({ kind: 'check', path: snapshot }).damage, /table services/)
  const migrated = new StateWriter(path)
  t.teardown(() => migrated.close())
  t.equal(migrated.sums.now.text, text)
  t.throws(() => runSnapshotJob({ kind: 'verify', statePath: path }), { code: 'state-damaged' })
})
