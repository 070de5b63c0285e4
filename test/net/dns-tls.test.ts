import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { promisify } from 'node:util'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { ask, decodeReply } from '../../src/net/dns-client.ts'
import { buildQuery } from '../dns/fixture.ts'
import { withOpt } from '../dns/odd-packets.ts'
import { leaf, writeCredentials } from '../helpers/certificates.ts'
import { framed, readFrames } from '../helpers/dns-frames.ts'
import { openGate } from '../helpers/open-gate.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'
import { bench, ca, certificate, closed, encryptedPort, openTls } from './encrypted.ts'
import type { TLSSocket } from 'node:tls'
import type { DnsTrust } from '../../src/net/dns-exchange.ts'

const run = promisify(execFile)
const query = (id: number): Buffer => framed(buildQuery('web.service.consul', 'A', { id }))
const idsOf = (frames: readonly Buffer[]): number[] => frames.map((frame) => frame.readUInt16BE())

t.test(
  'kdig gets padded answers and trusts the certificate',
  { skip: missing('kdig') },
  async (t) => {
    const { port } = await encryptedPort(t, 'tls')
    const { cert } = writeCredentials(t.testdir({}), 'ca', ca)
    const words = ['@127.0.0.1', '-p', String(port.port), `+tls-ca=${cert}`, '+tls-host=localhost']
    const { stdout } = await run('kdig', [...words, '+keepopen', 'web.service.consul', 'A'])
    t.match(stdout, /TLS session \(TLS1\.3\)/)
    t.match(stdout, /status: NOERROR/)
    t.match(stdout, /PADDING: \d+ B/)
    t.match(stdout, /Received 468 B/)
    t.equal(port.counters.queries, 1)
  },
)

t.test('pipelined queries of one record are all answered', async (t) => {
  const { port } = await encryptedPort(t, 'tls')
  const socket = await openTls(t, port.port, { ALPNProtocols: ['dot'] })
  t.equal(socket.alpnProtocol, 'dot')
  const ids = Array.from({ length: 2000 }, (_, id) => id)
  socket.write(Buffer.concat(ids.map(query)))
  const found = idsOf(await readFrames(socket, ids.length))
  t.same(
    found.toSorted((a, b) => a - b),
    ids,
  )
})

t.test('an answer tells how long the connection stays open, and is padded', async (t) => {
  const { port } = await encryptedPort(t, 'tls', { limits: { idleTimeoutMs: 7000 } })
  const socket = await openTls(t, port.port)
  socket.write(Buffer.concat([framed(withOpt('000b0000000c0000')), framed(withOpt())]))
  const [padded, bare] = await readFrames(socket, 2)
  t.equal(padded?.length, 468)
  t.ok(padded?.includes(Buffer.from('000b00020046', 'hex')), 'RFC 7828: 70 × 100 ms')
  t.ok(must(bare).length < 100, 'without the options, without padding')
})

t.test('only TLS 1.2 and newer, and no other protocol of ALPN', async (t) => {
  const { port, faults } = await encryptedPort(t, 'tls')
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const
  await t.rejects(openTls(t, port.port, old))
  await t.rejects(openTls(t, port.port, { ALPNProtocols: ['h2'] }))
  const known = await openTls(t, port.port, { maxVersion: 'TLSv1.2' })
  t.equal(known.getProtocol(), 'TLSv1.2')
  await until('both are told', 5000, () => faults.length === 2)
  t.equal(port.counters.errors, 2)
})

t.test('a TLS session is resumed', async (t) => {
  const { port } = await encryptedPort(t, 'tls')
  const first = await openTls(t, port.port)
  const ticket = once(first, 'session')
  first.write(query(1))
  await readFrames(first, 1)
  const [session] = (await ticket) as [Buffer]
  first.destroy()
  const second = await openTls(t, port.port, { session })
  t.ok(second.isSessionReused())
  second.write(query(2))
  t.same(idsOf(await readFrames(second, 1)), [2])
  t.equal(port.counters.resumed, 1)
})

t.test('a client that does not finish its handshake is cut off', async (t) => {
  const gate = openGate()
  const faults: string[] = []
  const tls = {
    certificate,
    handshakeTimeoutMs: 50,
    onFault: (_: string, reason: string) => faults.push(reason),
  }
  const { port } = await encryptedPort(t, 'tls', { tls, gate })
  const socket = connectTcp(port.port, '127.0.0.1')
  socket.on('error', () => {})
  // The begin of a record with a handshake.
  socket.write(Buffer.from('160301', 'hex'))
  socket.resume()
  await closed(socket)
  t.match(faults, [/handshake timeout/])
  t.equal(gate.figures.timedOut, 1)
  t.equal(port.connectionCount, 0)
  await until('its place is free', 5000, () => gate.figures.open === 0)
})

