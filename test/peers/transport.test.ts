import { once } from 'node:events'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { svcdError } from '../../src/base/errors.ts'
import { buildFrame, FrameParser, frameTypes } from '../../src/peers/frame.ts'
import { decodeHello, decodeRefusal, encodeHello } from '../../src/peers/hello.ts'
import { heartbeat, join, PeerRig, proxy, rawServer, rig } from './rig.ts'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import type { Hello } from '../../src/peers/hello.ts'
import type { Message } from '../../src/raft/message.ts'

const greeting: Hello = {
  protocolMin: 1,
  protocolMax: 1,
  purpose: 'messages',
  epoch: 0,
  features: 0,
  instance: 77,
  clusterId: 'c1',
  id: 'raw',
  name: 'name-raw',
  address: '127.0.0.1:1',
  to: undefined,
}

/** A peer on a thread of its own, which counts what it hears. */
const countingPeer = `
  const { connect } = require('node:net')
  const { workerData } = require('node:worker_threads')
  const { bytes, hello, port } = workerData
  const socket = connect(port, '127.0.0.1', () => socket.write(hello))
  socket.on('data', (chunk) => {
    Atomics.add(bytes, 0, chunk.length)
    Atomics.notify(bytes, 0)
  })
`

/** Connects as no transport would. */
async function raw(t: Test, to: PeerRig): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: to.transport.port })
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** All that comes until the other side closes. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  if (!socket.closed) await once(socket, 'close')
  return Buffer.concat(chunks)
}

/** Greets, and waits for the greeting. */
async function greeted(t: Test, to: PeerRig, changes: Partial<Hello> = {}): Promise<Socket> {
  const socket = await raw(t, to)
  socket.write(encodeHello({ ...greeting, ...changes }))
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  t.equal(chunk.readUInt8(4), frameTypes.hello, 'the greeting was answered')
  return socket
}

t.test('messages pass both ways, in order, with one end of turn for all of a read', async (t) => {
  const a = await rig(t, 'a')
  let turns = 0
  const b = await rig(t, 'b', { onTurnEnd: () => turns++ })
  await join(a, b)
  const sent = Array.from({ length: 200 }, (_, n) => heartbeat('a', 'b', n))
  a.transport.send(sent)
  await b.until('all messages', () => b.messages.length === 200)
  t.strictSame(b.messages, sent)
  t.ok(turns >= 1 && turns <= 20, `few turns (${turns})`)
  b.transport.send([heartbeat('b', 'a')])
  await a.until('the answer', () => a.messages.length === 1)
  const entries = Array.from({ length: 3 }, (_, n) => ({
    index: n + 8,
    term: 2,
    kind: 'command' as const,
    data: Buffer.alloc(400_000, n),
  }))
  const append: Message = {
    type: 'append-request',
    from: 'a',
    to: 'b',
    term: 2,
    prevIndex: 7,
    prevTerm: 2,
    commit: 7,
    entries,
  }
  a.transport.send([append])
  await b.until('the append', () => b.messages.length === 201)
  t.strictSame(b.messages.at(-1), append, 'a message of many reads')
  t.match(a.transport.peers(), [
    { id: 'b', name: 'name-b', address: b.address, isConnected: true, lastError: undefined },
  ])
  t.equal(a.events.length, 0)
  a.transport.send([heartbeat('z', 'b')])
  t.equal(a.transport.counters.messagesForeign, 1, 'nothing is sent in the name of another')
})

t.test('what was sent is on its way before the sender goes to its disk', async (t) => {
  const a = await rig(t, 'a')
  const bytes = new Int32Array(new SharedArrayBuffer(4))
  const peer = new Worker(countingPeer, {
    eval: true,
    workerData: { bytes, hello: encodeHello(greeting), port: a.transport.port },
  })
  t.teardown(() => peer.terminate())
  await a.connected('raw')
  await a.until('its greeting to be read', () => Atomics.load(bytes, 0) > 0)
  const before = Atomics.load(bytes, 0)
  a.transport.send([heartbeat('a', 'raw')])
  // This thread stands still, as it does during a sync; only the kernel can carry the message now.
  Atomics.wait(bytes, 0, before, 3000)
  t.ok(Atomics.load(bytes, 0) >= before + 36)
})

