import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { encodeMessage } from '../../src/peers/codec.ts'
import { encodeHello } from '../../src/peers/hello.ts'
import { encodeOffer } from '../../src/peers/snapshots/transfer.ts'
import type { Hello } from '../../src/peers/hello.ts'
import type { Message } from '../../src/raft/message.ts'
import { packTexts } from '../../src/replica/writes/packed-proposals.ts'
import { instance, registerAlways } from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { greet, greeting, rawPeer, requestFrame } from '../helpers/raw-peer.ts'
import { checkSameState } from '../helpers/replica-check.ts'
import { until } from '../helpers/until.ts'

// A stranger that speaks the protocol, and knows the cluster's id, tries what it can as the server `evil`.

const highest = Number.MAX_SAFE_INTEGER

/** What all servers say of the cluster; none of it may change. */
async function picture(cluster: ThreeServers): Promise<object> {
  const leader = await cluster.leader()
  // How far each log reaches rises by itself.
  const members = (await cluster.raftServers(leader)).map((server) => ({ ...server, LastIndex: 0 }))
  const { answer } = await leader.ask('always.service.consul')
  return { leader: leader.name, members, always: answer.length }
}

/** Everything that the stranger sends over a connection, once it is greeted, and in other ways beside. */
function attacks(victim: { id: string }, dialled: string): Buffer {
  const deregister = {
    version: 1,
    requestId: 'evil-1',
    actor: 'evil',
    cause: 'evil',
    body: { kind: 'deregister', nodeName: 'outside' },
  }
  const learner = { kind: 'add-learner', id: 'evil', address: dialled }
  const asked: readonly [string, unknown][] = [
    ['propose', Buffer.from(packTexts([JSON.stringify(deregister)]))],
    ['change', { kind: 'remove', id: victim.id, force: true }],
    ['change', learner],
    ['change', { kind: 'promote', id: 'evil', force: true }],
    ['join', { id: 'evil', address: dialled }],
    ['join', { id: victim.id, address: dialled }],
    ['transfer', victim.id],
    ['transfer', ''],
  ]
  return Buffer.concat(
    asked.map(([kind, body], at) => {
      return requestFrame(kind, Buffer.isBuffer(body) ? body : JSON.stringify(body), at)
    }),
  )
}

function raftFrames(to: string, term: number): Buffer {
  const from = 'evil'
  const data = Buffer.from('{}')
  const messages: readonly Message[] = [
    { type: 'vote-request', from, to, term, lastIndex: highest, lastTerm: term, transfer: true },
    { type: 'pre-vote-request', from, to, term, lastIndex: highest, lastTerm: term },
    { type: 'heartbeat', from, to, term, commit: 1, readToken: 0 },
    { type: 'heartbeat-response', from, to, term, readToken: 0 },
    { type: 'vote-response', from, to, term, granted: true },
    {
      type: 'append-request',
      from,
      to,
      term,
      prevIndex: 1,
      prevTerm: 1,
      commit: 2,
      entries: [{ index: 2, term, kind: 'command', data }],
    },
    { type: 'timeout-now', from, to, term },
  ]
  return Buffer.concat(messages.map((message) => encodeMessage(message, 1)))
}

/** Where a server that has let `evil` in would send it the log; counts what comes. */
async function listener(t: Test): Promise<{ address: string; dialled: () => number }> {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    connections++
    sockets.add(socket.on('error', () => {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const bound = server.address()
  const port = typeof bound === 'object' ? bound?.port : 0
  return { address: `127.0.0.1:${port}`, dialled: () => connections }
}

/** Sends all of it to one server, and waits until that has said what it thinks of it. */
async function attack(server: ClusterServer, hello: Hello, frames: Buffer): Promise<string> {
  const socket = await rawPeer(server.serverPort)
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
  socket.write(Buffer.concat([encodeHello(hello), frames]))
  // It is closed, or silent for as long as any of it would take to be done.
  await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 1500))])
  socket.destroy()
  return heard
}

/** The stranger's hello: it knows the cluster's id, from wherever. */
async function clusterIdOf(server: ClusterServer): Promise<string | undefined> {
  const socket = await rawPeer(server.serverPort)
  const hello = await greet(socket, greeting({ id: 'curious' })).catch(() => undefined)
  socket.destroy()
  return hello?.clusterId
}