t.test('plain DNS on the port of TLS is refused, and others stay', async (t) => {
  const { port, faults } = await encryptedPort(t, 'tls')
  const other = await openTls(t, port.port)
  const plain = connectTcp(port.port, '127.0.0.1')
  plain.on('error', () => {})
  plain.resume()
  plain.write(query(1))
  await closed(plain)
  t.equal(faults.length, 1)
  other.write(query(2))
  t.same(idsOf(await readFrames(other, 1)), [2])
})

t.test('an idle connection is closed after its time, one with queries stays', async (t) => {
  const clock = { nowMs: 1000 }
  const { port } = await encryptedPort(t, 'tls', {
    nowMs: () => clock.nowMs,
    limits: { idleTimeoutMs: 10_000 },
  })
  const [idle, used] = [await openTls(t, port.port), await openTls(t, port.port)]
  idle.resume()
  await until('both are let in', 5000, () => port.connectionCount === 2)
  clock.nowMs += 9000
  port.closeLate()
  used.write(query(1))
  await readFrames(used, 1)
  clock.nowMs += 1000
  const isClosed = closed(idle)
  port.closeLate()
  await isClosed
  used.write(query(2))
  t.same(idsOf(await readFrames(used, 1)), [2])
  t.equal(port.counters.timeouts, 1)
})

t.test('a full port closes the connection that has been idle longest', async (t) => {
  const gate = openGate({ openMax: 2 })
  const { port } = await encryptedPort(t, 'tls', { gate })
  const [first, second] = [await openTls(t, port.port), await openTls(t, port.port)]
  first.resume()
  second.write(query(1))
  await readFrames(second, 1)
  const [, third] = await Promise.all([closed(first), openTls(t, port.port)])
  third.write(query(3))
  t.same(idsOf(await readFrames(third, 1)), [3])
  t.equal(gate.figures.displaced, 1)
})

t.test('one address has its own limit', async (t) => {
  const gate = openGate({ perLocalAddressMax: 1 })
  const { port } = await encryptedPort(t, 'tls', { gate })
  const first = await openTls(t, port.port)
  first.resume()
  const [, second] = await Promise.all([closed(first), openTls(t, port.port)])
  second.write(query(2))
  t.same(idsOf(await readFrames(second, 1)), [2])
})

t.test('a new certificate is used under load, and no answer is lost', async (t) => {
  const { port } = await encryptedPort(t, 'tls', { responder: bench(200).responder })
  const sockets = [await openTls(t, port.port), await openTls(t, port.port)]
  const perSocket = 3000
  const answers = sockets.map((socket) => readFrames(socket, perSocket))
  const ask = async (socket: TLSSocket): Promise<void> => {
    for (let id = 0; id < perSocket; id += 100) {
      const queries = Array.from({ length: 100 }, (_, each) => query(id + each))
      if (!socket.write(Buffer.concat(queries))) await once(socket, 'drain')
    }
  }
  const asked = Promise.all(sockets.map(ask))
  await until('some are answered', 5000, () => port.counters.queries > 100)
  const serials: string[] = []
  for (let n = 0; n < 5; n++) {
    const next = leaf(ca)
    port.use(next)
    const socket = await openTls(t, port.port)
    serials.push(socket.getPeerCertificate().serialNumber)
    socket.write(query(n))
    t.same(idsOf(await readFrames(socket, 1)), [n])
  }
  await asked
  const ids = (await Promise.all(answers)).map((frames) => idsOf(frames).toSorted((a, b) => a - b))
  const whole = Array.from({ length: perSocket }, (_, id) => id)
  t.same(ids, [whole, whole])
  t.equal(new Set(serials).size, 5)
  t.equal(port.counters.errors, 0)
})

t.test('closing sends the answers that are due, over TLS too', async (t) => {
  const { port } = await encryptedPort(t, 'tls', { responder: bench(3000).responder })
  const socket = await openTls(t, port.port)
  socket.write(Buffer.concat([query(1), query(2)]))
  await until('both are answered', 5000, () => port.counters.queries === 2)
  const [frames] = await Promise.all([readFrames(socket, 3), port.close()])
  t.same(idsOf(frames), [1, 2])
  t.equal(decodeReply(must(frames[1])).answer.length, 3000)
})

t.test('svcd’s own client asks over TLS and HTTPS, and trusts only its authorities', async (t) => {
  for (const kind of ['tls', 'https'] as const) {
    const { port } = await encryptedPort(t, kind)
    const server = { address: '127.0.0.1', port: port.port }
    const asked = (trust: DnsTrust) =>
      ask(server, 'web.service.consul', 'A', { encrypted: kind, trust })
    const reply = await asked({ ca: ca.cert, serverName: 'localhost' })
    t.equal(reply.answer.length, 2)
    t.equal(reply.transport, kind)
    t.equal((await asked({ ca: ca.cert })).answer.length, 2, 'the address is in the certificate')
    await t.rejects(asked({}), { code: 'dns-unreachable', message: /certificate/ })
    await t.rejects(asked({ ca: ca.cert, serverName: 'other.example' }), { message: /altnames/ })
    t.equal((await asked({ isUnverified: true })).answer.length, 2)
  }
})
