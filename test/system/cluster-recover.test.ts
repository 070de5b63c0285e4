import t, { type Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { runSvcd } from '../helpers/agent-process.ts'
import { instance } from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { pause, until } from '../helpers/until.ts'

// `operator raft recover` on one of three servers, and the two that were left behind with their data.

const leftBehind = /left behind when its cluster was recovered/

async function write(server: ClusterServer, id: string): Promise<string> {
  return server
    .put('catalog/register', instance('outside', id), 'PUT', 4000)
    .then(() => 'acknowledged')
    .catch(String)
}

/** Three servers with a service, all killed, n1 recovered and not started. */
async function recovered(t: Test, hasSecret: boolean): Promise<ThreeServers> {
  const cluster = await ThreeServers.start(t, { hasSecret })
  const leader = await cluster.leader()
  await leader.put('catalog/register', { Node: 'outside', Address: '10.1.0.1' })
  t.equal(await write(leader, 'before'), 'acknowledged')
  const [n1, n2, n3] = cluster.servers
  const { directory } = must(n1)
  await must(n1).kill()
  const early = await runSvcd('', 'operator', 'raft', 'recover', `-data-dir=${directory}`)
  t.match(
    early.err,
    /form a majority: start this server without recovering it/,
    'not while the others go on',
  )
  await Promise.all([must(n2).kill(), must(n3).kill()])
  const { out } = await runSvcd('', 'operator', 'raft', 'recover', `-data-dir=${directory}`)
  t.match(out, /is now the only member .* epoch 1/)
  return cluster
}

/** Each says why it takes no write, answers DNS as stale, and reads when it is asked for stale ones. */
async function checkLeftBehind(t: Test, servers: readonly ClusterServer[]): Promise<void> {
  for (const server of servers) {
    await until(`${server.name} says it`, 10_000, async () =>
      leftBehind.test(await write(server, 'after')),
    )
    t.match(await server.get('health/service/web').catch(String), leftBehind, 'a default read')
    const stale = await server.get<readonly unknown[]>('health/service/web?stale')
    t.ok(stale.length > 0, 'a stale read')
    const { rcode, answer } = await server.ask('web.service.consul')
    t.equal(rcode, 'NOERROR')
    t.ok(must(answer[0]).ttl <= 1, 'DNS answers as stale')
    t.match(server.output(), leftBehind, 'the log says it')
  }
}

t.test(
  'servers that start after the recovered one take no write',
  { timeout: 120_000 },
  async (t) => {
    const cluster = await recovered(t, true)
    const [n1, n2, n3] = cluster.servers.map((server) => must(server)) as [
      ClusterServer,
      ClusterServer,
      ClusterServer,
    ]
    await n1.start()
    await until('n1 leads', 10_000, async () => (await write(n1, 'new')) === 'acknowledged')
    const acknowledged: string[] = []
    const tries = { isOver: false }
    const tryAll = async (server: ClusterServer): Promise<void> => {
      for (let n = 0; !tries.isOver; n++) {
        const answer = await write(server, `${server.name}-${n}`)
        if (answer === 'acknowledged') acknowledged.push(server.name)
        await pause(20)
      }
    }
    const writers = [n2, n3].map(tryAll)
    await Promise.all([n2.start(), n3.start()])
    await checkLeftBehind(t, [n2, n3])
    await pause(2000)
    tries.isOver = true
    await Promise.all(writers)
    t.strictSame(acknowledged, [], 'from their first moment on')

    await Promise.all([n1, n2, n3].map((server) => server.kill()))
    await Promise.all([n2.start(), n3.start()])
    await checkLeftBehind(t, [n2, n3])
    t.pass('and when they start again without it')
  },
)

t.test(
  'servers that start before the recovered one stop when it is there',
  { timeout: 120_000 },
  async (t) => {
    const cluster = await recovered(t, false)
    const [n1, n2, n3] = cluster.servers.map((server) => must(server)) as [
      ClusterServer,
      ClusterServer,
      ClusterServer,
    ]
    await Promise.all([n2.start(), n3.start()])
    // A majority that cannot reach the recovered server cannot know of it.
    await until('they elect one', 20_000, async () => (await write(n2, 'lost')) === 'acknowledged')
    await n1.start()
    await checkLeftBehind(t, [n2, n3])
    t.equal(await write(n1, 'kept'), 'acknowledged', 'the recovered server goes on')
    const found = await n1.get<readonly { ServiceID: string }[]>('catalog/service/web')
    t.strictSame(found.map(({ ServiceID }) => ServiceID).toSorted(), ['before', 'kept'])
  },
)
