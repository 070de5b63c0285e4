import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { buildFrame, frameTypes } from '../../src/peers/frame.ts'
import { decodeHello, encodeHello } from '../../src/peers/hello.ts'
import type { Hello } from '../../src/peers/hello.ts'
import { packTexts } from '../../src/replica/writes/packed-proposals.ts'
import { RegistrationLoad, instance, registerAlways } from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { greet, greeting, rawPeer, requestFrame } from '../helpers/raw-peer.ts'
import { checkAppliedOnce, checkSameState } from '../helpers/replica-check.ts'
import { until } from '../helpers/until.ts'

// What a running cluster is sent by those who are no servers of it: each is refused with a line in
// the log that names the cause, and the cluster goes on as before.

t.test('strangers', { timeout: 120_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, { args: ['-log-level=info'], hasSecret: false })
  const always = await registerAlways(cluster)
  const load = new RegistrationLoad(cluster, 1, 'stranger')
  const leader = await cluster.leader()
  const elections = (): number => leaderLines(cluster)
  const before = elections()

  await t.test('greetings that do not fit', (t) => badGreetings(t, leader))
  await t.test('what no server would send behind its greeting', (t) => badFrames(t, leader))
  await t.test('requests that would harm', (t) => badRequests(t, cluster, leader))
  await t.test('one that asks and never reads', (t) => neverReads(t, leader))
  t.equal(await cluster.leader(), leader, 'the leader is who it was')
  t.equal(elections(), before, 'without an election')

  await t.test('one that claims the id of a member', (t) => claimsMember(t, cluster, leader))
  await t.test('one in the place of a member that takes no word', (t) => deaf(t, cluster))

  await load.stop()
  t.ok(load.acknowledged.length > 50, `${load.acknowledged.length} writes meanwhile`)
  const [first] = cluster.servers
  const found = await must(first).get<{ ServiceID: string }[]>('catalog/service/web?consistent')
  const ids = new Set(found.map(({ ServiceID }) => ServiceID))
  t.strictSame(
    load.acknowledged.filter((id) => !ids.has(id)),
    [],
    'none lost',
  )
  for (const server of cluster.servers) t.equal((await server.ask(always)).answer.length, 1)
  await checkSameState(t, cluster.servers)
  await cluster.stop()
  for (const server of cluster.servers) checkAppliedOnce(t, server)
})

function leaderLines(cluster: ThreeServers): number {
  const count = (text: string): number => text.split('this server leads the cluster').length - 1
  return cluster.servers.reduce((sum, server) => sum + count(server.output()), 0)
}

/** The log of `server` says so, said from `from` on. */
function said(server: ClusterServer, cause: RegExp, from = 0): Promise<boolean> {
  return until(`${server.name} says ${cause}`, 15_000, () =>
    cause.test(server.output().slice(from)),
  )
}

/** What it answers to any greeting: its cluster's id, among others. */
async function helloOf(server: ClusterServer): Promise<Hello> {
  const socket = await rawPeer(server.serverPort)
  const hello = await greet(socket, greeting({ id: 'curious' }))
  socket.destroy()
  return hello
}

/** A header alone: of a body of `length` bytes that does not come. */
function header(length: number, type: number, version: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(length, 0)
  bytes.writeUInt8(type, 4)
  bytes.writeUInt8(version, 5)
  return bytes
}

