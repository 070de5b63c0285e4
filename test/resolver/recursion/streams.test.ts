import { once } from 'node:events'
import { constants } from 'node:http2'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../../src/base/assert.ts'
import { decodeReply } from '../../../src/net/dns-client.ts'
import type { DnsReply } from '../../../src/net/dns-client.ts'
import type { DnsServiceOptions } from '../../../src/resolver/service.ts'
import type { StreamTransport } from '../../../src/resolver/traffic/answered-query.ts'
import { buildQuery } from '../../dns/fixture.ts'
import { framed, readFrames } from '../../helpers/dns-frames.ts'
import { FakeUpstream, reply } from '../../helpers/fake-upstream.ts'
import { until } from '../../helpers/until.ts'
import { askHttp2, certificate, closed, openHttp2, openTls } from '../../net/encrypted.ts'
import { startRecursion } from './rig.ts'
import type { RecursionRig } from './rig.ts'

// Outside names over the transports of the main thread.

interface HeldUpstream {
  readonly upstream: FakeUpstream
  readonly release: () => void
}

/** An upstream server. It answers names that begin with `slow` when it is released. */
async function heldUpstream(t: Test): Promise<HeldUpstream> {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const upstream = await FakeUpstream.start(t, async (asked) => {
    if (asked.name.toLowerCase().startsWith('slow')) await released
    return reply(asked, { answer: ['@ 60 A 192.0.2.1'] })
  })
  t.teardown(() => release())
  return { upstream, release }
}

async function start(
  t: Test,
  upstream: FakeUpstream,
  more: Partial<DnsServiceOptions> = {},
): Promise<RecursionRig> {
  const ports = { tlsPort: 0, httpsPort: 0, handshakeTimeoutMs: 60_000, onFault: () => {} }
  const encrypted = { ...ports, certificate }
  const rig = await startRecursion(
    t,
    [upstream.address],
    { timeoutMs: 60_000 },
    { encrypted, ...more },
  )
  await rig.register('web', '10.9.0.1')
  return rig
}

const portOf = (rig: RecursionRig, transport: 'tls' | 'https'): number =>
  must(rig.dns.encrypted[transport][0]).port

const framing = ['tcp', 'tls'] as const

