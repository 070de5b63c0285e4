import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { runSvcd } from '../helpers/agent-process.ts'
import { answeredWithin, instance, registerAlways } from '../helpers/cluster-load.ts'
import { ClusterServer, ThreeServers } from '../helpers/cluster-process.ts'
import type { RaftServerJson } from '../helpers/cluster-process.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { checkAppliedOnce, checkSameState, hashed } from '../helpers/replica-check.ts'
import { until } from '../helpers/until.ts'

// What an operator does by the command line, as docs/operating.md says it.

/** Services that are brought back from a file. */
const restored = Number(process.env['SVCD_RESTORED'] ?? 1000)

t.test('operators', { timeout: 400_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, { args: ['-log-level=info'] })
  const always = await registerAlways(cluster)
  await t.test('a damaged snapshot is refused, and nothing is changed', (t) => damaged(t, cluster))
  await t.test(`a snapshot with ${restored} services is restored`, (t) => restore(t, cluster))
  await t.test('a dead server is removed, and another one added in its place', (t) =>
    replace(t, cluster),
  )
  for (const server of cluster.live) t.equal((await server.ask(always)).answer.length, 1)
  await cluster.stop()
  for (const server of cluster.servers) checkAppliedOnce(t, server, 'fleet')
})

async function damaged(t: Test, cluster: ThreeServers): Promise<void> {
  const [one, two] = [must(cluster.servers[0]), must(cluster.servers[1])]
  const file = join(cluster.directory, 'backup.snap')
  t.match(await runSvcd(one.httpUrl, 'snapshot', 'save', file), { code: 0, out: /Saved and verif/ })
  await one.put('catalog/register', instance('outside', 'since', 'since'))
  await checkSameState(t, cluster.servers)
  const before = hashed(one)
  const archive = readFileSync(file)
  const tar = gunzipSync(archive)
  const flip = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy.writeUInt8(copy.readUInt8(at) ^ 4, at)
    return copy
  }
  const sums = tar.lastIndexOf('  state.bin')
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    // Of its CRC-32 (RFC 1952 §2.3.1): what a bit before it makes of the rest is chance.
    ['a bit of the archive', flip(archive, archive.length - 8), /damaged|checksum|SHA-256/],
    [
      'a bit of the state',
      gzipSync(flip(tar, tar.length >> 1)),
      /the checksum of state\.bin does not match/,
    ],
    [
      'a digit of the checksum',
      gzipSync(flip(tar, sums - 1)),
      /the checksum of \S+ does not match/,
    ],
    ['half of it', archive.subarray(0, archive.length >> 1), /it is truncated/],
    ['no archive', Buffer.from('{"this": "is no archive"}'), /not a gzip archive/],
    ['no tar', gzipSync(Buffer.alloc(20_000, 'text')), /it is not a tar archive/],
  ]
  for (const [what, bytes, cause] of cases) {
    const response = await two.fetch('snapshot', { method: 'PUT', body: bytes })
    t.equal(response.status, 400, `HTTP: ${what}`)
    t.match(await response.text(), cause)
  }
  const bad = join(cluster.directory, 'bad.snap')
  for (const [what, bytes, cause] of cases.slice(1, 4)) {
    writeFileSync(bad, bytes)
    const { code, out, err } = await runSvcd(two.httpUrl, 'snapshot', 'restore', bad)
    t.match({ code, out }, { code: 1, out: '' }, `CLI: ${what}`)
    t.match(err, cause)
  }
  for (const server of cluster.servers) t.strictSame(hashed(server), before, server.name)
}

async function restore(t: Test, cluster: ThreeServers): Promise<void> {
  const [one, two] = [must(cluster.servers[0]), must(cluster.servers[1])]
  const nodes = Array.from({ length: 10 }, (_, n) => `fleet-${n}`)
  for (const Node of nodes) await one.put('catalog/register', { Node, Address: '10.2.0.1' })
  let next = 0
  const register = async (): Promise<void> => {
    for (let n = next++; n < restored; n = next++) {
      await one.put('catalog/register', instance(must(nodes[n % 10]), `f${n}`, `fleet${n % 100}`))
    }
  }
  await Promise.all(Array.from({ length: 32 }, register))
  const file = join(cluster.directory, 'fleet.snap')
  t.match(await runSvcd(one.httpUrl, 'snapshot', 'save', file), { code: 0 })
  for (const Node of nodes) await one.put('catalog/deregister', { Node })
  await answeredWithin(cluster.servers, 'fleet7.service.consul', 5000, (a) => a.length === 0)
  const startMs = performance.now()
  t.match(await runSvcd(two.httpUrl, 'snapshot', 'restore', file), { code: 0, out: /Restored/ })
  t.comment(`${restored} services in ${(performance.now() - startMs).toFixed(0)} ms`)
  await answeredWithin(cluster.servers, 'fleet7.service.consul', 5000, (a) => a.length > 0)
  for (const server of cluster.servers) {
    const found = await server.get<unknown[]>('catalog/service/fleet99')
    t.equal(found.length, restored / 100, `${server.name} has all of a service`)
  }
  await checkSameState(t, cluster.servers)
}