async function badGreetings(t: Test, leader: ClusterServer): Promise<void> {
  const { clusterId, id, epoch } = await helloOf(leader)
  const { hello } = frameTypes
  const fits = { clusterId, epoch, id: 'raw' }
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ['another version', header(10, hello, 7), /a frame of version 7, not 1/],
    ['4 GB', header(0xff_ff_ff_f0, hello, 1), /a frame of 4294967288 bytes, where at most 8192/],
    ['no body', header(0, hello, 1), /does not send the greeting of a svcd server/],
    [
      'no greeting',
      buildFrame(frameTypes.ping, 1, []),
      /does not send the greeting of a svcd server/,
    ],
    ['garbage', randomBytes(5000), /sends data that is not the svcd protocol/],
    ['a part', encodeHello(greeting(fits)).subarray(0, 30), /no greeting from \S+ within 5000 ms/],
    ['nothing', Buffer.alloc(0), /no greeting from \S+ within 5000 ms/],
    [
      'another protocol',
      encodeHello(greeting({ ...fits, protocolMin: 8, protocolMax: 9 })),
      /raw \(raw, \S+\) supports protocol versions 8 to 9, this server supports 1 to 1/,
    ],
    [
      'another cluster',
      encodeHello(greeting({ ...fits, clusterId: 'c2' })),
      /raw \(raw, \S+\) belongs to cluster c2, this server to /,
    ],
    [
      'another epoch',
      encodeHello(greeting({ ...fits, epoch: 4 })),
      /raw \(raw, \S+\) is in epoch 4 of the cluster, this server is in epoch 0/,
    ],
    [
      'for somebody else',
      encodeHello(greeting({ ...fits, to: 'other' })),
      /raw \(raw, \S+\) expected node ID other here/,
    ],
    ['its own id', encodeHello(greeting({ ...fits, id })), /has the same node ID as this server/],
  ]
  await Promise.all(
    cases.map(async ([what, bytes, cause], at) => {
      // The log says a thing once a minute for each host.
      const host = `127.0.3.${at + 1}`
      const socket = await rawPeer(leader.serverPort, host)
      socket.resume().write(bytes)
      await once(socket, 'close')
      await said(leader, new RegExp(`refusing peer ${host}:\\d+: .*${cause.source}`))
      t.pass(what)
    }),
  )
}

async function badFrames(t: Test, leader: ClusterServer): Promise<void> {
  const { clusterId } = await helloOf(leader)
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ['4 GB', header(0xff_ff_ff_f0, 38, 1), /a frame of 4294967288 bytes/],
    ['another version', header(40, 38, 3), /a frame of version 3, not 1/],
    ['no body', header(0, 36, 1), /a damaged Raft message/],
    ['a flipped bit', buildFrame(38, 1, [Buffer.alloc(28, 1)]), /a damaged Raft message/],
    ['half a request', buildFrame(frameTypes.request, 1, [Buffer.alloc(2)]), /a malformed request/],
  ]
  await Promise.all(
    cases.map(async ([what, bytes, cause], at) => {
      const id = `frames-${at}`
      const socket = await rawPeer(leader.serverPort)
      await greet(socket, greeting({ id, name: id, clusterId }))
      socket.resume().write(bytes)
      await once(socket, 'close')
      await said(leader, new RegExp(`disconnecting peer ${id} \\(\\S+\\): ${cause.source}`))
      t.pass(what)
    }),
  )
  // Cut off in the middle of a frame: nobody's fault, and nothing comes of it.
  const socket = await rawPeer(leader.serverPort)
  await greet(socket, greeting({ id: 'half', clusterId }))
  socket.end(header(5000, 36, 1))
  await once(socket.resume(), 'close')
}

async function badRequests(t: Test, cluster: ThreeServers, leader: ClusterServer): Promise<void> {
  const { clusterId } = await helloOf(leader)
  const body = { kind: 'deregister', nodeName: 'outside' }
  const proposal = { version: 1, requestId: 'x', actor: 'x', cause: 'x', body }
  const packed = Buffer.from(packTexts([JSON.stringify(proposal)]))
  const cases: readonly (readonly [string | undefined, string, unknown, RegExp])[] = [
    [undefined, 'propose', packed, /it is not in a cluster/],
    [undefined, 'transfer', '"x"', /it is not in a cluster/],
    [clusterId, 'change', '{', /JSON/],
    [clusterId, 'propose', '{', /the request is malformed/],
    [clusterId, 'propose', [JSON.stringify(proposal)], /the request is malformed/],
    [clusterId, 'propose', packed, /it is not a member of this cluster/],
    [clusterId, 'transfer', '"x"', /it is not a member of this cluster/],
    [clusterId, 'change', { kind: 'remove', id: 'x' }, /it is not a member of this cluster/],
    [clusterId, 'change', { kind: 'add-learner', id: 'x' }, /the request is malformed/],
    [clusterId, 'pledge', { clusterId: 7 }, /the request is malformed/],
  ]
  for (const [at, [cluster, kind, asked, cause]] of cases.entries()) {
    const id = `asks-${at}`
    const socket = await rawPeer(leader.serverPort)
    await greet(socket, greeting({ id, name: id, clusterId: cluster }))
    socket.resume().write(requestFrame(kind, asked))
    await said(
      leader,
      new RegExp(`refusing the request "${kind}" from ${id} \\(.*\\): .*${cause.source}`),
    )
    socket.destroy()
    t.pass(`${kind}: ${cause.source}`)
  }
  t.equal((await cluster.raftServers()).length, 3, 'the members are who they were')
  const nodes = await leader.get<{ Node: string }[]>('catalog/nodes')
  t.ok(
    nodes.some(({ Node }) => Node === 'outside'),
    'and nothing was deregistered',
  )
}

