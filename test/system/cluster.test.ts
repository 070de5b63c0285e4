import { once } from 'node:events'
import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import {
  RegistrationLoad,
  answeredWithin,
  instance,
  registerAlways,
} from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { checkAppliedOnce, checkSameState, timesLogged } from '../helpers/replica-check.ts'
import { pause, until } from '../helpers/until.ts'

const electionMs = 1200

t.test('three servers', { timeout: 200_000 }, async (t) => {
  const cluster = await ThreeServers.start(t)
  const always = await registerAlways(cluster)

  await t.test('any of them takes writes, and all answer', async (t) => {
    for (const server of cluster.servers) {
      const { name } = server
      await server.put('agent/service/register', { Name: `own-${name}`, Port: 80 })
      // 200 means that the server that says so has it.
      t.equal((await server.ask(`own-${name}.service.consul`)).answer.length, 1, name)
      await answeredWithin(
        cluster.servers,
        `own-${name}.service.consul`,
        2000,
        (a) => a.length === 1,
      )
    }
  })

  await t.test('a dead server takes its services out of DNS, and brings them back', async (t) => {
    for (const victim of [await cluster.leader(), must((await cluster.followers())[0])]) {
      const name = `own-${victim.name}.service.consul`
      await victim.kill()
      const outMs = await answeredWithin(cluster.live, name, 5000, (found) => found.length === 0)
      t.comment(`${victim.name}: out of DNS within ${outMs.toFixed(0)} ms`)
      await victim.start()
      const backMs = await answeredWithin(
        cluster.servers,
        name,
        5000,
        (found) => found.length === 1,
      )
      t.comment(`${victim.name}: back within ${backMs.toFixed(0)} ms of its start`)
    }
  })

  await t.test('a leader that stood still serves no stale consistent read', (t) =>
    standStill(t, cluster),
  )

  await t.test('a rolling restart fails no look-up and loses no write', async (t) => {
    const load = new RegistrationLoad(cluster, 1, 'rolling')
    const resolvers = stubResolver(cluster.servers, always)
    for (const server of cluster.servers) {
      t.equal(await server.stop(), 0, `${server.name} stops cleanly`, { said: server.output() })
      await server.start()
      await cluster.leader()
    }
    await load.stop()
    const { asked, failed } = await resolvers.stop()
    t.ok(asked > 20, `${asked} look-ups`)
    t.strictSame(failed, [], 'none failed')
    t.ok(load.acknowledged.length > 20, `${load.acknowledged.length} writes, ${load.failed} failed`)
    const found = await must(cluster.servers[0]).get<{ ServiceID: string }[]>(
      'catalog/service/web?consistent',
    )
    const ids = new Set(found.map(({ ServiceID }) => ServiceID))
    t.strictSame(
      load.acknowledged.filter((id) => !ids.has(id)),
      [],
      'none lost',
    )
  })

  await t.test('a follower that was wiped comes back as another server', (t) => replace(t, cluster))

  await t.test('what is no peer is told so, and harms nobody', (t) => garbage(t, cluster, always))

  await checkSameState(t, cluster.live)
  await cluster.stop()
  for (const server of cluster.servers) checkAppliedOnce(t, server)
})

/** Node's resolver (c-ares) with all three servers, as in a resolv.conf that lists them. */
function stubResolver(servers: readonly ClusterServer[], name: string) {
  const resolver = new Resolver({ timeout: 1000, tries: 3 })
  resolver.setServers(servers.map(({ dnsPort }) => `127.0.0.1:${dnsPort}`))
  const failed: string[] = []
  const stopping = new AbortController()
  let asked = 0
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      asked++
      await resolver.resolve4(name).catch((error: unknown) => failed.push(String(error)))
      await pause(25)
    }
  }
  const running = run()
  return {
    stop: async () => {
      stopping.abort()
      await running
      return { asked, failed }
    },
  }
}

