import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runSnapshotJob } from '../../src/storage/snapshot-job.ts'
import { StateWriter } from '../../src/storage/state.ts'
import { copyClean, fill, tamper } from '../helpers/state.ts'

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
