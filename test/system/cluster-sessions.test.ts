import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { until } from '../helpers/until.ts'

// Sessions and locks on real servers, whose leader goes.

interface Entry {
  readonly Session?: string
  readonly LockIndex: number
}

async function create(server: ClusterServer, body: object): Promise<string> {
  return (JSON.parse(await server.put('session/create', body)) as { ID: string }).ID
}

async function acquire(server: ClusterServer, key: string, session: string): Promise<boolean> {
  return (await server.put(`kv/${key}?acquire=${session}`, '')) === 'true'
}

async function entry(server: ClusterServer, key: string): Promise<Entry> {
  return must((await server.get<Entry[]>(`kv/${key}`))[0])
}

async function has(server: ClusterServer, session: string): Promise<boolean> {
  return (await server.get<unknown[]>(`session/info/${session}`)).length > 0
}

async function sessionFigures(server: ClusterServer): Promise<ReadonlyMap<string, number>> {
  const text = await (await server.fetch('agent/metrics?format=prometheus')).text()
  const lines = text.split('\n').filter((line) => /^svcd_(?:session|lock)/.test(line))
  return new Map(
    lines.map((line) => line.split(' ')).map(([name = '', value]) => [name, Number(value)]),
  )
}

const noChecks = { TTL: '10s', NodeChecks: [] }

t.test('a lock survives its leader, and is free when its holder is silent', async (t) => {
  const cluster = await ThreeServers.start(t)
  const leader = await cluster.leader()
  const [one, other] = (await cluster.followers()) as [ClusterServer, ClusterServer]
  const holder = await create(one, { ...noChecks, LockDelay: '1s' })
  t.ok(await acquire(other, 'lock', holder), 'of a session that another server has made')
  for (const server of cluster.servers) await server.put(`session/renew/${holder}`)

  await leader.kill()
  // Asked during the election: it waits for the new leader.
  t.match(JSON.parse(await one.put(`session/renew/${holder}`)), [{ ID: holder }])
  const renewedMs = performance.now()
  t.match(await entry(other, 'lock'), { Session: holder, LockIndex: 1 })
  const rival = await create(other, { ...noChecks, LockDelay: '0s' })
  const renewal = setInterval(() => void other.put(`session/renew/${rival}`).catch(() => {}), 3000)
  t.teardown(() => clearInterval(renewal))
  t.notOk(await acquire(other, 'lock', rival))
  await until('the lock is free', 20_000, () => acquire(one, 'lock', rival), 100)
  const ms = performance.now() - renewedMs
  // Its TTL, its lock-delay, and what the duties of a leader are late.
  t.ok(ms > 11_000, `${Math.round(ms)} ms`)
  t.ok(ms < 11_000 + 2000, `${Math.round(ms)} ms`)
  t.match(await entry(other, 'lock'), { Session: rival, LockIndex: 2 }, 'the token has risen')
  let figures: readonly ReadonlyMap<string, number>[] = []
  const sum = (name: string): number =>
    figures.reduce((all, values) => all + (values.get(`svcd_${name}`) ?? 0), 0)
  // A leader tells its figures once a second.
  await until('the leader has counted the end of the session', 5000, async () => {
    figures = await Promise.all([one, other].map((server) => sessionFigures(server)))
    return sum('session_expirations_total') === 1
  })
  t.ok(sum('session_renewals_total') >= 2)
  for (const name of ['sessions', 'sessions_timed', 'locks_held'])
    t.equal(sum(name), 2, `${name}: one on each server`)
  const gone = await one.fetch(`session/renew/${holder}`, { method: 'PUT' })
  t.strictSame([gone.status, await gone.text()], [404, `Session id '${holder}' not found`])
})

t.test('a session without checks survives that its server is cut off for a while', async (t) => {
  const cluster = await ThreeServers.start(t, {
    hasProxies: true,
    args: ['-log-level=warn', '-member-timeout=3s'],
  })
  const [one, other] = (await cluster.followers()) as [ClusterServer, ClusterServer]
  const kept = await create(one, noChecks)
  const bound = await create(one, { TTL: '60s' })
  t.ok(await acquire(one, 'kept', kept))
  t.ok(await acquire(one, 'bound', bound))
  cluster.isolate(one)
  await until('the session with serfHealth ends', 10_000, async () => !(await has(other, bound)))
  t.match(await entry(other, 'kept'), { Session: kept })
  t.notOk((await entry(other, 'bound')).Session)
  cluster.heal()
  await until('the renewal arrives', 10_000, () => one.put(`session/renew/${kept}`))
  t.match(await entry(one, 'kept'), { Session: kept, LockIndex: 1 })
})

t.test('sessions, locks and lock-delays survive a restart', async (t) => {
  const cluster = await ThreeServers.start(t, { size: 1 })
  const [server] = cluster.servers as [ClusterServer]
  const lost = await create(server, { ...noChecks, LockDelay: '30s' })
  const kept = await create(server, { Name: 'kept', NodeChecks: [] })
  t.ok(await acquire(server, 'lost', lost))
  t.ok(await acquire(server, 'kept', kept))
  const destroyedMs = performance.now()
  await server.put(`session/destroy/${lost}`)
  await server.kill()
  await server.start()
  await cluster.leader()
  t.match(await entry(server, 'kept'), { Session: kept, LockIndex: 1 })
  const refused = await server.fetch(`kv/lost?acquire=${kept}`, { method: 'PUT' })
  t.strictSame([refused.status, await refused.text()], [200, 'false'])
  const left = /^([.\d]+)s$/.exec(refused.headers.get('x-svcd-lock-delay') ?? '')?.[1]
  const passedSeconds = (performance.now() - destroyedMs) / 1000
  t.ok(Number(left) >= 30 - passedSeconds && Number(left) < 31.5, `${left} s are left`)
})

t.test('a lock-delay of a millisecond refuses nobody, on any server', async (t) => {
  const cluster = await ThreeServers.start(t)
  const servers = [await cluster.leader(), ...(await cluster.followers())]
  for (const [turn, server] of [...servers, ...servers, ...servers].entries()) {
    const key = `lock-${turn}`
    // As Patroni asks for it.
    const old = await create(server, { Checks: [], LockDelay: '0.001s', Behavior: 'delete' })
    const next = await create(server, noChecks)
    t.ok(await acquire(server, key, old))
    await server.put(`session/destroy/${old}`)
    t.ok(await acquire(must(servers[(turn + 1) % 3]), key, next), `${server.name}, turn ${turn}`)
  }
})
