import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { Versions } from '../../src/catalog/versions.ts'
import { CommitLoop } from '../../src/node/commit-loop.ts'
import { Stamp } from '../../src/node/replica-messages.ts'
import { RaftLog } from '../../src/storage/raft-log.ts'
import { StateReader, StateWriter } from '../../src/storage/state.ts'
import { registerCommand, serviceDefinition } from '../helpers/catalog.ts'

interface Server {
  readonly loop: CommitLoop
  readonly log: RaftLog
  readonly state: StateWriter
  readonly versions: Versions
  readonly stamp: Stamp
  close(): void
}

function open(directory: string): Server {
  const log = new RaftLog(join(directory, 'raft.db'))
  try {
    const state = new StateWriter(join(directory, 'state.db'))
    const versions = new Versions()
    const stamp = new Stamp()
    const close = (): void => {
      state.close()
      log.close()
    }
    try {
      const loop = new CommitLoop({ log, state, versions, stamp, wallMs: () => 1000 })
      return { loop, log, state, versions, stamp, close }
    } catch (error) {
      state.close()
      throw error
    }
  } catch (error) {
    log.close()
    throw error
  }
}

let requests = 0

function proposal(service: string, requestId = `r${++requests}`): string {
  const body = registerCommand('n1', { service: serviceDefinition(service) })
  return JSON.stringify({ version: 1, requestId, actor: 'test', cause: 'test', body })
}

function servicesIn(directory: string): string[] {
  const reader = new StateReader(join(directory, 'state.db'))
  const names = [...reader.catalog.serviceNames().keys()]
  reader.close()
  return names
}

function copyDatabase(from: string, to: string, name: string): void {
  copyFileSync(join(from, name), join(to, name))
}

t.test(
  'all proposals of a batch are committed, applied and published when it returns',
  async (t) => {
    const directory = t.testdir()
    const server = open(directory)
    t.teardown(() => server.close())
    const since = server.versions.applied
    const outcomes = server.loop.propose([proposal('web'), proposal('db'), proposal('web')])
    t.strictSame(
      outcomes.map(({ ok, index }) => [ok, index]),
      [
        [true, 2],
        [true, 3],
        [true, 4],
      ],
      'after the no-op of the term',
    )
    t.equal(server.log.state().hardState.commit, 4)
    t.strictSame(servicesIn(directory), ['db', 'web'])
    t.notOk(server.versions.holds(server.versions.slotOf('service:web'), since))
    t.notOk(server.stamp.writing)
  },
)

t.test('each start is a new term whose first entry is a no-op (§8)', async (t) => {
  const directory = t.testdir()
  open(directory).close()
  const server = open(directory)
  t.teardown(() => server.close())
  t.equal(server.log.state().hardState.term, 2)
  t.strictSame(
    server.log.entries(1, 2, Infinity).map(({ term, kind }) => [term, kind]),
    [
      [1, 'noop'],
      [2, 'noop'],
    ],
  )
})

/** A data directory in which state.db is older than the log, as after a power cut. */
function withOldState(t: Test): string {
  const directory = t.testdir({ before: {} })
  open(directory).close()
  copyDatabase(directory, join(directory, 'before'), 'state.db')
  const server = open(directory)
  server.loop.propose([proposal('web', 'once'), proposal('db')])
  server.close()
  copyDatabase(join(directory, 'before'), directory, 'state.db')
  return directory
}

t.test('what the catalog lacks is replayed from the log, once', async (t) => {
  const directory = withOldState(t)
  t.strictSame(servicesIn(directory), [], 'the power cut took them')
  const server = open(directory)
  t.teardown(() => server.close())
  t.strictSame(servicesIn(directory), ['db', 'web'])
  const [again] = server.loop.propose([proposal('web', 'once')])
  t.equal(again?.index, 3, 'a retry is answered with the outcome of the first time')
})

t.test('a catalog that does not fit the log is refused', async (t) => {
  const directory = t.testdir({ other: {} })
  const server = open(directory)
  server.loop.propose([proposal('web')])
  server.close()
  mkdirSync(join(directory, 'ahead'))
  copyDatabase(directory, join(directory, 'ahead'), 'state.db')
  t.throws(
    () => open(join(directory, 'ahead')),
    { code: 'data-corrupt', message: /it holds the catalog up to entry 2/ },
    'the log was lost',
  )
})
