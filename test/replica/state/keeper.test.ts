import { join } from 'node:path'
import t from 'tap'
import { silentLogger } from '../../../src/base/log.ts'
import { openVersions } from '../../../src/state/families.ts'
import { CatalogStateMachine } from '../../../src/replica/catalog-state-machine.ts'
import { Standstill } from '../../../src/replica/state/standstill.ts'
import { StateKeeper } from '../../../src/replica/state/keeper.ts'
import type { Entry } from '../../../src/raft/entry.ts'
import { RaftLog } from '../../../src/storage/log/raft-log.ts'
import { Sqlite } from '../../helpers/sqlite.ts'
import { registration } from '../../helpers/state.ts'
import { closeSync, openSync, writeSync } from 'node:fs'

const alone = {
  canAsk: false,
  fetch: () => Promise.resolve(undefined),
  detach: () => {},
  attach: () => {},
}

const entries: Entry[] = Array.from({ length: 60 }, (_, at) => {
  const { index, term, command } = registration(at + 1)
  return { index, term, kind: 'command', data: Buffer.from(JSON.stringify(command)) }
})

t.test('damage that a write meets is made good at the next start', async (t) => {
  const dataDirectory = t.testdir()
  const log = new RaftLog(join(dataDirectory, 'raft.db'))
  t.teardown(() => log.close())
  const hardState = { term: 1, vote: 'n1', commit: 60 }
  log.write({ hardState, snapshot: undefined, truncateFrom: undefined, entries }, () => {})
  const versions = openVersions()
  const open = (): StateKeeper =>
    new StateKeeper({
      dataDirectory,
      log,
      logger: silentLogger,
      snapshots: () => [],
      standstill: new Standstill({
        raft: () => undefined,
        versions: versions.buffer,
        handOver: () => Promise.resolve(),
        onTurn: () => {},
      }),
      guard: (work) => work(),
      checkEveryMs: 600_000,
      peers: alone,
    })
  const machineOf = (keeper: StateKeeper): CatalogStateMachine =>
    new CatalogStateMachine({
      state: keeper.state,
      versions,
      snapshotPath: () => '',
      onApplied: () => {},
      onRestored: () => {},
      onDamage: (reason) => keeper.noteForNextStart(reason),
    })
  const first = open()
  machineOf(first).apply(entries.slice(0, 50))
  first.state.close()

  const path = join(dataDirectory, 'state.db')
  const db = new Sqlite(path, { readonly: true })
  const { rootpage } = db
    .prepare<[], { rootpage: number }>("SELECT rootpage FROM sqlite_master WHERE name = 'services'")
    .get() ?? { rootpage: 0 }
  db.close()
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, (rootpage - 1) * 4096)
  closeSync(file)

  const second = open()
  t.equal(second.damagesFound, 0, 'at the start it is not met')
  t.throws(() => machineOf(second).apply(entries.slice(50, 51)), { code: /^SQLITE_CORRUPT/ })
  second.state.close()

  const third = open()
  t.teardown(() => third.state.close())
  t.equal(third.damagesFound, 1)
  t.equal(third.state.appliedIndex, 60)
  t.equal(third.state.catalog.instances('web').length, 60)
  t.equal(third.report().sums.at(-1)?.index, 60)
  await third.check()
  t.equal(third.damagesFound, 1, 'and it is whole')

  let isChecked = false
  void third.check().then(() => (isChecked = true))
  await third.stop()
  t.equal(isChecked, true, 'a stop waits for the check, which has the file open')
})