/** Memory that a process has, MB. */
function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

/** Answers to it wait up to a bound, and then it is cut off. */
async function neverReads(t: Test, leader: ClusterServer): Promise<void> {
  const { clusterId } = await helloOf(leader)
  const socket = await rawPeer(leader.serverPort)
  await greet(socket, greeting({ id: 'greedy', name: 'greedy', clusterId }))
  socket.pause()
  const beforeMb = residentMb(leader.pid)
  let asked = 0
  const thousand = Buffer.concat(
    Array.from({ length: 1000 }, (_, n) => requestFrame('info', {}, n)),
  )
  const closed = new Promise((resolve) => {
    socket.once('close', resolve)
  })
  while (!socket.destroyed && asked < 1_000_000) {
    asked += 1000
    if (!socket.write(thousand)) await Promise.race([once(socket, 'drain').catch(() => {}), closed])
  }
  await said(
    leader,
    /disconnecting peer greedy \(\S+\): it is not a member of this cluster, and sends more than 256 requests/,
  )
  const grownMb = residentMb(leader.pid) - beforeMb
  t.ok(grownMb < 64, `after ${asked} requests it has grown by ${grownMb.toFixed(0)} MB`)
}

async function claimsMember(t: Test, cluster: ThreeServers, leader: ClusterServer): Promise<void> {
  const { clusterId } = await helloOf(leader)
  const victim = must(cluster.others(leader)[0])
  const { id } = await helloOf(victim)
  const socket = await rawPeer(leader.serverPort)
  await greet(socket, greeting({ id, name: 'impostor', clusterId, address: '127.0.0.1:9' }))
  await said(leader, /impostor \(.*127\.0\.0\.1:9\) replaces .*: .*two servers have the same ID/)
  // The right one dials again, and is heard.
  await until('both are heard again', 10_000, async () => {
    await victim.put('catalog/register', instance('outside', 'right', 'right'))
    return true
  })
  socket.destroy()
  await cluster.leader()
  t.pass('the right one goes on')
}

/** A host that takes connections, says that it lives, and reads nothing of what it is sent. */
async function deaf(t: Test, cluster: ThreeServers): Promise<void> {
  const leader = await cluster.leader()
  const victim = must(cluster.others(leader)[0])
  const { id, clusterId } = await helloOf(victim)
  await victim.kill()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (chunk: Buffer) => {
      socket.pause()
      const to = decodeHello(chunk.subarray(8))?.id
      socket.write(encodeHello(greeting({ id, clusterId, to, name: 'deaf' })))
      sockets.add(socket)
    })
  })
  server.listen(victim.serverPort, '127.0.0.1')
  await once(server, 'listening')
  const pings = setInterval(() => {
    for (const socket of sockets) socket.write(buildFrame(frameTypes.ping, 1, []))
  }, 200)
  await until('it is connected', 10_000, () => sockets.size > 0)
  const beforeMb = residentMb(leader.pid)
  const meta = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, 'x'.repeat(500)]))
  for (let n = 0; n < 100; n++) {
    const body = instance('outside', 'large', 'large') as { Service: object }
    const service = { ...body.Service, Meta: { ...meta, n: String(n) } }
    await leader.put('catalog/register', { ...body, Service: service })
  }
  const grownMb = residentMb(leader.pid) - beforeMb
  t.comment(`3 MB were written; the leader has grown by ${grownMb.toFixed(0)} MB`)
  t.equal(await cluster.leader(), leader, 'the others go on')
  const from = leader.output().length
  clearInterval(pings)
  await said(leader, /lost the connection to deaf \(.*\): received nothing for 4000 ms/, from)
  for (const socket of sockets) socket.destroy()
  server.close()
  await victim.start()
  await cluster.leader()
}