t.test('a port in use, and an address that is not here, are told apart', async (t) => {
  const a = await rig(t, 'a')
  const listen = { address: '127.0.0.1', port: a.transport.port }
  await t.rejects(rig(t, 'b', { listen }), { code: 'port-in-use', message: /-server-port/ })
  const away = { address: '192.0.2.1', port: 0 }
  await t.rejects(rig(t, 'c', { listen: away }), { code: 'bind-failed', message: /-bind/ })
})

t.test('every greeting that does not fit is refused, and both sides name the cause', async (t) => {
  const cases: [string, object, RegExp][] = [
    ['cluster', { clusterId: () => 'c2' }, /belongs to cluster c[12], this server to c[12]/],
    ['epoch', { epoch: () => 3 }, /is in epoch [03] of the cluster, this server is in epoch [03]/],
    ['protocol', { protocol: { min: 2, max: 4 } }, /supports protocol versions/],
    ['a copied id', { self: { id: 'a', name: 'x', address: undefined } }, /has the same node ID/],
  ]
  for (const [what, overrides, cause] of cases) {
    const a = await rig(t, 'a')
    const b = await rig(t, 'b', overrides)
    a.transport.setPeers(new Map([['b', b.address]]))
    await a.said(cause)
    await b.said(cause)
    a.transport.send([heartbeat('a', 'b')])
    await a.event('unreachable b')
    t.strictSame([a.messages, b.messages, a.events], [[], [], ['unreachable b']], what)
    await a.until('more attempts', () => a.transport.counters.refusals > 2)
    const { lastError } = must(a.transport.peers()[0])
    t.match(lastError, cause)
    t.equal(a.lines.filter((line) => cause.test(line)).length, 1, 'said once a minute')
  }
})

t.test('who answers in the place of another is refused', async (t) => {
  const a = await rig(t, 'a')
  const b = await rig(t, 'b')
  a.transport.setPeers(new Map([['old', b.address]]))
  await b.said(/name-a .* expected node ID old here/)
  await a.said(/name-a .* expected node ID old here/)
  t.notOk(a.transport.peers()[0]?.isConnected)
  // One that does not look at whom it is dialled for.
  const address = await rawServer(t, (socket) => socket.write(encodeHello(greeting)))
  const c = await rig(t, 'c')
  c.transport.setPeers(new Map([['old', address]]))
  await c.said(/name-raw .* answered where node ID old was expected/)
})

t.test('a server that dials itself is told so, and does not fill the log', async (t) => {
  const a = await rig(t, 'a')
  await t.rejects(a.transport.request({ address: a.address }, 'join', Buffer.alloc(0), 1000), {
    code: 'peer-is-self',
  })
  t.strictSame(a.lines, [])
})

t.test('garbage, silence and lengths beyond the limit end a connection', async (t) => {
  const a = await rig(t, 'a', { limits: { handshakeTimeoutMs: 300 } })
  const greetings: [string, Buffer, RegExp][] = [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /not the svcd protocol/],
    ['zeros', Buffer.alloc(100), /not the svcd protocol: a frame of version 0/],
    ['a long greeting', buildFrame(1, 1, [Buffer.alloc(9000)]), /at most 8192/],
    ['no greeting', buildFrame(frameTypes.ping, 1, []), /does not send the greeting/],
    ['a cut greeting', encodeHello(greeting).subarray(0, 20), /no greeting .* within 300 ms/],
    ['nothing', Buffer.alloc(0), /no greeting/],
  ]
  for (const [what, bytes, cause] of greetings) {
    const socket = await raw(t, a)
    if (bytes.length > 0) socket.write(bytes)
    const answer = await readAll(socket)
    t.equal(answer.readUInt8(4), frameTypes.reject, what)
    t.match(decodeRefusal(answer.subarray(8))?.text, cause, what)
  }
  t.equal(a.transport.counters.refusals, greetings.length)
  const faults: [string, Buffer, RegExp][] = [
    ['length', Buffer.from('fffffff020010000', 'hex'), /4294967288 bytes/],
    ['version', buildFrame(38, 2, [Buffer.alloc(28)]), /version 2, not 1/],
    ['damage', buildFrame(38, 1, [Buffer.alloc(28)]), /a damaged Raft message/],
    ['a cut request', buildFrame(frameTypes.request, 1, [Buffer.alloc(2)]), /malformed request/],
  ]
  for (const [what, bytes, cause] of faults) {
    const socket = await greeted(t, a)
    socket.write(bytes)
    await readAll(socket)
    await a.said(cause)
    t.pass(what)
  }
  t.equal(a.transport.counters.faults, faults.length)
  const socket = await greeted(t, a)
  socket.write(buildFrame(200, 1, [Buffer.from('of a later release')]))
  await a.until('it to be counted', () => a.transport.counters.framesUnknown === 1)
  t.notOk(socket.destroyed, 'an unknown type is passed over')
  t.strictSame(a.messages, [])
})

