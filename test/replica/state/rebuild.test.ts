import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import type { PlacedSums } from '../../../src/state/machine/apply.ts'
import { stateTables } from '../../../src/state/families.ts'
import { initializeSums } from '../../../src/state/machine/sums.ts'
import { buildState } from '../../../src/replica/state/rebuild.ts'
import { emptyConfig } from '../../../src/raft/config.ts'
import { RaftLog } from '../../../src/storage/log/raft-log.ts'
import { SnapshotStore } from '../../../src/storage/snapshot/snapshot.ts'
import { StateWriter } from '../../../src/storage/state.ts'
import { Sqlite } from '../../helpers/sqlite.ts'
import { registration } from '../../helpers/state.ts'

const count = 60
const lost = { file: 'state.db', reason: 'a flipped bit' }

/** A log of 60 entries, snapshots at entries 20 and 40, and what the state comes to at entry 50 and 60. */
async function rig(t: Test) {
  const directory = t.testdir()
  const log = new RaftLog(join(directory, 'raft.db'))
  t.teardown(() => log.close())
  const entries = Array.from({ length: count }, (_, at) => {
    const { index, term, command } = registration(at + 1)
    return { index, term, kind: 'command' as const, data: Buffer.from(JSON.stringify(command)) }
  })
  const hardState = { term: 1, vote: 'n1', commit: count }
  log.write({ hardState, snapshot: undefined, truncateFrom: undefined, entries }, () => {})
  const statePath = join(directory, 'state.db')
  const state = new StateWriter(statePath)
  const files = new SnapshotStore({
    directory: join(directory, 'snapshots'),
    statePath,
    identity: () => ({ clusterId: 'c1', epoch: 0 }),
    current: () => undefined,
  })
  const applyTo = (to: number): string => {
    for (let at = state.appliedIndex + 1; at <= to; at++) state.applyBatch([registration(at)])
    return state.sums.now.text
  }
  for (const to of [20, 40]) {
    applyTo(to)
    await files.create(() => ({ index: 0, config: emptyConfig }))
  }
  const at50 = applyTo(50)
  const at60 = applyTo(count)
  state.close()
  const path = join(directory, 'rebuilt.db')
  /** The sums of what is built at entry 60. */
  const build = (right?: PlacedSums, snapshots = files.list()): string => {
    buildState(path, count, { log, snapshots, right }, lost)
    const built = new StateWriter(path)
    const { text } = built.sums.now
    built.close()
    return text
  }
  const snapshot = (index: number): string =>
    join(
      directory,
      'snapshots',
      readdirSync(join(directory, 'snapshots')).find(
        (name) => name.startsWith(`${index}-`) && name.endsWith('.snap'),
      ) ?? '',
    )
  return { log, files, path, build, snapshot, at50, at60 }
}

function flip(path: string): void {
  const at = readFileSync(path).indexOf('web-7')
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.from('W'), 0, 1, at)
  closeSync(file)
}

t.test('a state is rebuilt from the newest sound snapshot and the log behind it', async (t) => {
  const { build, at60, snapshot, log } = await rig(t)
  t.equal(build(), at60)
  flip(snapshot(40))
  t.equal(build(), at60, 'from an older one, when a bit of the newest is flipped')
  flip(snapshot(20))
  t.equal(build(), at60, 'from the log alone')
  log.saveSnapshot({ index: 40, term: 1, config: emptyConfig, confIndex: 0 })
  log.compact(30)
  t.throws(() => build(), { code: 'state-lost', message: /snapshots.40-1\.snap/ })
})

t.test('one that leads to the wrong state is passed over, and the next one is taken', async (t) => {
  const { build, at50, at60, snapshot, files, path } = await rig(t)
  // Wrong, and whole: its sums and its checksum fit.
  const wrong = new Sqlite(snapshot(40))
  wrong.exec("UPDATE services SET port = 1 WHERE id = 'web-7'")
  initializeSums(wrong, stateTables)
  wrong.close()
  const sha256 = createHash('sha256')
    .update(readFileSync(snapshot(40)))
    .digest('hex')
  const files40 = files.list().map((file) => {
    return file.meta.index === 40 ? { ...file, meta: { ...file.meta, sha256 } } : file
  })
  t.not(build(undefined, files40), at60, 'nothing tells that it is wrong')
  t.equal(build({ index: 50, text: at50 }, files40), at60)
  t.throws(() => build({ index: 50, text: 'something else' }), {
    code: 'state-lost',
    message: /leads to the same wrong state.*remove-peer/s,
  })
  t.notOk(existsSync(path), 'nothing of it is left')
})
