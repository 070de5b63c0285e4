import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { greet, greeting, rawPeer } from '../helpers/raw-peer.ts'
import { heartbeat, join, rawServer, rig } from './rig.ts'
import type { PeerRig } from './rig.ts'

// Where a member is dialled: where the configuration says, and where it says so itself.

const secret = { keys: [randomBytes(32)], isRequired: true }

async function nowhere(): Promise<string> {
  const [port] = await freePorts(1)
  return `127.0.0.1:${must(port)}`
}

/** `to` hears of `from` at another address than it was told. */
function reached(to: PeerRig, from: PeerRig): Promise<void> {
  return to.until(`${from.id} at ${from.address}`, () =>
    to.transport.moved.some(({ id, address }) => id === from.id && address === from.address),
  )
}

t.test('a member that proves itself is dialled where it says that it is', async (t) => {
  const [a, b] = await Promise.all([rig(t, 'a', { secret }), rig(t, 'b', { secret })])
  const before = await nowhere()
  a.transport.setPeers(new Map([['b', before]]))
  b.transport.setPeers(new Map([['a', a.address]]))
  await reached(a, b)
  t.strictSame(a.transport.moved, [{ id: 'b', address: b.address, isProven: true }])
  t.strictSame(a.transport.places, { b: b.address })

  a.transport.setPeers(new Map([['b', b.address]]))
  t.strictSame(a.transport.moved, [], 'the configuration says so, too')
  t.ok(
    a.transport.peers().every(({ isConnected, address }) => isConnected && address === b.address),
  )
  a.transport.send([heartbeat('a', 'b')])
  await b.until('a message', () => b.messages.length > 0)
  t.strictSame(a.events, [], 'and the connection stays')
})

t.test('one that was heard before the configuration came is dialled as well', async (t) => {
  const [a, b] = await Promise.all([rig(t, 'a', { secret }), rig(t, 'b', { secret })])
  b.transport.setPeers(new Map([['a', a.address]]))
  await a.connected('b')
  a.transport.setPeers(new Map([['b', await nowhere()]]))
  await reached(a, b)
  t.pass('it is')
})

t.test('by the word of another member, too; but only that very id is talked to', async (t) => {
  const rigs = ['a', 'b', 'c'].map((id) => rig(t, id, { secret }))
  const [a, b, c] = (await Promise.all(rigs)) as [PeerRig, PeerRig, PeerRig]
  const away = await nowhere()
  a.transport.setPeers(
    new Map([
      ['b', away],
      ['c', c.address],
    ]),
  )
  await a.connected('c')
  a.transport.toldAt('b', c.address, true)
  await a.said(/refuses this server: .* expected node ID b here/)
  t.strictSame(a.transport.moved, [], 'c is not b')
  t.ok(
    a.transport.peers().some(({ id, isConnected }) => id === 'c' && isConnected),
    'and c is where it was',
  )
  a.transport.toldAt('b', b.address, true)
  await reached(a, b)
  t.pass('b is found')
  for (const wrong of [c.address, away]) {
    a.transport.toldAt('b', wrong, true)
    const [told] = a.transport.peers().filter(({ id }) => id === 'b')
    t.equal(told?.isConnected, true, 'and no word of another one closes its connection')
  }
})

t.test('a member that lies about its address cuts nobody off', async (t) => {
  const [a, b] = await Promise.all([rig(t, 'a', { secret }), rig(t, 'b', { secret })])
  const lie = { id: 'c', name: 'name-c', address: b.address }
  const c = await rig(t, 'c', { secret, self: lie })
  const at = `127.0.0.1:${c.transport.port}`
  a.transport.setPeers(
    new Map([
      ['b', b.address],
      ['c', at],
    ]),
  )
  await Promise.all([a.connected('b'), a.connected('c')])
  await a.said(/refuses this server: .* expected node ID c here/)
  t.strictSame(a.transport.moved, [])
  a.transport.send([heartbeat('a', 'b'), heartbeat('a', 'c')])
  await Promise.all([b, c].map((to) => to.until('a message', () => to.messages.length > 0)))
  t.strictSame(a.events, [], 'both are connected as before')
})

t.test('who proves nothing is not believed while the configured address answers', async (t) => {
  const [a, b] = await Promise.all([rig(t, 'a'), rig(t, 'b')])
  await join(a, b)
  let dialled = 0
  const evil = await rawServer(t, () => dialled++)
  for (let times = 0; times < 3; times++) {
    const stranger = await rawPeer(a.transport.port)
    await greet(stranger, greeting({ id: 'b', clusterId: 'c1', address: evil, instance: times }))
    // The last that greets counts: b is dialled again, and the stranger's connection is closed.
    await Promise.all([once(stranger.resume(), 'close'), a.connected('b')])
  }
  a.transport.send([heartbeat('a', 'b')])
  await b.until('a message', () => b.messages.length > 0)
  t.strictSame(a.transport.moved, [])
  t.equal(dialled, 0, 'nobody has dialled the stranger')
})

t.test('where that leads to nobody it is tried, for as long as it does', async (t) => {
  const a = await rig(t, 'a')
  const [port] = await freePorts(1)
  a.transport.setPeers(new Map([['b', `127.0.0.1:${must(port)}`]]))
  const elsewhere = await rig(t, 'b')
  elsewhere.transport.setPeers(new Map([['a', a.address]]))
  await reached(a, elsewhere)
  t.match(a.transport.moved, [{ isProven: false }])

  const back = await rig(t, 'b', { listen: { address: '127.0.0.1', port: must(port) } })
  await a.until('b where it was', () =>
    a.transport.peers().some(({ id, address }) => id === 'b' && address === back.address),
  )
  t.strictSame(a.transport.moved, [])
})