t.test('frames may come byte by byte', async (t) => {
  const a = await rig(t, 'a')
  const b = new PeerRig('b')
  const address = await proxy(
    t,
    () => a.address,
    (chunk) => chunk,
  )
  await b.open(t)
  b.transport.setPeers(new Map([['a', address]]))
  await b.connected('a')
  const socket = await raw(t, a)
  for (const byte of encodeHello(greeting)) {
    socket.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  t.match(decodeHello(chunk.subarray(8)), { id: 'a', clusterId: 'c1' })
})

t.test('a server in no cluster yet may ask, but takes and gives no Raft messages', async (t) => {
  const a = await rig(t, 'a')
  const b = new PeerRig('b')
  b.clusterId = undefined
  await b.open(t)
  const body = Buffer.from('me')
  const answer = await b.transport.request({ address: a.address }, 'join', body, 5000)
  t.equal(answer.toString(), 'b join me')
  a.transport.setPeers(new Map([['b', b.address]]))
  await a.until('the link', () =>
    a.transport.peers().some(({ id, lastError }) => id === 'b' && lastError === undefined),
  )
  a.transport.send([heartbeat('a', 'b')])
  await a.event('unreachable b')
  const socket = await greeted(t, a, { clusterId: undefined })
  socket.write(buildFrame(41, 1, [Buffer.alloc(12)]))
  await a.until('it to be counted', () => a.transport.counters.messagesForeign === 1)
  // Once it has joined, it is greeted anew, and belongs to it.
  b.clusterId = 'c1'
  await a.connected('b')
  a.transport.send([heartbeat('a', 'b')])
  await b.until('the message', () => b.messages.length === 1)
  b.transport.send([heartbeat('b', 'a')])
  await a.until('an answer from one that has no peers set', () => a.messages.length === 1)
})

t.test('a server that ends is missed at once, and found again when it is back', async (t) => {
  const a = await rig(t, 'a')
  const b = await rig(t, 'b')
  await join(a, b)
  const { port } = b.transport
  const waiting = a.transport.request({ id: 'b' }, 'ask', Buffer.alloc(0), 5000)
  t.equal((await waiting).toString(), 'a ask ')
  await b.transport.close()
  await a.event('lost b')
  t.equal(a.events.filter((event) => event === 'lost b').length, 1, 'though two connections closed')
  a.transport.send([heartbeat('a', 'b'), heartbeat('a', 'b')])
  await a.event('unreachable b')
  t.strictSame(a.events, ['lost b', 'unreachable b'], 'once a turn')
  await a.said(/cannot reach peer 127.0.0.1:\d+: connect ECONNREFUSED/)
  await t.rejects(
    (async () => {
      for (;;) await a.transport.request({ id: 'b' }, 'ask', Buffer.alloc(0), 5000)
    })(),
    { code: 'peer-unreachable', message: /ECONNREFUSED/ },
  )
  const again = await rig(t, 'b', { listen: { address: '127.0.0.1', port } })
  await a.connected('b')
  a.transport.send([heartbeat('a', 'b')])
  await again.until('the message', () => again.messages.length === 1)
})

t.test('a new process of a server takes the place of one that fell silent', async (t) => {
  const a = await rig(t, 'a')
  const old = await greeted(t, a, { instance: 1 })
  await greeted(t, a, { instance: 2, address: '127.0.0.1:2' })
  await readAll(old)
  await a.said(/127.0.0.1:2\) replaces name-raw .*127.0.0.1:1\)/)
  t.strictSame(a.events, ['lost raw'])
  t.ok(a.transport.peers()[0]?.isConnected)
})

