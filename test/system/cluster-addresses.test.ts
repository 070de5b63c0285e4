import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { answeredWithin, registerAlways } from '../helpers/cluster-load.ts'
import { ClusterServer, ThreeServers } from '../helpers/cluster-process.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { checkSameState } from '../helpers/replica-check.ts'
import { until } from '../helpers/until.ts'

// Servers are their ids, and addresses follow: what was stopped comes back elsewhere with its old data.

/** From the first line of the last one that begins until each knows the leader and where all are. */
const formedMs = 10_000

/** Whether the servers prove who they are makes a difference to what is believed of addresses. */
for (const hasSecret of [true, false]) {
  const how = hasSecret ? 'with a secret' : 'without a secret'
  t.test(`servers that move, ${how}`, { timeout: 200_000 }, async (t) => {
    const cluster = await ThreeServers.start(t, { args: ['-log-level=info'], hasSecret })
    const always = await registerAlways(cluster)
    let servers = cluster.servers
    t.teardown(() => Promise.all(servers.map((server) => server.kill())))
    for (const [what, moving] of [
      ['all three', [0, 1, 2]],
      ['two of three', [0, 2]],
      ['one of three', [1]],
    ] as const) {
      await t.test(`${what} come back at other addresses within 10 s`, async (t) => {
        await cluster.leader(servers)
        await Promise.all(moving.map((at) => must(servers[at]).stop()))
        servers = await moved(cluster, servers, moving)
        const starts = moving.map((at) => must(servers[at]).start())
        await Promise.all([...starts, formed(t, cluster, servers)])
        const elapsedMs = formationMs(moving.map((at) => must(servers[at])))
        t.ok(elapsedMs < formedMs, `${what}: ${elapsedMs} ms`)
        await must(servers[0]).put('agent/service/register', { Name: 'after', Port: 80 })
        await answeredWithin(servers, 'after.service.consul', 5000, (a) => a.length === 1)
        for (const server of servers) t.equal((await server.ask(always)).answer.length, 1)
        await checkSameState(t, servers)
      })
    }
  })
}

/** By the lines of their logs: on a busy machine a process alone may take seconds to begin. */
function formationMs(servers: readonly ClusterServer[]): number {
  const timesOf = (server: ClusterServer, what: RegExp): readonly number[] =>
    server
      .output()
      .split('\n')
      .filter((line) => /^\d{4}-/.test(line) && what.test(line))
      .map((line) => Date.parse(line.slice(0, line.indexOf(' '))))
  const began = servers.map((server) => must(timesOf(server, /./)[0]))
  const known = servers.map((server) => timesOf(server, /has moved| leads/).at(-1) ?? Infinity)
  return Math.max(...known) - Math.max(...began)
}

/** The same data, under other ports of another address of this host. */
async function moved(
  cluster: ThreeServers,
  servers: readonly ClusterServer[],
  moving: readonly number[],
): Promise<readonly ClusterServer[]> {
  const ports = await freePorts(3 * moving.length)
  const places = servers.map((server, at) => {
    const turn = moving.indexOf(at)
    if (turn < 0) return { server, address: server.address }
    const [http, dns, port] = ports.slice(3 * turn, 3 * turn + 3)
    const own = [must(http), must(dns), must(port)] as const
    return { server, own, address: `127.0.0.1:${port}` }
  })
  const joins = places.map(({ address }) => `-retry-join=${address}`)
  return places.map(({ server, own }) =>
    own === undefined
      ? server
      : new ClusterServer({
          name: server.name,
          directory: server.directory,
          host: '127.0.0.1',
          ports: own,
          args: [...joins, ...cluster.secretArgs, '-log-level=info'],
        }),
  )
}

/** All agree on a leader, and on where each of them is. */
async function formed(
  t: Test,
  cluster: ThreeServers,
  servers: readonly ClusterServer[],
): Promise<void> {
  await until('a leader, and the addresses of all', 30_000, async () => {
    if (!servers.every(({ isLive }) => isLive)) return false
    const said = await Promise.all(servers.map((server) => cluster.raftServers(server)))
    return said.every((rows) => {
      const addresses = new Set(rows.map(({ Address }) => Address))
      return (
        rows.length === 3 &&
        rows.some(({ Leader }) => Leader) &&
        servers.every(({ address }) => addresses.has(address))
      )
    })
  })
  await cluster.leader(servers)
  t.pass('formed')
}