async function standStill(t: Test, cluster: ThreeServers): Promise<void> {
  const old = await cluster.leader()
  const rest = cluster.others(old)
  await old.put('catalog/register', instance('outside', 'before', 'frozen'))
  old.pause()
  // They reach the kernel of the paused server, and are read when it goes on.
  const reads = Array.from({ length: 8 }, () =>
    old.get<unknown[]>('catalog/service/frozen?consistent', 30_000).catch(String),
  )
  const leader = await cluster.leader(rest)
  await leader.put('catalog/register', instance('outside', 'after', 'frozen'))
  await pause(3 * electionMs)
  old.resume()
  for (const found of await Promise.all(reads)) {
    // An error would do; an answer must not be of before.
    const isStale = typeof found !== 'string' && found.length !== 2
    t.notOk(isStale, `the read is not stale: ${JSON.stringify(found).slice(0, 80)}`)
  }
  await cluster.leader()
  await answeredWithin(cluster.servers, 'frozen.service.consul', 5000, (a) => a.length === 1)
}

async function replace(t: Test, cluster: ThreeServers): Promise<void> {
  const follower = must((await cluster.followers())[0])
  const [oldId] = (await cluster.raftServers(follower))
    .filter(({ Address }) => Address === follower.address)
    .map(({ ID }) => ID)
  await follower.kill()
  follower.wipe()
  const leader = await cluster.leader(cluster.others(follower))
  await leader.put(`operator/raft/peer?id=${must(oldId)}`, undefined, 'DELETE')
  await follower.start()
  const added = await until('it votes', 15_000, async () => {
    const servers = await cluster.raftServers(leader)
    return servers.find(({ Address, Voter }) => Address === follower.address && Voter)
  })
  t.not(added.ID, oldId, 'under another id')
  t.equal((await cluster.raftServers(leader)).length, 3)
  await checkSameState(t, cluster.servers)
  const name = `own-${follower.name}.service.consul`
  t.equal((await follower.ask('always.service.consul')).answer.length, 1, 'it answers')
  t.comment(`its own services from before: ${(await follower.ask(name)).rcode}`)
}

async function garbage(t: Test, cluster: ThreeServers, always: string): Promise<void> {
  const leader = await cluster.leader()
  const texts = ['GET / HTTP/1.1\r\n\r\n', randomBytes(70_000), Buffer.alloc(64, 0xff)]
  for (const text of texts) {
    const socket = connect(leader.serverPort, '127.0.0.1')
    socket.on('error', () => {}).resume()
    socket.write(text)
    await once(socket, 'close')
  }
  // Somebody who connects and says nothing is cut off too.
  const silent = connect(leader.serverPort, '127.0.0.1')
  silent.on('error', () => {}).resume()
  await once(silent, 'close')
  t.match(
    leader.agent.output,
    /not-a-peer|not the svcd protocol|does not send the greeting/,
    'the log names the cause',
  )
  t.equal(await cluster.leader(), leader, 'the leader is who it was')
  t.equal((await leader.ask(always)).answer.length, 1)
}

t.test('a removed server that comes back changes nothing', { timeout: 60_000 }, async (t) => {
  const cluster = await ThreeServers.start(t)
  const always = await registerAlways(cluster)
  const follower = must((await cluster.followers())[0])
  const servers = await cluster.raftServers()
  const { ID } = must(servers.find(({ Address }) => Address === follower.address))
  await follower.kill()
  const leader = await cluster.leader()
  await leader.put(`operator/raft/peer?id=${ID}`, undefined, 'DELETE')
  const terms = leader.agent.output.length
  await follower.start(['-log-level=info'])
  // Meanwhile it calls for elections; the others must not listen.
  const cause = 'this server was removed from its cluster'
  await until('it is told why', 15_000, () => follower.output().includes(cause))
  t.equal(await cluster.leader(cluster.others(follower)), leader, 'the leader is who it was')
  t.notMatch(leader.agent.output.slice(terms), /lost leadership/)
  await leader.put('catalog/register', instance('outside', 'later', 'later'))
  await answeredWithin(cluster.others(follower), 'later.service.consul', 2000, (a) => a.length > 0)
  t.equal((await leader.ask(always)).answer.length, 1)
})

