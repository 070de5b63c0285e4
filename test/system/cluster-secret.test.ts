import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { runSvcd } from '../helpers/agent-process.ts'
import { ClusterServer, ThreeServers } from '../helpers/cluster-process.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { until } from '../helpers/until.ts'

/** One more server, which looks for the others by itself. */
async function newcomer(t: Test, cluster: ThreeServers): Promise<ClusterServer> {
  const ports = (await freePorts(3)).map((port) => must(port))
  const server = new ClusterServer({
    name: 'late',
    directory: join(cluster.directory, 'late'),
    host: '127.0.0.1',
    ports: [must(ports[0]), must(ports[1]), must(ports[2])],
    args: [`-retry-join=${must(cluster.servers[0]).address}`, '-log-level=info'],
  })
  t.teardown(() => server.kill())
  return server
}

async function votes(cluster: ThreeServers, server: ClusterServer): Promise<void> {
  await until('it votes', 20_000, async () =>
    (await cluster.raftServers()).some(({ Address, Voter }) => Address === server.address && Voter),
  )
}

t.test(
  'without a secret a server joins when an operator lets it in',
  { timeout: 60_000 },
  async (t) => {
    const cluster = await ThreeServers.start(t, { size: 1, hasSecret: false, args: [] })
    const late = await newcomer(t, cluster)
    await late.start()
    await until('it is told how', 15_000, () =>
      /can join on its own only if it proves its identity/.test(late.output()),
    )
    t.equal((await cluster.raftServers()).length, 1)
    const id = readFileSync(join(late.directory, 'node-id'), 'utf8').trim()
    const words = ['operator', 'raft', 'add-peer', '-id', id, '-address', late.address]
    t.match(await runSvcd(must(cluster.servers[0]).httpUrl, ...words), { code: 0 })
    await votes(cluster, late)
    t.pass('and it is promoted by itself')
  },
)

t.test(
  'with the secret it joins by itself, and a key is replaced without a stop',
  { timeout: 90_000 },
  async (t) => {
    const cluster = await ThreeServers.start(t, { size: 1, args: ['-log-level=info'] })
    const [first] = cluster.servers
    const late = await newcomer(t, cluster)
    const fresh = `-encrypt=${randomBytes(32).toString('base64')}`
    const [old] = cluster.secretArgs
    await late.start()
    await until('it lacks the secret', 15_000, () => /has no cluster secret/.test(late.output()))
    await late.kill()
    await late.start([fresh])
    await until('it has another', 15_000, () => /a different cluster secret/.test(late.output()))
    await late.kill()
    await late.start([must(old)])
    await votes(cluster, late)
    // The new key second on one, then first on the other, then alone.
    await must(first).kill()
    await must(first).start([fresh])
    await cluster.leader([must(first), late])
    await late.kill()
    await late.start([fresh, must(old)])
    await cluster.leader([must(first), late])
    await late.kill()
    await late.start([fresh])
    await cluster.leader([must(first), late])
    t.equal((await cluster.raftServers()).length, 2)
  },
)

t.test(
  'a cluster that runs is given a secret one server at a time',
  { timeout: 90_000 },
  async (t) => {
    const cluster = await ThreeServers.start(t, { hasSecret: false, args: ['-log-level=info'] })
    const key = `-encrypt=${randomBytes(32).toString('base64')}`
    for (const more of [[key, '-encrypt-verify=false'], [key]]) {
      for (const server of cluster.servers) {
        await server.kill()
        await server.start(more)
        await cluster.leader()
        await server.put('agent/service/register', { Name: `on-${server.name}`, Port: 80 })
      }
    }
    t.pass('and takes writes all the time')
  },
)
