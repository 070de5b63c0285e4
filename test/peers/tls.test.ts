import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import type { PeerTls } from '../../src/peers/tls.ts'
import type { LeafOptions } from '../../src/pki/authority.ts'
import { authority, leaf } from '../helpers/certificates.ts'
import { until } from '../helpers/until.ts'
import { heartbeat, join, rig } from './rig.ts'

const [ca, otherCa] = [authority(), authority()]
const role = { name: 'server.dc1.consul', isRequired: true }

/** Certificates of a server as `svcd tls cert create -server` makes them. */
function tls(
  options: Partial<LeafOptions> = {},
  more: Partial<PeerTls> = {},
  signer = ca,
): PeerTls {
  return { ...leaf(signer, options), ca: ca.cert, role, ...more }
}

const permissive = { isPermissive: true }

t.test(
  'while TLS is being introduced, servers with and without it talk, whoever dials',
  async (t) => {
    const a = await rig(t, 'a', { tls: tls({}, permissive) })
    const b = await rig(t, 'b')
    await join(a, b)
    a.transport.send([heartbeat('a', 'b')])
    b.transport.send([heartbeat('b', 'a')])
    await b.until('a message', () => b.messages.length === 1)
    await a.until('a message', () => a.messages.length === 1)
    await a.said(/no TLS connection with peer .*, connecting without TLS because peer_tls.mode/)
    t.match(a.transport.tlsFigures, { mode: 'permissive', encrypted: 0 })
    t.not(a.transport.tlsFigures.plain, 0)
    const once = await a.transport.request({ address: b.address }, 'ask', Buffer.from('x'), 3000)
    t.equal(once.length, 7, 'a single request finds its way, too')
  },
)

t.test('two servers that have TLS use it, also while it is being introduced', async (t) => {
  const a = await rig(t, 'a', { tls: tls({}, permissive) })
  const b = await rig(t, 'b', { tls: tls({}, permissive) })
  await join(a, b)
  await a.until('both connections', () => a.transport.tlsFigures.encrypted === 2)
  t.match(a.transport.tlsFigures, { mode: 'permissive', encrypted: 2, plain: 0 })
})

t.test(
  'a faulty certificate does not cut a server off while TLS is being introduced',
  async (t) => {
    const a = await rig(t, 'a', { tls: tls({}, permissive) })
    const b = await rig(t, 'b', { tls: tls({}, permissive, otherCa) })
    await join(a, b)
    await a.said(/no TLS connection with peer .*certificate/)
    t.equal(a.transport.tlsFigures.encrypted, 0)
  },
)

t.test('once TLS is required, plain connections end, and those who try are told', async (t) => {
  const a = await rig(t, 'a', { tls: tls({}, permissive) })
  const b = await rig(t, 'b', { tls: tls({}, permissive) })
  const c = await rig(t, 'c')
  await join(a, b, c)
  a.transport.useTls(tls())
  await a.until('no plain connection', () => a.transport.tlsFigures.plain === 0)
  await c.said(/this server requires TLS between servers/)
  t.match(a.transport.tlsFigures, { mode: 'strict', plain: 0 })
  a.transport.send([heartbeat('a', 'b')])
  await b.until('a message', () => b.messages.length === 1)
})

t.test('an authority is replaced step by step, and no connection ends', async (t) => {
  const both = { ca: `${ca.cert}${otherCa.cert}` }
  const a = await rig(t, 'a', { tls: tls() })
  const b = await rig(t, 'b', { tls: tls() })
  await join(a, b)
  const lines = a.lines.length
  for (const each of [a, b]) each.transport.useTls(tls({}, both))
  for (const each of [a, b]) each.transport.useTls(tls({}, both, otherCa))
  const c = await rig(t, 'c', { tls: tls({}, both, otherCa) })
  await c.transport.request({ address: a.address }, 'ask', Buffer.from('x'), 3000)
  for (const each of [a, b]) each.transport.useTls(tls({}, { ca: otherCa.cert }, otherCa))
  const old = await rig(t, 'd', { tls: tls({}, both) })
  await t.rejects(old.transport.request({ address: a.address }, 'ask', Buffer.from('x'), 3000))
  t.notOk(a.lines.slice(lines).some((line) => line.includes('lost the connection to b')))
  a.transport.send([heartbeat('a', 'b')])
  await b.until('a message', () => b.messages.length === 1)
})

