import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { silentLogger } from '../../src/base/log.ts'
import { openVersions } from '../../src/state/families.ts'
import { Replica } from '../../src/replica/replica.ts'
import { walBytesOf } from '../../src/storage/sqlite.ts'
import { StateReader } from '../../src/storage/state.ts'
import { registerCommand, serviceDefinition } from '../helpers/catalog.ts'
import { loneServer } from '../helpers/replica-settings.ts'
import { Sqlite } from '../helpers/sqlite.ts'
import { until } from '../helpers/until.ts'

const origin = { actor: 'test', cause: 'test' }
const web = (id: string) => registerCommand('n1', { service: serviceDefinition('web', { id }) })

async function start(t: Test, directory: string): Promise<Replica> {
  const replica = await Replica.start({
    dataDirectory: directory,
    versions: openVersions(),
    logger: silentLogger,
    onDeath: (error) => t.fail(error.message),
    onApplied: () => {},
    onStatus: () => {},
    settings: loneServer,
  })
  t.teardown(() => replica.stop())
  return replica
}

t.test('every proposal gets its own outcome, in the order of the log', async (t) => {
  const directory = t.testdir()
  const replica = await start(t, directory)
  const bodies = Array.from({ length: 2000 }, (_, n) => web(`web-${n}`))
  const outcomes = await Promise.all([
    ...bodies.map((body) => replica.propose(body, origin)),
    replica.propose(
      { kind: 'register', nodeName: 'none', checks: [], replaceChecks: false },
      origin,
    ),
  ])
  t.ok(outcomes.slice(0, -1).every(({ ok }) => ok))
  t.match(outcomes.at(-1), { ok: false, error: 'unknown-node', subject: 'none' })
  const indexes = outcomes.map(({ index }) => index)
  // The leader may write an entry of its own in between.
  t.strictSame(
    indexes,
    [...new Set(indexes)].toSorted((a, b) => a - b),
  )
  t.ok(must(indexes.at(-1)) <= outcomes.length + 4, `${indexes.at(-1)}`)
  const reader = new StateReader(join(directory, 'state.db'))
  t.teardown(() => reader.close())
  t.equal(reader.catalog.instances('web').length, 2000, 'applied where it can be read')
})

t.test('an outcome arrives with its value', async (t) => {
  const replica = await start(t, t.testdir())
  const put = { kind: 'kv-put', key: 'a', value: 'dg==', flags: '0', cas: '0' } as const
  const [first, second] = [await replica.propose(put, origin), await replica.propose(put, origin)]
  t.strictSame(first, { ok: true, index: first.index })
  t.strictSame(second, { ok: true, index: second.index, value: false })
})

t.test('a stop finishes what was proposed before it and refuses what comes after', async (t) => {
  const replica = await start(t, t.testdir())
  const before = replica.propose(web('a'), origin)
  const stopped = replica.stop()
  await t.rejects(replica.propose(web('b'), origin), { code: 'stopping' })
  t.ok((await before).ok)
  await stopped
})

t.test('too much at once is refused as busy, too large a command as such', async (t) => {
  const replica = await start(t, t.testdir())
  const large = registerCommand('n1', {
    service: serviceDefinition('web', { meta: { blob: 'x'.repeat(400_000) } }),
  })
  const waiting = Array.from({ length: 21 }, () => replica.propose(large, origin))
  await t.rejects(replica.propose(web('a'), origin), { code: 'busy' })
  await Promise.all(waiting)
  t.ok((await replica.propose(web('a'), origin)).ok, 'and taken again when there is room')
  const huge = registerCommand('n1', {
    service: serviceDefinition('web', { meta: { blob: 'x'.repeat(1_100_000) } }),
  })
  await t.rejects(replica.propose(huge, origin), { code: 'command-too-large' })
})

t.test('a directory that another replica holds is refused', async (t) => {
  const directory = t.testdir()
  await start(t, directory)
  await t.rejects(start(t, directory), { code: 'data-dir-in-use' })
})

t.test('a quiet server moves into state.db what a reader kept out of it', async (t) => {
  const directory = t.testdir()
  const replica = await start(t, directory)
  const file = join(directory, 'state.db')
  const [reader, watcher] = [new Sqlite(file), new Sqlite(file)]
  t.teardown(() => [reader, watcher].forEach((connection) => connection.close()))
  // As the check of the whole file after a start reads it, on a machine that is busy.
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM services').get()
  t.ok((await replica.propose(web('web-late'), origin)).ok)
  const walBytes = walBytesOf(watcher)
  // A commit that syncs what could not be moved.
  await until('it has met the reader', 10_000, () => walBytesOf(watcher) > walBytes)
  const isMoved = () => readFileSync(file).includes('web-late')
  t.notOk(isMoved())
  reader.exec('ROLLBACK')
  await until('the row is in the file', 10_000, isMoved)
})

t.test('writes that come one by one do not make the WAL of state.db long', async (t) => {
  const directory = t.testdir()
  const replica = await start(t, directory)
  const watcher = new Sqlite(join(directory, 'state.db'))
  t.teardown(() => watcher.close())
  let largest = 0
  for (let n = 0; n < 1200; n++) {
    const service = serviceDefinition(`s${(n * 7919) % 9973}`)
    await replica.propose(registerCommand('n1', { service }), origin)
    if (n % 20 === 0) largest = Math.max(largest, walBytesOf(watcher))
  }
  t.ok(largest < 24 * 1024 * 1024, `${largest} bytes`)
})