t.test('a host that falls silent is noticed, and one that only listens is kept', async (t) => {
  let isCut = false
  const a = await rig(t, 'a', { limits: { silentSweepsMax: 6 } })
  const b = await rig(t, 'b', { limits: { silentSweepsMax: 1000 } })
  const address = await proxy(
    t,
    () => b.address,
    (chunk) => (isCut ? undefined : chunk),
  )
  a.transport.setPeers(new Map([['b', address]]))
  await a.connected('b')
  // Longer than the time of silence allowed, which pings fill.
  await new Promise((resolve) => setTimeout(resolve, 600))
  t.strictSame(a.events, [])
  isCut = true
  await a.event('lost b')
  await a.said(/lost the connection to name-b .*: received nothing for 300 ms/)
})

t.test('what a peer does not read is bounded, and then it is cut off', async (t) => {
  const a = await rig(t, 'a', { limits: { queueBytesMax: 1 << 20, stalledSweepsMax: 10 } })
  const socket = await greeted(t, a)
  socket.pause()
  // It goes on sending, so it is not silent.
  const pings = setInterval(() => socket.write(buildFrame(frameTypes.ping, 1, [])), 30)
  t.teardown(() => clearInterval(pings))
  const entry = { index: 1, term: 1, kind: 'command' as const, data: Buffer.alloc(300_000) }
  const append: Message = {
    type: 'append-request',
    from: 'a',
    to: 'raw',
    term: 1,
    prevIndex: 0,
    prevTerm: 0,
    commit: 0,
    entries: [entry],
  }
  for (let n = 0; n < 100; n++) a.transport.send([append])
  const [status] = a.transport.peers()
  t.ok(must(status).queuedBytes <= 1 << 20, 'no more than the queue holds')
  t.ok(a.transport.counters.messagesDropped > 50)
  await a.event('unreachable raw')
  t.equal(a.events.length, 1)
  await a.event('lost raw')
  await a.said(/the peer read nothing for 500 ms/)
})

t.test('no more small messages wait than the queue holds', async (t) => {
  const a = await rig(t, 'a', { limits: { queueFramesMax: 50 } })
  const socket = await greeted(t, a)
  socket.pause()
  a.transport.send(Array.from({ length: 80 }, () => heartbeat('a', 'raw')))
  t.equal(a.transport.counters.messagesDropped, 30)
  await a.event('unreachable raw')
})

t.test('requests run beside each other, and end in any order', async (t) => {
  const held = new Map<string, (body: Buffer) => void>()
  const a = await rig(t, 'a')
  const b = await rig(t, 'b', {
    onRequest: (from, kind, body) => {
      t.match(from, { id: 'a', name: 'name-a', address: a.address })
      if (kind === 'refuse') return Promise.reject(svcdError('no-leader', {}))
      if (kind === 'break') return Promise.reject(new Error('out of order'))
      if (kind === 'huge') return Promise.resolve(Buffer.alloc(5 << 20))
      return new Promise((resolve) => {
        held.set(body.toString(), resolve)
        b.changed()
      })
    },
  })
  await join(a, b)
  const ask = (kind: string, body: string | Buffer, timeoutMs = 5000): Promise<Buffer> =>
    a.transport.request({ id: 'b' }, kind, Buffer.from(body), timeoutMs)
  const order: string[] = []
  const asked = Array.from({ length: 500 }, async (_, n) => {
    const answer = await ask('hold', `${n}`)
    order.push(answer.toString())
  })
  await b.until('all requests', () => held.size === 500)
  for (const [key, resolve] of [...held].toReversed()) resolve(Buffer.from(key))
  await Promise.all(asked)
  t.strictSame(
    order,
    Array.from({ length: 500 }, (_, n) => `${499 - n}`),
  )
  await t.rejects(ask('refuse', ''), { code: 'no-leader', message: 'No cluster leader' })
  await t.rejects(ask('break', ''), { code: 'peer-failed', message: /name-b.*out of order/ })
  await t.rejects(ask('huge', ''), { code: 'peer-failed', message: /5242880 bytes/ })
  await t.rejects(ask('hold', Buffer.alloc(5 << 20)), { code: 'peer-failed', message: /5242880/ })
  await t.rejects(ask('hold', 'late', 50), { code: 'peer-timeout', message: /"hold" within/ })
  must(held.get('late'))(Buffer.from('too late'))
  const back = b.transport.request({ id: 'a' }, 'ask', Buffer.from('x'), 5000)
  t.equal((await back).toString(), 'b ask x')
  await t.rejects(a.transport.request({ id: 'z' }, 'ask', Buffer.alloc(0), 50), {
    code: 'peer-unreachable',
  })
  const lost = ask('hold', 'for ever')
  await b.until('it', () => held.has('for ever'))
  await Promise.all([t.rejects(lost, { code: 'peer-lost' }), b.transport.close()])
})