// CVE-2021-37219
t.test(
  'only a certificate of a server lets in, for the node that it names or for any',
  async (t) => {
    const a = await rig(t, 'a', { tls: tls({ node: 'name-a' }) })
    const cases: readonly (readonly [string, Partial<LeafOptions>, RegExp | undefined])[] = [
      ['for any server', {}, undefined],
      ['for this node', { node: 'x' }, undefined],
      ['for another node', { node: 'y' }, /its name must be the node ID or the node name/],
      ['of a client', { role: 'client' }, /must contain the name server.dc1.consul/],
      ['of a command line', { role: 'cli' }, /must contain the name server.dc1.consul/],
      [
        'of a client with the name of the node',
        { role: 'client', dnsNames: ['x'] },
        /server.dc1.consul/,
      ],
      ['of another datacenter', { datacenter: 'dc2' }, /must contain the name server.dc1.consul/],
      ['with a longer name', { role: 'client', dnsNames: ['server.dc1.consul.x'] }, /must contain/],
      ['for a part', { role: 'client', dnsNames: ['x.server.dc1.consul'] }, /must contain/],
      [
        'with the role inside another name',
        { role: 'client', dnsNames: ['x', 'a, DNS:server.dc1.consul, b'] },
        /must contain/,
      ],
    ]
    for (const [what, options, refused] of cases) {
      const x = await rig(t, 'x', {
        tls: tls(options),
        self: { id: 'x', name: 'x', address: undefined },
      })
      // Joining is a request, Raft and snapshots have connections that begin in the same way.
      const asked = x.transport.request({ address: a.address }, 'ask', Buffer.from('x'), 3000)
      if (refused === undefined) t.equal((await asked).length, 7, what)
      else await t.rejects(asked, { code: 'peer-refuses-connection', message: refused }, what)
      a.transport.setPeers(new Map([['x', x.address]]))
      x.transport.setPeers(new Map([['a', a.address]]))
      if (refused === undefined)
        await a.until('x', () => a.transport.peers().some((p) => p.isConnected))
      else {
        await x.said(refused)
        await a.said(refused)
        t.notOk(
          a.transport.peers().some((peer) => peer.isConnected),
          what,
        )
      }
      await x.transport.close()
      a.transport.setPeers(new Map())
      await a.until('x is gone', () => !a.transport.peers().some((peer) => peer.isConnected))
    }
    t.strictSame(a.messages, [])
  },
)

t.test('without the role in the own certificate, names and IDs count as before', async (t) => {
  const optional = { role: { ...role, isRequired: false } }
  const a = await rig(t, 'a', { tls: tls({ role: 'client', dnsNames: ['a'] }, optional) })
  const b = await rig(t, 'b', { tls: tls({ role: 'client', dnsNames: ['b'] }, optional) })
  await join(a, b)
  const c = await rig(t, 'c', { tls: tls({ node: 'name-c' }, optional) })
  const answer = await c.transport.request({ address: a.address }, 'ask', Buffer.from('x'), 3000)
  t.equal(answer.length, 7, 'and so does the certificate of a server')
})

// CVE-2020-7219
t.test(
  'a connection that says nothing, or half a TLS greeting, is ended and counted',
  async (t) => {
    for (const more of [{}, permissive]) {
      const limits = { handshakeTimeoutMs: 100 }
      const a = await rig(t, 'a', { tls: tls({}, more), limits })
      const port = a.transport.port
      const silent = connect({ host: '127.0.0.1', port })
      const half = connect({ host: '127.0.0.1', port })
      half.write(Buffer.from([0x16, 3, 1]))
      await Promise.all([once(silent, 'close'), once(half, 'close')])
      t.equal(a.transport.connections.timedOut, 2)
      await until('no connection', 5000, () => a.transport.connections.open === 0)
      await a.transport.close()
    }
  },
)

t.test('no session is resumed, so each connection shows a valid certificate', async (t) => {
  const a = await rig(t, 'a', { tls: tls() })
  const open = async (session?: Buffer): Promise<Buffer | undefined> => {
    let ticket: Buffer | undefined
    const { ca: authorities, cert, key } = tls()
    const socket = connectTls({
      ca: authorities,
      cert,
      key,
      session,
      host: '127.0.0.1',
      port: a.transport.port,
      checkServerIdentity: () => undefined,
    })
    t.teardown(() => socket.destroy())
    socket.on('session', (found) => (ticket = found))
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
    t.notOk(socket.isSessionReused())
    // It says nothing that a server would say: the answer is behind all tickets.
    socket.write('x'.repeat(100))
    socket.resume()
    await once(socket, 'close')
    return ticket
  }
  await open(await open())
})
