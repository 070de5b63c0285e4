import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { runSvcd } from '../helpers/agent-process.ts'
import { answeredWithin } from '../helpers/cluster-load.ts'
import { ClusterServer, ThreeServers } from '../helpers/cluster-process.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { checkSameState } from '../helpers/replica-check.ts'
import { until } from '../helpers/until.ts'

// A server is its id: what becomes of its name, of what it had registered, and of who takes its place.

/** Lines that a server may log until it knows the leader. */
const startLinesMax = 25

t.test('servers that come by name and go by id', { timeout: 300_000 }, async (t) => {
  const cluster = await ThreeServers.prepare(t.testdir(), { args: ['-log-level=info'] })
  t.teardown(() => cluster.stop())
  await t.test(`a start logs ${startLinesMax} lines at most`, (t) => startLines(t, cluster))
  await t.test('a server with another name is renamed', (t) => renamed(t, cluster))
  await t.test('a new machine owns nothing of its predecessor', (t) => replaced(t, cluster))
})

/** Two of three are not up yet, for a while. */
async function startLines(t: Test, cluster: ThreeServers): Promise<void> {
  const [first, second, third] = cluster.servers as [ClusterServer, ClusterServer, ClusterServer]
  const starts = [first.start()]
  const waits = (server: ClusterServer, what: RegExp) =>
    until(`${server.name} waits`, 60_000, () => what.test(server.output()))
  await waits(first, /waiting for the other servers: .*found 1 of 3 servers/)
  // It asks three times a second, and has nothing new to say.
  await starts[0]
  starts.push(second.start())
  await waits(first, /waiting for the other servers: .*found 2 of 3 servers/)
  await starts[1]
  starts.push(third.start())
  await Promise.all(starts)
  await cluster.leader()
  for (const server of cluster.servers) {
    const lines = server.output().split('\n')
    const known = lines.findIndex((line) => / new leader: | leads the cluster/.test(line))
    t.ok(known >= 0 && known < startLinesMax, `${server.name}: ${known + 1} lines`)
    t.notMatch(server.output(), /is the address of this server itself/)
  }
}

async function renamed(t: Test, cluster: ThreeServers): Promise<void> {
  const server = must((await cluster.followers())[0])
  const others = cluster.others(server)
  await server.put('agent/service/register', { Name: 'kept', Port: 80 })
  await answeredWithin(cluster.servers, 'kept.service.consul', 5000, (a) => a.length === 1)
  await server.stop()
  await server.start(['-node=renamed'])
  await until('the old name is gone', 20_000, async () => {
    const nodes = await must(others[0]).get<{ Node: string }[]>('catalog/nodes')
    const names = nodes.map(({ Node }) => Node)
    return names.includes('renamed') && !names.includes(server.name)
  })
  const found = await must(others[0]).get<{ Node: string }[]>('catalog/service/kept')
  t.match(found, [{ Node: 'renamed' }], 'its service has come along, and is there once')
  const members = await runSvcd(must(others[0]).httpUrl, 'members')
  t.match(members.out, /^renamed +\S+ +alive/m)
  t.notMatch(members.out, new RegExp(`^${server.name} |unknown`, 'm'))
  const left = await runSvcd(must(others[0]).httpUrl, 'force-leave', server.name)
  t.match(left, { code: 1, err: `No node found with name '${server.name}'` })
  await server.stop()
  await server.start()
  await until('its name is back', 20_000, async () => {
    const nodes = await must(others[0]).get<{ Node: string }[]>('catalog/nodes')
    return nodes.length === 3 && nodes.some(({ Node }) => Node === server.name)
  })
  await checkSameState(t, cluster.servers)
}

