import t from 'tap'
import type { Test } from 'tap'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AgentStore } from '../../../src/storage/agent/store.ts'
import { SvcdError } from '../../../src/base/errors.ts'
import { openDatabase } from '../../../src/storage/sqlite.ts'
import { checkDefinition, serviceDefinition } from '../../helpers/catalog.ts'
import { typescriptFlags } from '../../helpers/typescript-flags.ts'

interface Run {
  readonly every: number
}

function store(t: Test, path = join(t.testdir(), 'agent.db')): AgentStore<Run> & { path: string } {
  const opened = new AgentStore<Run>(path, {
    onLost: (error) => t.fail('a commit failed', { error }),
  })
  return Object.assign(opened, { path })
}

const stored = (checkId: string, serviceId = '') => ({
  check: checkDefinition(checkId, { serviceId, status: 'critical', output: 'o', type: 'ttl' }),
  run: { every: 5 },
  ttlLeftMs: 4000,
  savedWallMs: 1000,
  knownIndex: 5,
})

const web = serviceDefinition('web', {
  id: 'web/1',
  tags: ['v1', 'é'],
  extra: { Proxy: { x: [1] } },
})

t.test('what was written is there after a restart, as it was', async (t) => {
  const first = store(t)
  first.putService(web, 5)
  first.serviceSynced('web/1', 7)
  first.putCheck(stored('ttl', 'web/1'))
  first.putCheck(stored('node'))
  first.checkSynced('node', 8)
  const told = { status: 'warning', evidence: 'proof', output: 'late' } as const
  const progress = { ...told, ttlLeftMs: 10, savedWallMs: 2000 }
  first.saveProgress({ checkId: 'node', ...progress })
  first.close()

  const again = store(t, first.path)
  t.teardown(() => again.close())
  t.strictSame(again.service('web/1'), { service: web, knownIndex: 5, syncedIndex: 7 })
  t.strictSame([...again.services()], [{ service: web, knownIndex: 5, syncedIndex: 7 }])
  t.strictSame(again.check('ttl'), { ...stored('ttl', 'web/1'), syncedIndex: undefined })
  t.strictSame(again.check('node'), {
    ...stored('node'),
    check: { ...stored('node').check, ...told },
    ttlLeftMs: 10,
    savedWallMs: 2000,
    syncedIndex: 8,
  })
  t.strictSame(again.checkIdsOfService('web/1'), ['ttl'])
  t.strictSame(again.checksOfService('web/1'), [again.check('ttl')])
  t.strictSame([...again.checks()], [again.check('node'), again.check('ttl')])
})

t.test('a file of the release before has checks whose evidence is not known', async (t) => {
  const first = store(t)
  first.putCheck({ ...stored('c'), check: { ...stored('c').check, status: 'critical' } })
  first.checkSynced('c', 8)
  const before = first.check('c')
  first.close()
  const db = openDatabase(first.path, { mode: 'read-write', synchronous: 'NORMAL' })
  db.exec('ALTER TABLE checks DROP COLUMN evidence; PRAGMA user_version = 1')
  db.close()
  const upgraded = store(t, first.path)
  t.teardown(() => upgraded.close())
  t.strictSame(upgraded.check('c'), before)
  t.equal(upgraded.check('c')?.check.evidence, '')
  const check = { ...stored('d').check, status: 'critical', evidence: 'intent' } as const
  upgraded.putCheck({ ...stored('d'), check })
  t.equal(upgraded.check('d')?.check.evidence, 'intent')
})

t.test('a service that is written again counts as unacknowledged', async (t) => {
  const db = store(t)
  t.teardown(() => db.close())
  db.putService(web, 5)
  db.serviceSynced('web/1', 7)
  db.putService({ ...web, port: 81 }, 5)
  t.match(db.service('web/1'), { service: { port: 81 }, syncedIndex: undefined })
})

t.test('a removal takes the checks along and is remembered until it is told', async (t) => {
  const db = store(t)
  t.teardown(() => db.close())
  db.putService(web, 5)
  db.putCheck(stored('ttl', 'web/1'))
  db.putCheck(stored('node'))
  await db.removeService('web/1', 6)
  await db.removeCheck('node', 7)
  t.strictSame([...db.services()], [])
  t.strictSame([...db.checks()], [])
  t.strictSame(db.removals(), [
    { kind: 'check', id: 'node', knownIndex: 7 },
    { kind: 'service', id: 'web/1', knownIndex: 6 },
  ])
  db.forgetRemoval({ kind: 'check', id: 'node' })
  t.strictSame(db.removals(), [{ kind: 'service', id: 'web/1', knownIndex: 6 }])
})

t.test('the heads of services are read in pages', async (t) => {
  const db = store(t)
  t.teardown(() => db.close())
  for (const id of ['a', 'b', 'c', 'd', 'e']) db.putService(serviceDefinition('web', { id }), 5)
  const ids = (after: string): string[] => db.serviceHeads(after, 2).map((head) => head.id)
  t.strictSame([ids(''), ids('b'), ids('d'), ids('e')], [['a', 'b'], ['c', 'd'], ['e'], []])
})