t.test('another cluster, or a second bootstrap, is kept apart', { timeout: 60_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, { args: ['-log-level=info'] })
  await registerAlways(cluster)
  const [one, two, three] = cluster.servers
  const join = cluster.servers.map(({ address }) => `-retry-join=${address}`)
  const alone = [
    `-data-dir=${cluster.directory}/other`,
    '-server',
    '-bind=127.0.0.1',
    '-server-port=0',
    ...cluster.secretArgs,
  ]
  // A server of a cluster of its own that is pointed at this one.
  const founder = await AgentProcess.start({ args: [...alone, '-node=x1'] })
  await founder.kill()
  const other = await AgentProcess.start({ args: [...alone, '-node=x1', ...join] })
  const isTold = (text: string): boolean =>
    /(refusing peer|peer \S+ refuses).* to cluster/.test(text)
  await until('both are told', 15_000, () => isTold(other.output) && isTold(must(one).output()))
  const answer = await other.get<unknown[]>('catalog/service/always')
  t.strictSame(answer, [], 'a cluster of one does not mix with this one')
  await other.kill()
  t.equal((await cluster.raftServers(one)).length, 3)
  // Its data directory in the place of one of the servers, and then under that one's id too.
  const [id] = (await cluster.raftServers(one))
    .filter(({ Address }) => Address === must(three).address)
    .map(({ ID }) => ID)
  await must(three).kill()
  const args = must(three).args.map((arg) => (arg.startsWith('-data-dir') ? must(alone[0]) : arg))
  for (const [more, text] of [
    [[], 'expected node ID'],
    [[`-node-id=${must(id)}`], 'does not match its ID'],
  ] as const) {
    const late = AgentProcess.spawn({ args: [...args, ...more] })
    t.teardown(() => late.kill())
    await until(`it is told: ${text}`, 15_000, () => late.output.includes(text))
    await late.kill()
  }
  // Wiped, under its old name, and told to begin a cluster of its own: it joins the one that is there.
  must(three).wipe()
  await must(three).start(['-bootstrap-expect=1'])
  await until('it votes', 15_000, async () => {
    const servers = await cluster.raftServers(one)
    return servers.some(({ Address, ID, Voter }) => {
      return Address === must(three).address && ID !== id && Voter
    })
  })
  t.notMatch(must(three).output(), /bootstrapped a new cluster/)
  await until('the old id is missed by name', 15_000, () => {
    return new RegExp(`expected node ID ${must(id)} here`).test(must(three).output())
  })
  await must(one).put(`operator/raft/peer?id=${must(id)}`, undefined, 'DELETE')
  t.equal((await cluster.raftServers(two)).length, 3)
  await checkSameState(t, cluster.servers)
})

t.test('a write whose reply is lost is applied once', { timeout: 60_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, { hasProxies: true })
  await registerAlways(cluster)
  const leader = await cluster.leader()
  const follower = must(cluster.others(leader)[0])
  // The leader hears the follower's requests; its replies do not arrive.
  cluster.cutOneWay(leader, follower)
  const id = `lost-${randomUUID()}`
  const written = follower.put('catalog/register', instance('outside', id, 'lost'))
  await until('the leader has it', 5000, async () => {
    return (await leader.get<unknown[]>('catalog/service/lost')).length === 1
  })
  // What is done to it meanwhile must not be undone by the request that comes again.
  await leader.put('catalog/deregister', { Node: 'outside', ServiceID: id })
  cluster.sever(leader, follower)
  cluster.heal()
  await written
  t.strictSame(await leader.get('catalog/service/lost?consistent'), [], 'it was written once')
  await checkSameState(t, cluster.servers)
  await cluster.stop()
  t.ok(timesLogged(leader, id) > 1, 'though it was asked for twice')
  for (const server of cluster.servers) checkAppliedOnce(t, server)
})
