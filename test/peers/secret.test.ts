import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { buildFrame, frameTypes } from '../../src/peers/frame.ts'
import { encodeHello } from '../../src/peers/hello.ts'
import { newChallenge } from '../../src/peers/secret.ts'
import { greeting, requestFrame } from '../helpers/raw-peer.ts'
import { heartbeat, join, PeerRig, rig } from './rig.ts'
import type { Test } from 'tap'
import type { PeerSecret } from '../../src/peers/secret.ts'

const [k1, k2] = [randomBytes(32), randomBytes(32)]
const secret = (...keys: Buffer[]): PeerSecret => ({ keys, isRequired: true })

t.test('servers with one secret talk as before, each of them authentic', async (t) => {
  const authentic: boolean[] = []
  const onRequest = async (from: { isAuthentic: boolean }): Promise<Buffer> => {
    authentic.push(from.isAuthentic)
    return Buffer.from('yes')
  }
  const a = await rig(t, 'a', { secret: secret(k1, k2), onRequest })
  const b = await rig(t, 'b', { secret: secret(k2), onRequest })
  await join(a, b)
  a.transport.send([heartbeat('a', 'b')])
  b.transport.send([heartbeat('b', 'a')])
  await b.until('the message', () => b.messages.length === 1)
  await a.until('the message', () => a.messages.length === 1)
  const nothing = Buffer.alloc(0)
  await a.transport.request({ id: 'b' }, 'ask', nothing, 5000)
  await b.transport.request({ address: a.address }, 'ask', nothing, 5000)
  t.strictSame(authentic, [true, true])
})

t.test('without one, nobody is authentic', async (t) => {
  let isAuthentic: boolean | undefined
  const a = await rig(t, 'a')
  const b = await rig(t, 'b', {
    onRequest: async (from) => {
      isAuthentic = from.isAuthentic
      return Buffer.alloc(0)
    },
  })
  await a.transport.request({ address: b.address }, 'ask', Buffer.alloc(0), 5000)
  t.equal(isAuthentic, false)
})

t.test('servers whose secrets do not fit say so in both logs, and pass nothing', async (t) => {
  const cases: [string, PeerSecret | undefined, PeerSecret | undefined, RegExp][] = [
    ['two', secret(k1), secret(k2), /has a different cluster secret/],
    ['none here', undefined, secret(k1), /has (?:no|a) cluster secret, but this server has/],
    ['none there', secret(k1), undefined, /has (?:no|a) cluster secret, but this server has/],
  ]
  for (const [what, one, other, cause] of cases) {
    const a = await rig(t, 'a', { secret: one })
    const b = await rig(t, 'b', { secret: other })
    a.transport.setPeers(new Map([['b', b.address]]))
    await a.said(cause)
    await b.said(cause)
    a.transport.send([heartbeat('a', 'b')])
    await a.event('unreachable b')
    t.strictSame([a.messages, b.messages], [[], []], what)
    await t.rejects(a.transport.request({ address: b.address }, 'info', Buffer.alloc(0), 3000), {
      code: 'peer-refuses-connection',
      message: cause,
    })
    t.notOk([...a.lines, ...b.lines].some((line) => line.includes(k1.toString('base64'))))
  }
})

/** All that a server says to who greets so, and sends `more` at once behind it. */
async function heard(t: Test, to: PeerRig, hello: Buffer, more: Buffer): Promise<Buffer> {
  const socket = connect({ host: '127.0.0.1', port: to.transport.port })
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.write(Buffer.concat([hello, more]))
  await once(socket, 'close')
  return Buffer.concat(chunks)
}

t.test('a stranger is neither heard nor told the cluster', async (t) => {
  const a = new PeerRig('a')
  a.clusterId = 'the-cluster-of-a'
  let requests = 0
  await a.open(t, {
    secret: secret(k1),
    onRequest: async () => {
      requests++
      return Buffer.alloc(0)
    },
  })
  const hello = { ...greeting({ id: 'evil', clusterId: a.clusterId }) }
  const guess = { ...hello, challenge: newChallenge(secret(k2)) }
  const raft = buildFrame(41, 1, [Buffer.alloc(12)])
  const noProof = buildFrame(frameTypes.proof, 1, [Buffer.from([1]), Buffer.alloc(32)])
  const cases: [string, Buffer, Buffer][] = [
    ['who has no secret', encodeHello(hello), requestFrame('info', {})],
    ['who goes on without a proof', encodeHello(guess), requestFrame('info', {})],
    ['who sends Raft messages', encodeHello(guess), raft],
    ['who guesses', encodeHello(guess), Buffer.concat([noProof, requestFrame('info', {})])],
  ]
  for (const [what, greet, more] of cases) {
    const said = await heard(t, a, greet, more)
    t.notOk(said.includes(a.clusterId), what)
  }
  t.equal(requests, 0)
  t.strictSame([a.messages, a.events, a.transport.peers()], [[], [], []])
})

t.test('who greets and falls silent is parted with in time', async (t) => {
  const a = await rig(t, 'a', { secret: secret(k1), limits: { handshakeTimeoutMs: 200 } })
  const hello = { ...greeting({ id: 'slow' }), challenge: newChallenge(secret(k1)) }
  const said = await heard(t, a, encodeHello(hello), Buffer.alloc(0))
  t.match(said.toString('latin1'), /handshake-timeout/)
})

/** Milliseconds from dialling until a request is answered, the median of 40. */
async function connectMs(t: Test, known: PeerSecret | undefined): Promise<number> {
  const b = await rig(t, 'b', { secret: known, limits: { addressIdleMs: 0 } })
  const found: number[] = []
  for (let n = 0; n < 40; n++) {
    const a = await new PeerRig(`a${n}`).open(t, { secret: known })
    const beganMs = performance.now()
    await a.transport.request({ address: b.address }, 'ask', Buffer.alloc(0), 5000)
    found.push(performance.now() - beganMs)
    await a.transport.close()
  }
  return must(found.toSorted((x, y) => x - y)[20])
}

t.test('the proof makes a new connection later by less than 5 ms', async (t) => {
  await connectMs(t, undefined)
  let moreMs = Infinity
  // Other work of the machine makes a round slower, never faster.
  for (let round = 0; round < 5 && moreMs >= 5; round++) {
    const plainMs = await connectMs(t, undefined)
    const provenMs = await connectMs(t, secret(k1, k2))
    t.comment(`without: ${plainMs.toFixed(2)} ms, with: ${provenMs.toFixed(2)} ms`)
    moreMs = Math.min(moreMs, provenMs - plainMs)
  }
  t.ok(moreMs < 5, `${moreMs.toFixed(2)} ms more`)
})