t.test('lists longer than a page are whole and in order', async (t) => {
  const db = store(t)
  t.teardown(() => db.close())
  const ids = Array.from({ length: 250 }, (_, n) => `id-${String(n).padStart(3, '0')}`)
  for (const id of ids.toReversed()) {
    db.putService(serviceDefinition(id === 'id-101' ? '"' : 'web', { id }), 5)
    db.putCheck(stored(id, id))
  }
  t.strictSame(
    [...db.services()].map((entry) => entry.service.id),
    ids,
  )
  t.strictSame(
    [...db.checks()].map((entry) => entry.check.checkId),
    ids,
  )
  t.strictSame(db.counts(), { services: 250, checks: 250 })
  t.match(db.servicesNamed('"'), [{ service: { id: 'id-101' } }])
})

t.test('the writes of one turn are one transaction, committed at its end', async (t) => {
  const db = store(t)
  t.teardown(() => db.close())
  db.putService(web, 5)
  const first = db.committed()
  db.putCheck(stored('ttl', 'web/1'))
  t.equal(db.committed(), first, 'one group')
  let isCommitted = false
  void first.then(() => (isCommitted = true))
  await Promise.resolve()
  t.equal(isCommitted, false, 'a promise job is still the same turn')
  await first
  db.putService({ ...web, port: 1 }, 5)
  t.not(db.committed(), first, 'the next turn has its own')
})

t.test('a killed process loses nothing that was committed', async (t) => {
  const path = join(t.testdir(), 'agent.db')
  const script = `
    import { AgentStore } from ${JSON.stringify(new URL('../../../src/storage/agent/store.ts', import.meta.url).href)}
    const store = new AgentStore(process.argv[1], { onLost: () => {} })
    const service = JSON.parse(process.argv[2])
    store.putService(service, 0)
    await store.committed()
    store.putService({ ...service, id: 'gone' }, 0)
    process.kill(process.pid, 'SIGKILL')`
  const child = spawnSync(
    process.execPath,
    [...typescriptFlags, '--input-type=module', '-e', script, path, JSON.stringify(web)],
    { encoding: 'utf8' },
  )
  t.equal(child.signal, 'SIGKILL', child.stderr)
  const db = store(t, path)
  t.teardown(() => db.close())
  t.strictSame(
    [...db.services()].map((entry) => entry.service.id),
    ['web/1'],
  )
})

const noStrace = spawnSync('strace', ['-V']).error !== undefined && 'strace is not installed'

t.test('only a deregistration is synced', { skip: noStrace }, async (t) => {
  const directory = t.testdir()
  const script = `
    import { AgentStore } from ${JSON.stringify(new URL('../../../src/storage/agent/store.ts', import.meta.url).href)}
    import { writeSync } from 'node:fs'
    const store = new AgentStore(process.argv[1], { onLost: () => {} })
    const service = JSON.parse(process.argv[2])
    const mark = (text) => writeSync(1, text + '\\n')
    store.putService(service, 0)
    await store.committed()
    mark('== registering')
    store.putService({ ...service, id: 'b' }, 0)
    await store.committed()
    mark('== deregistering')
    store.putService({ ...service, id: 'c' }, 0)
    await store.removeService('b', 0)
    mark('== registering')
    store.putService({ ...service, id: 'd' }, 0)
    await store.committed()
    mark('== end')
    process.kill(process.pid, 'SIGKILL')`
  const trace = join(directory, 'trace')
  const traced = ['-f', '-y', '-e', 'trace=fsync,fdatasync,write', '-o', trace, process.execPath]
  const program = [...typescriptFlags, '--input-type=module', '-e', script]
  const file = join(directory, 'agent.db')
  spawnSync('strace', [...traced, ...program, file, JSON.stringify(web)])
  const parts = readFileSync(trace, 'utf8').split('"== ')
  const syncs = parts
    .slice(1)
    .map((part) => [
      part.slice(0, part.indexOf('\\n')),
      (part.match(/f(?:data)?sync\(\d+<[^>]*agent\.db-wal>/g) ?? []).length,
    ])
  t.strictSame(syncs, [
    ['registering', 0],
    ['deregistering', 1],
    ['registering', 0],
    ['end', 0],
  ])
})

t.test('a file of a newer format, in use, or damaged is refused and left as it is', async (t) => {
  const directory = t.testdir({ 'damaged.db': 'this is not a database, and it is long'.repeat(50) })
  const newer = join(directory, 'agent.db')
  const db = openDatabase(newer, { mode: 'read-write', synchronous: 'NORMAL' })
  db.pragma('user_version = 99')
  db.close()
  const codeOf = (path: string): string => {
    try {
      store(t, path).close()
      return 'opened'
    } catch (error) {
      return error instanceof SvcdError ? error.code : String(error)
    }
  }
  t.equal(codeOf(newer), 'data-dir-newer')
  t.equal(codeOf(join(directory, 'damaged.db')), 'data-corrupt')
  t.equal(codeOf(join(directory, 'none', 'agent.db')), 'data-dir-unusable')
  const held = store(t, join(directory, 'held.db'))
  t.teardown(() => held.close())
  t.equal(codeOf(held.path), 'data-dir-in-use')
})
