import t from 'tap'
import { must } from '../../src/base/assert.ts'
import {
  DnsPollers,
  RegistrationLoad,
  answeredWithin,
  instance,
  registerAlways,
} from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { checkAppliedOnce, checkSameState } from '../helpers/replica-check.ts'
import { pause } from '../helpers/until.ts'

// Cuts between servers, by proxies: connections stay open and nothing arrives.

t.test('cuts', { timeout: 150_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, { hasProxies: true })
  const always = await registerAlways(cluster)
  const pollers = new DnsPollers(cluster.servers, always)

  await t.test(
    'a leader whose host falls silent is replaced, and says that it is none',
    async (t) => {
      const old = await cluster.leader()
      const rest = cluster.others(old)
      cluster.isolate(old)
      const startMs = performance.now()
      // It takes itself for the leader still, and nobody confirms it.
      const unconfirmed = old.get('catalog/service/cut?consistent').catch(String)
      const early = old.put('catalog/register', instance('outside', 'early', 'cut')).catch(String)
      const leader = await cluster.leader(rest)
      t.comment(`another leader after ${(performance.now() - startMs).toFixed(0)} ms`)
      await leader.put('catalog/register', instance('outside', 'during', 'cut'))
      t.match(
        await unconfirmed,
        /No cluster leader/,
        'it vouches for nothing from the first moment',
      )
      t.match(await early, /No cluster leader/, 'a write to the old one fails')
      t.match(
        await old.get('catalog/service/cut?consistent').catch(String),
        /No cluster leader/,
        'and so does a consistent read',
      )
      const stale = await old.fetch('catalog/service/cut?stale')
      t.equal(stale.status, 200, 'a stale read is answered')
      t.equal(stale.headers.get('x-consul-knownleader'), 'false', 'as such')
      cluster.heal()
      await cluster.leader()
      await checkSameState(t, cluster.servers)
    },
  )

  await t.test('a follower that hears nothing does not disturb the others', async (t) => {
    const leader = await cluster.leader()
    const [deaf, other] = await cluster.followers()
    const load = new RegistrationLoad(cluster, 1, 'deaf')
    cluster.cutOneWay(leader, must(deaf))
    cluster.cutOneWay(must(other), must(deaf))
    await pause(4000)
    t.equal(await cluster.leader([leader, must(other)]), leader, 'the leader stays')
    cluster.heal()
    await cluster.leader()
    await load.stop()
    t.ok(load.acknowledged.length > 20, `${load.acknowledged.length} writes meanwhile`)
    await checkSameState(t, cluster.servers)
  })

  const deafAndMute = [
    { claim: 'a leader that hears nobody steps down', id: 'one-way', hears: false },
    { claim: 'a leader that nobody hears is replaced', id: 'unheard', hears: true },
  ]
  for (const { claim, id, hears } of deafAndMute) {
    await t.test(claim, async (t) => {
      const old = await cluster.leader()
      const rest = cluster.others(old)
      for (const other of rest) {
        if (hears) cluster.cutOneWay(old, other)
        else cluster.cutOneWay(other, old)
      }
      const leader = await cluster.leader(rest)
      await leader.put('catalog/register', instance('outside', id, 'cut'))
      cluster.heal()
      await cluster.leader()
      await checkSameState(t, cluster.servers)
    })
  }

  await t.test('two followers that lose each other go on', async (t) => {
    const leader = await cluster.leader()
    const [one, two] = await cluster.followers()
    cluster.sever(must(one), must(two))
    for (const [at, server] of cluster.servers.entries()) {
      await server.put('catalog/register', instance('outside', `bridge${at}`, 'bridge'))
    }
    await answeredWithin(cluster.servers, 'bridge.service.consul', 2000, (a) => a.length > 0)
    await pause(3000)
    t.equal(await cluster.leader(), leader, 'the leader stays')
    cluster.heal()
  })

  await t.test('a leader that loses one follower by resets keeps the other', async (t) => {
    const leader = await cluster.leader()
    const [one] = await cluster.followers()
    cluster.sever(leader, must(one))
    await pause(3000)
    const now = await cluster.leader(cluster.servers.filter((server) => server !== one))
    await now.put('catalog/register', instance('outside', 'severed', 'severed'))
    t.pass('writes go on without it')
    cluster.heal()
    await cluster.leader()
    await answeredWithin(cluster.servers, 'severed.service.consul', 5000, (a) => a.length > 0)
  })

  await pollers.stop()
  t.strictSame(pollers.failed, [], `each of ${pollers.asked} questions was answered`)
  const found = await must(cluster.servers[0]).get<{ ServiceID: string }[]>('catalog/service/cut')
  const ids = found.map(({ ServiceID }) => ServiceID)
  t.strictSame(
    ['during', 'one-way', 'unheard'].filter((id) => !ids.includes(id)),
    [],
    'what was acknowledged is there',
  )
  await checkSameState(t, cluster.servers)
  await cluster.stop()
  for (const server of cluster.servers) checkAppliedOnce(t, server)
})