async function replaced(t: Test, cluster: ThreeServers): Promise<void> {
  const dead = must((await cluster.followers())[0])
  const [asked] = cluster.others(dead) as [ClusterServer, ClusterServer]
  const rows = await cluster.raftServers(asked)
  const oldId = must(rows.find(({ Address }) => Address === dead.address)).ID
  // This test removes it by hand.
  await asked.put('operator/autopilot/configuration', { CleanupDeadServers: false })
  await dead.put('agent/service/register', { Name: 'theirs', Port: 80 })
  await answeredWithin(cluster.servers, 'theirs.service.consul', 5000, (a) => a.length === 1)
  await dead.kill()
  await answeredWithin(cluster.live, 'theirs.service.consul', 10_000, (a) => a.length === 0)

  const ports = await freePorts(3)
  const fresh = new ClusterServer({
    name: dead.name,
    directory: join(cluster.directory, 'fresh'),
    host: '127.0.0.1',
    ports: [must(ports[0]), must(ports[1]), must(ports[2])],
    args: [
      '-bootstrap-expect=0',
      '-log-level=info',
      `-retry-join=${asked.address}`,
      ...cluster.secretArgs,
    ],
  })
  t.teardown(() => fresh.kill())
  await fresh.start()
  const newId = readFileSync(join(fresh.directory, 'node-id'), 'utf8').trim()
  await until('its name is its own', 30_000, async () => {
    const { Node } = await asked.get<{ Node: { ID: string } }>(`catalog/node/${dead.name}`)
    return Node.ID === newId
  })
  const live = [...cluster.live, fresh]
  await until('it has no service of the dead one', 10_000, async () => {
    const all = await Promise.all(live.map((one) => one.get<unknown[]>('catalog/service/theirs')))
    return all.every((list) => list.length === 0)
  })
  t.strictSame(Object.keys(await fresh.get('agent/services')), [], 'nor has its agent')
  for (const one of live) t.equal((await one.ask('theirs.service.consul')).answer.length, 0)

  // Both have had the name; the dead one is known by its id alone.
  const byName = await runSvcd(asked.httpUrl, 'force-leave', dead.name)
  t.equal(byName.code, 1)
  for (const id of [oldId, newId]) t.match(byName.err, id, 'both ids are named')
  const unknown = await runSvcd(asked.httpUrl, 'force-leave', '(unknown)')
  t.match(unknown, { code: 1, err: oldId })
  t.match(unknown.err, /Use the ID of the server\. `svcd force-leave ID`/)
  await sameAddress(t, { asked, dead, oldId, secretArgs: cluster.secretArgs })
  t.match(await runSvcd(asked.httpUrl, 'force-leave', oldId), { code: 0 })
  const members = (await runSvcd(asked.httpUrl, 'members')).out
  t.notMatch(members, /unknown/)
  t.match(members, new RegExp(`^${dead.name} +\\S+ +alive`, 'm'))
}

/** An empty machine comes up at the address of the dead server, while that is still a member. */
async function sameAddress(
  t: Test,
  {
    asked,
    dead,
    oldId,
    secretArgs,
  }: {
    asked: ClusterServer
    dead: ClusterServer
    oldId: string
    secretArgs: readonly string[]
  },
): Promise<void> {
  const ports = await freePorts(2)
  const other = new ClusterServer({
    name: 'wiped',
    directory: `${dead.directory}-wiped`,
    host: '127.0.0.1',
    ports: [must(ports[0]), must(ports[1]), dead.serverPort],
    args: ['-bootstrap-expect=0', '-log-level=info', `-retry-join=${asked.address}`, ...secretArgs],
  })
  t.teardown(() => other.kill())
  await other.start()
  const id = readFileSync(join(other.directory, 'node-id'), 'utf8').trim()
  await until('two are at one address', 30_000, async () => {
    const { out } = await runSvcd(asked.httpUrl, 'operator', 'raft', 'list-peers')
    return out.split(dead.address).length === 3
  })
  const args = ['operator', 'raft', 'remove-peer', '-address', dead.address] as const
  const byAddress = await runSvcd(asked.httpUrl, ...args)
  t.equal(byAddress.code, 1)
  for (const one of [oldId, id]) t.match(byAddress.err, one, 'both ids are named')
  await other.put('agent/leave')
}