/** Requests as a server sends them, `count` in one piece. */
function requests(count: number): Buffer {
  const one = (n: number): Buffer => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(n)
    return buildFrame(frameTypes.request, 1, [head, Buffer.from([3]), Buffer.from('ask')])
  }
  return Buffer.concat(Array.from({ length: count }, (_, n) => one(n + 1)))
}

t.test('one that is no peer is cut off when it asks a lot, a peer is not', async (t) => {
  let served = 0
  const a = await rig(t, 'a', {
    limits: { strangerRequestsMax: 10, sweepMs: 60_000 },
    onRequest: async () => {
      served++
      return Buffer.alloc(0)
    },
  })
  const stranger = await greeted(t, a)
  stranger.write(requests(1000))
  await readAll(stranger)
  await a.said(/name-raw .*: it is not a member .*, and sends more than 10 requests in 60000 ms/)
  t.equal(served, 10)
  const b = await rig(t, 'b')
  await join(a, b)
  for (let n = 0; n < 50; n++) await b.transport.request({ id: 'a' }, 'ask', Buffer.alloc(0), 5000)
  t.equal(served, 60)
})

t.test('what one may ask is counted from one sweep to the next', async (t) => {
  const a = await rig(t, 'a', { limits: { strangerRequestsMax: 1 } })
  const stranger = await greeted(t, a)
  const types: number[] = []
  const parser = new FrameParser({ bytesMax: 1024, version: 1 }, (type) => {
    types.push(type)
    a.changed()
    return true
  })
  stranger.on('data', (chunk: Buffer) => parser.push(chunk))
  for (let n = 0; n < 3; n++) {
    types.length = 0
    stranger.write(requests(1))
    await a.until('the answer', () => types.includes(frameTypes.response))
    // A sweep pings whom nothing was sent since the one before.
    types.length = 0
    await a.until('a sweep', () => types.includes(frameTypes.ping))
  }
})

t.test('a peer that asks and does not read the answers is cut off', async (t) => {
  const a = await rig(t, 'a', {
    limits: { queueFramesMax: 100 },
    onRequest: () => Promise.resolve(Buffer.alloc(64 * 1024)),
  })
  a.transport.setPeers(new Map([['raw', '127.0.0.1:1']]))
  const peer = await greeted(t, a)
  peer.pause()
  peer.write(requests(1000))
  await a.said(/name-raw .*: it sends requests, but does not read the answers/)
})

t.test('a request by address fails with the reason why nobody is there', async (t) => {
  const a = await rig(t, 'a')
  const ask = (address: string, timeoutMs = 3000): Promise<Buffer> =>
    a.transport.request({ address }, 'join', Buffer.alloc(0), timeoutMs)
  await t.rejects(ask('127.0.0.1:1'), { code: 'peer-unreachable', message: /ECONNREFUSED/ })
  await t.rejects(ask('nowhere'), { code: 'peer-unreachable', message: /not host:port/ })
  const deaf = await rawServer(t, () => {})
  await t.rejects(ask(deaf, 200), { code: 'peer-unreachable', message: /within 200 ms/ })
  const other = await rig(t, 'b', { clusterId: () => 'c2' })
  await t.rejects(ask(other.address), {
    code: 'peer-refuses-connection',
    message: /^The connection to server .* was refused: .*belongs to cluster/,
  })
})