async function goesOn(t: Test, cluster: ThreeServers, before: object): Promise<void> {
  t.strictSame(await picture(cluster), before, 'leader, members and services are as before')
  for (const [at, server] of cluster.servers.entries()) {
    await server.put('catalog/register', instance('outside', 'after', `after-${at}`))
  }
  const leader = await cluster.leader()
  const { Stats } = await leader.get<{ Stats: { raft: { term: string } } }>('agent/self')
  t.ok(Number(Stats.raft.term) < 1000, `the term is ${Stats.raft.term}`)
  await checkSameState(t, cluster.servers)
}

t.test(
  'a stranger that knows the id of a cluster without a secret',
  { timeout: 120_000 },
  async (t) => {
    const cluster = await ThreeServers.start(t, { args: ['-log-level=info'], hasSecret: false })
    await registerAlways(cluster)
    const before = await picture(cluster)
    const leader = await cluster.leader()
    const clusterId = must(await clusterIdOf(leader), 'a cluster without a secret tells its id')
    const [victim] = (await cluster.raftServers()).filter(({ Leader }) => !Leader)
    const { address, dialled } = await listener(t)
    const hello = greeting({ id: 'evil', name: 'evil', clusterId, address })
    for (const server of cluster.servers) {
      const heard = await attack(server, hello, attacks({ id: must(victim).ID }, address))
      t.match(heard, /it is not a member of this cluster/)
      t.match(heard, /svcd operator raft add-peer -id evil -address/, 'it is told how to be let in')
    }
    t.strictSame(await picture(cluster), before, 'nothing was deregistered, removed or moved')
    for (const term of [3, 1000, highest]) {
      for (const server of cluster.servers) await attack(server, hello, raftFrames('x', term))
    }
    for (const server of cluster.servers) {
      t.match(server.output(), /ignoring Raft messages from evil: .* it is not a member/)
    }
    await sendSnapshot(leader, { ...hello, purpose: 'snapshot' })
    await until('the snapshot is refused', 10_000, () =>
      /cannot receive a snapshot from evil .*evil is not a member of this cluster/.test(
        leader.output(),
      ),
    )
    await goesOn(t, cluster, before)
    t.equal(dialled(), 0, 'nobody has sent it the log')
  },
)

/** Offers the state of a cluster where `evil` is the only voter. */
async function sendSnapshot(server: ClusterServer, hello: Hello): Promise<void> {
  const socket = await rawPeer(server.serverPort)
  await greet(socket, hello)
  const config = {
    voters: ['evil'],
    votersOutgoing: [],
    learners: [],
    addresses: {},
    prevConfIndex: 0,
  }
  const snapshot = { index: 1_000_000, term: 3, confIndex: 1, config }
  const request = { type: 'snapshot-request', from: 'evil', to: 'x', term: 3, snapshot } as const
  socket.resume().write(encodeOffer({ request, size: 100, sha256: 'ab'.repeat(32) }, 1))
  await once(socket, 'close')
}

t.test('a stranger at a cluster with a secret', { timeout: 120_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, { args: ['-log-level=info'] })
  await registerAlways(cluster)
  const before = await picture(cluster)
  t.equal(await clusterIdOf(await cluster.leader()), undefined, 'it is not told the cluster')
  const [victim] = (await cluster.raftServers()).filter(({ Leader }) => !Leader)
  const { address, dialled } = await listener(t)
  const challenge = { nonce: randomBytes(32), isRequired: true }
  const frames = Buffer.concat([
    attacks({ id: must(victim).ID }, address),
    raftFrames('x', 3),
    raftFrames('x', highest),
  ])
  for (const server of cluster.servers) {
    const hello = greeting({ id: 'evil', name: 'evil', clusterId: 'c', address })
    t.match(await attack(server, hello, frames), /evil \(evil, \S+\) has no cluster secret/)
    const said = /evil \(evil, \S+\) does not prove that it knows the cluster secret/
    t.match(await attack(server, { ...hello, challenge }, frames), said)
  }
  await goesOn(t, cluster, before)
  t.equal(dialled(), 0, 'nobody has sent it the log')
  const key = must(cluster.secretArgs[0]).replace('-encrypt=', '')
  for (const server of cluster.servers) {
    t.notOk(server.output().includes(key), 'no log names the key')
    const self = JSON.stringify(await server.get('agent/self'))
    t.notOk(self.includes(key), 'nor does the API')
  }
})