async function openStream(t: Test, rig: RecursionRig, transport: 'tcp' | 'tls'): Promise<Socket> {
  if (transport === 'tls') return openTls(t, portOf(rig, 'tls'))
  const socket = connect(rig.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

const queryFor = (name: string, edns?: number): Buffer => buildQuery(name, 'A', { edns })
const namesIn = (replies: readonly DnsReply[]): string[] =>
  replies.map(({ question }) => question.name)

async function answersOf(socket: Socket, count: number): Promise<DnsReply[]> {
  return (await readFrames(socket, count)).map((frame) => decodeReply(frame))
}

const figuresOf = (rig: RecursionRig, transport: StreamTransport) =>
  must(rig.dns.figures.streams.find((each) => each.transport === transport)).answers

const isWaiting = (rig: RecursionRig, count: number) => (): boolean =>
  rig.dns.figures.recursion?.waiting === count

for (const transport of framing) {
  t.test(`over ${transport}, a slow outside name does not delay other answers`, async (t) => {
    const { upstream, release } = await heldUpstream(t)
    const rig = await start(t, upstream)
    const socket = await openStream(t, rig, transport)
    const names = ['slow.test', 'web.service.consul', 'quick.test']
    socket.write(Buffer.concat(names.map((name) => framed(queryFor(name)))))
    const first = await answersOf(socket, 2)
    t.strictSame(namesIn(first), ['web.service.consul.', 'quick.test.'])
    t.ok(first.every(({ flags }) => flags.includes('ra')))
    release()
    const [slow] = await answersOf(socket, 1)
    t.match(slow?.answer, [{ name: 'slow.test.', ttl: 60, data: '192.0.2.1' }])
    socket.write(framed(queryFor('slow.test')))
    t.match((await answersOf(socket, 1))[0]?.answer, [{ data: '192.0.2.1' }])
    t.equal(upstream.asked.length, 2, 'the second time it comes from the cache')
    await until('the figures are published', 60_000, () => {
      const { outsideMisses, outsideHits, queries } = figuresOf(rig, transport)
      return outsideMisses === 2 && outsideHits === 1 && queries === 4
    })
  })

  t.test(`a client over ${transport} that has sent its last query gets its answers`, async (t) => {
    const { upstream, release } = await heldUpstream(t)
    const rig = await start(t, upstream)
    const socket = await openStream(t, rig, transport)
    socket.end(Buffer.concat(['slow1.test', 'slow2.test'].map((name) => framed(queryFor(name)))))
    await until('they wait', 60_000, isWaiting(rig, 2))
    release()
    const replies = await answersOf(socket, 3)
    t.strictSame(namesIn(replies).toSorted(), ['slow1.test.', 'slow2.test.'], 'and then the end')
  })

  t.test(`over ${transport}, no more than 100 queries of a client wait at a time`, async (t) => {
    const { upstream, release } = await heldUpstream(t)
    const rig = await start(t, upstream)
    const socket = await openStream(t, rig, transport)
    const names = Array.from({ length: 250 }, (_, n) => `slow${n}.test`)
    socket.write(
      Buffer.concat([...names, 'web.service.consul'].map((name) => framed(queryFor(name)))),
    )
    await until('they wait', 60_000, isWaiting(rig, 100))
    const other = await openStream(t, rig, transport)
    other.write(framed(queryFor('quick.test')))
    t.match((await answersOf(other, 1))[0]?.answer, [{ data: '192.0.2.1' }], 'others need not wait')
    t.equal(rig.dns.figures.recursion?.waiting, 100)
    t.equal(upstream.asked.length, 101)
    release()
    const replies = await answersOf(socket, 251)
    t.equal(new Set(namesIn(replies)).size, 251, 'all are answered')
  })

  t.test(`a client over ${transport} that has gone costs others nothing`, async (t) => {
    const { upstream, release } = await heldUpstream(t)
    const rig = await start(t, upstream)
    const [gone, stays] = [await openStream(t, rig, transport), await openStream(t, rig, transport)]
    gone.write(Buffer.concat(['slow1.test', 'slow2.test'].map((name) => framed(queryFor(name)))))
    await until('they wait', 60_000, isWaiting(rig, 2))
    gone.destroy()
    stays.write(framed(queryFor('slow1.test')))
    await until('it waits', 60_000, isWaiting(rig, 3))
    release()
    t.match((await answersOf(stays, 1))[0]?.answer, [{ data: '192.0.2.1' }])
  })

  t.test(`over ${transport}, a client is told when the recursor thread dies`, async (t) => {
    const { upstream } = await heldUpstream(t)
    const rig = await start(t, upstream)
    const socket = await openStream(t, rig, transport)
    socket.write(framed(queryFor('slow.test', 1232)))
    await until('it waits', 60_000, isWaiting(rig, 1))
    await rig.recursorThread.terminate()
    t.match(await answersOf(socket, 1), [{ rcode: 'SERVFAIL', question: { name: 'slow.test.' } }])
    socket.write(framed(queryFor('quick.test')))
    t.match((await answersOf(socket, 1))[0]?.answer, [{ data: '192.0.2.1' }])
  })
}

t.test('a connection is not idle while its query waits for an upstream server', async (t) => {
  const { upstream, release } = await heldUpstream(t)
  const rig = await start(t, upstream, { tcpLimits: { idleTimeoutMs: 200 } })
  for (const [at, transport] of framing.entries()) {
    const waits = await openStream(t, rig, transport)
    waits.write(framed(queryFor('slow.test')))
    await until('it waits', 60_000, isWaiting(rig, at + 1))
    const idle = await openStream(t, rig, transport)
    idle.resume()
    idle.on('end', () => idle.end())
    await closed(idle)
    t.notOk(waits.closed)
    if (at === framing.length - 1) release()
    else waits.destroy()
    if (!waits.destroyed) t.match((await answersOf(waits, 1))[0]?.answer, [{ data: '192.0.2.1' }])
  }
})

t.test('padding and keepalive are added to answers of upstream servers', async (t) => {
  const { upstream } = await heldUpstream(t)
  const rig = await start(t, upstream)
  const socket = await openStream(t, rig, 'tls')
  const asked = withOptions(queryFor('quick.test', 1232), '000b0000000c0000')
  for (const from of ['the upstream server', 'the cache']) {
    socket.write(framed(asked))
    const [frame] = await readFrames(socket, 1)
    t.equal(frame?.length, 468, from)
    t.ok(frame?.includes(Buffer.from('000b0002', 'hex')), 'keepalive')
  }
})

t.test('over HTTPS, outside names are answered as those of the registry', async (t) => {
  const { upstream } = await heldUpstream(t)
  const rig = await start(t, upstream)
  await rig.register('db', 'quick.test')
  const session = await openHttp2(t, portOf(rig, 'https'))
  const get = (name: string): ReturnType<typeof askHttp2> =>
    askHttp2(session, { ':path': `/dns-query?dns=${queryFor(name).toString('base64url')}` })
  for (const from of ['the upstream server', 'the cache']) {
    const { status, headers, body } = await get('other.test')
    t.equal(status, 200, from)
    t.match(decodeReply(body).answer, [{ data: '192.0.2.1' }])
    t.match(headers['cache-control'], /^max-age=(60|5\d)$/, 'RFC 8484 §5.1')
  }
  const alias = decodeReply((await get('db.service.consul')).body)
  t.match(alias.answer, [{ type: 'CNAME', data: 'quick.test.' }, { data: '192.0.2.1' }])
  t.match(decodeReply((await get('web.service.consul')).body).answer, [{ data: '10.9.0.1' }])
  t.equal(upstream.asked.length, 2)
})

t.test('over HTTPS, slow names and a dead recursor thread delay no other answer', async (t) => {
  const { upstream } = await heldUpstream(t)
  const rig = await start(t, upstream)
  const session = await openHttp2(t, portOf(rig, 'https'))
  const post = (name: string): ReturnType<typeof askHttp2> =>
    askHttp2(
      session,
      { ':method': 'POST', 'content-type': 'application/dns-message' },
      queryFor(name),
    )
  const slow = post('slow.test')
  await until('it waits', 60_000, isWaiting(rig, 1))
  t.match(decodeReply((await post('quick.test')).body).answer, [{ data: '192.0.2.1' }])
  await rig.recursorThread.terminate()
  const { headers, body } = await slow
  t.equal(decodeReply(body).rcode, 'SERVFAIL')
  t.equal(headers['cache-control'], 'max-age=0')
})

t.test('over HTTPS, a client that resets its streams cannot let more than 100 wait', async (t) => {
  const { upstream, release } = await heldUpstream(t)
  const rig = await start(t, upstream)
  const session = await openHttp2(t, portOf(rig, 'https'))
  const path = (name: string): string => `/dns-query?dns=${queryFor(name).toString('base64url')}`
  const streams = Array.from({ length: 100 }, (_, n) =>
    session.request({ ':path': path(`slow${n}.test`) }),
  )
  await until('they wait', 60_000, isWaiting(rig, 100))
  for (const stream of streams) {
    stream.on('error', () => {})
    stream.close(constants.NGHTTP2_CANCEL)
  }
  const refused = await askHttp2(session, { ':path': path('slow.test') })
  t.equal(refused.status, 429)
  t.match(String(refused.body), '100 queries of this connection wait for upstream servers')
  const own = await askHttp2(session, { ':path': path('web.service.consul') })
  t.equal(own.status, 200, 'names of the registry are answered')
  release()
  await until('they are answered', 60_000, isWaiting(rig, 0))
  t.equal((await askHttp2(session, { ':path': path('slow.test') })).status, 200)
})

t.test('a network that may not ask for outside names may not over any transport', async (t) => {
  const { upstream } = await heldUpstream(t)
  const ports = { tlsPort: 0, httpsPort: 0, handshakeTimeoutMs: 60_000, onFault: () => {} }
  const strangers = { allow: ['192.0.2.0/24'] }
  const more = { encrypted: { ...ports, certificate } }
  const rig = await startRecursion(t, [upstream.address], strangers, more)
  for (const transport of framing) {
    const socket = await openStream(t, rig, transport)
    socket.write(framed(queryFor('quick.test')))
    t.match(await answersOf(socket, 1), [{ rcode: 'REFUSED', flags: ['qr', 'rd'] }], transport)
  }
  const session = await openHttp2(t, portOf(rig, 'https'))
  const dns = queryFor('quick.test').toString('base64url')
  const { body } = await askHttp2(session, { ':path': `/dns-query?dns=${dns}` })
  t.match(decodeReply(body), { rcode: 'REFUSED', flags: ['qr', 'rd'] })
  t.strictSame(upstream.asked, [])
})

/** A query that ends with an empty OPT record, with these options in it. */
function withOptions(query: Buffer, hex: string): Buffer {
  const options = Buffer.from(hex, 'hex')
  query.writeUInt16BE(options.length, query.length - 2)
  return Buffer.concat([query, options])
}