async function replace(t: Test, cluster: ThreeServers): Promise<void> {
  const victim = must((await cluster.followers())[0])
  await victim.put('agent/service/register', { Name: 'theirs', Port: 80 })
  await answeredWithin(cluster.servers, 'theirs.service.consul', 5000, (a) => a.length === 1)
  const idOf = async (address: string): Promise<string> => {
    const servers = await cluster.raftServers()
    return must(servers.find(({ Address }) => Address === address)).ID
  }
  const oldId = await idOf(victim.address)
  await victim.kill()
  const leader = await cluster.leader()
  const { httpUrl } = leader
  await answeredWithin(cluster.live, 'theirs.service.consul', 5000, (a) => a.length === 0)
  t.match(await runSvcd(httpUrl, 'operator', 'raft', 'remove-peer', '-id', oldId), {
    code: 0,
    out: /^Removed peer/,
  })
  t.notMatch((await runSvcd(httpUrl, 'operator', 'raft', 'list-peers')).out, oldId)
  t.match(await runSvcd(httpUrl, 'deregister', '-node', victim.name), { code: 0 })
  t.strictSame(await leader.get(`health/node/${victim.name}`), [], 'its serfHealth is gone')
  t.strictSame(await leader.get('health/service/theirs'), [], 'and its services')

  const fresh = await newcomer(t, cluster)
  const id = readFileSync(join(fresh.directory, 'node-id'), 'utf8').trim()
  t.match(
    await runSvcd(httpUrl, 'operator', 'raft', 'add-peer', '-id', id, '-address', fresh.address),
    { code: 0, out: /^Added peer/ },
  )
  await until('it votes', 15_000, async () => {
    const { out } = await runSvcd(httpUrl, 'operator', 'raft', 'list-peers')
    return new RegExp(`^n4 +${id} .* true +3$`, 'm').test(out)
  })
  t.match(fresh.output(), /joined a cluster/, 'though it knew nobody')
  await fresh.put('agent/service/register', { Name: 'ours', Port: 80 })
  await answeredWithin([...cluster.live, fresh], 'ours.service.consul', 5000, (a) => a.length === 1)
  await checkSameState(t, [...cluster.live, fresh])

  // Its data gone, and its id kept: what it had acknowledged is lost with the data.
  await fresh.kill()
  fresh.wipe()
  await fresh.start([`-node-id=${id}`])
  await until('it is refused', 15_000, () => fresh.output().includes('but its data is gone'))
  await leader.put('catalog/register', instance('outside', 'on', 'on'))
  // While it runs it would ask to be let in again: it knows the secret.
  await fresh.kill()
  t.match(
    await runSvcd(httpUrl, 'operator', 'raft', 'remove-peer', '-address', fresh.address),
    { code: 0 },
    'and it can be removed',
  )
  const { Servers } = await leader.get<{ Servers: RaftServerJson[] }>('operator/raft/configuration')
  const names = Servers.map(({ Node }) => Node).toSorted()
  const left = cluster.live.map(({ name }) => name)
  t.strictSame(names, left, 'and those that are left stay')
}

/** A server that waits to be let in: nobody of those that it was told of answers. */
async function newcomer(t: Test, cluster: ThreeServers): Promise<ClusterServer> {
  const ports = (await freePorts(4)).map((port) => must(port))
  const fresh = new ClusterServer({
    name: 'n4',
    directory: join(cluster.directory, 'n4'),
    host: '127.0.0.1',
    ports: [must(ports[0]), must(ports[1]), must(ports[2])],
    args: [
      '-bootstrap-expect=0',
      `-retry-join=127.0.0.1:${ports[3]}`,
      '-log-level=info',
      ...cluster.secretArgs,
    ],
  })
  t.teardown(() => fresh.kill())
  await fresh.start()
  return fresh
}
