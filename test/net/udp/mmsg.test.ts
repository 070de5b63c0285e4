import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { constants } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { InvariantError } from '../../../src/base/assert.ts'
import { ask, decodeReply } from '../../../src/net/dns-client.ts'
import { UdpMmsg } from '../../../src/net/udp/mmsg.ts'
import { openUdpSocket } from '../../../src/net/udp/socket.ts'
import { Bench, buildQuery } from '../../dns/fixture.ts'
import { missing, notRoot } from '../../helpers/tools.ts'
import { listenMmsg, noMmsg, theLibc } from './paths.ts'
import type { Socket } from 'node:dgram'
import type { Test } from 'tap'
import type { Libc } from '../../../src/process/libc.ts'
import type { UdpMmsgOptions } from '../../../src/net/udp/mmsg.ts'
import type { UdpSocket } from '../../../src/net/udp/socket.ts'

const skip = noMmsg

if (noMmsg === false && missing('taskset') === false) {
  const allowed = execFileSync('taskset', ['-cp', `${process.pid}`], { encoding: 'utf8' })
  const first = /: (\d+)/.exec(allowed)?.[1]
  execFileSync('taskset', ['-cp', first ?? '0', `${process.pid}`])
}

function bench(instances = 2): Bench {
  const bench = new Bench()
  for (let n = 1; n <= instances; n++) {
    bench.registry.add('web', { node: `n${n}`, at: `10.9.${n >> 8}.${n & 255}`, port: 8080 })
  }
  return bench
}

function opened(t: Test, address = '127.0.0.1', port = 0, isShared = false): UdpSocket {
  const socket = openUdpSocket(theLibc(), { address, port, isShared })
  t.teardown(() => theLibc().close(socket.fd))
  return socket
}

/** A server whose rounds are the test's. Its clock stands still: no answer is put off because the machine is busy. */
function roundsOf(
  t: Test,
  options: Pick<UdpMmsgOptions, 'sockets' | 'responder'> & Partial<UdpMmsgOptions>,
  libc: Libc = theLibc(),
): UdpMmsg {
  const onDrop = (error: unknown): void => void t.fail(String(error))
  const server = new UdpMmsg(libc, { onDrop, nowMs: () => 0, ...options })
  t.teardown(() => server.close())
  return server
}

async function client(t: Test, port: number, address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.connect(port, address)
  await once(socket, 'connect')
  return socket
}

/** Resolves when the packets are at the server. */
async function sendAll(socket: Socket, packets: readonly Uint8Array[]): Promise<void> {
  await Promise.all(packets.map((packet) => new Promise((resolve) => socket.send(packet, resolve))))
  await deliveredSoFar()
}

/**
 * A busy system delivers the packets of loopback later than they are sent: so one more is sent behind
 * them. It arrives last only if all left from one CPU.
 */
async function deliveredSoFar(): Promise<void> {
  const last = createSocket('udp4')
  last.bind(0, '127.0.0.1')
  await once(last, 'listening')
  const delivered = once(last, 'message')
  last.send('', last.address().port, '127.0.0.1')
  await delivered
  last.close()
}

async function answersTo(socket: Socket, count: number): Promise<number[]> {
  const ids: number[] = []
  while (ids.length < count) {
    const [answer] = (await once(socket, 'message')) as [Buffer]
    ids.push(answer.readUInt16BE())
  }
  return ids
}

const query = (id: number): Buffer => buildQuery('web.service.consul', 'A', { id })
const upTo = (count: number): number[] => Array.from({ length: count }, (_, id) => id)

t.test('a round takes up to 64 packets, and answers all it took', { skip }, async (t) => {
  const socket = opened(t)
  const batches: [number, number][] = []
  const server = roundsOf(t, {
    sockets: [socket],
    responder: bench().responder,
    onAnswered: (packets) => batches.push([packets, server.counters.sent]),
  })
  t.equal(server.round(), 0, 'nothing has come')
  const asking = await client(t, socket.port)
  const first = answersTo(asking, 1)
  await sendAll(asking, [query(999)])
  t.equal(server.round(), 1)
  await first
  const answers = answersTo(asking, 100)
  await sendAll(asking, upTo(100).map(query))
  t.same([server.round(), server.round(), server.round()], [64, 36, 0])
  t.same(await answers, upTo(100))
  t.same(batches, [
    [1, 0],
    [64, 1],
    [36, 65],
  ])
  t.match(server.counters, { received: 101, sent: 101, errors: 0 })
})

t.test('any address of a wildcard answers as itself', { skip }, async (t) => {
  const udp = listenMmsg({ address: '0.0.0.0', port: 0, responder: bench().responder })
  t.teardown(() => udp.close())
  // The client's socket is connected: it would not take an answer from anywhere else.
  for (const address of ['127.0.0.1', '127.0.0.2', '127.255.0.9']) {
    const reply = await ask({ address, port: udp.port }, 'web.service.consul', 'A')
    t.equal(reply.answer.length, 2, address)
  }
})

t.test('one socket serves both families', { skip }, async (t) => {
  let udp: ReturnType<typeof listenMmsg>
  try {
    udp = listenMmsg({ address: '::', port: 0, responder: bench(1000).responder })
  } catch {
    return t.pass('no IPv6 here', { skip: true })
  }
  t.teardown(() => udp.close())
  for (const address of ['127.0.0.2', '::1']) {
    const reply = await ask({ address, port: udp.port }, 'web.service.consul', 'AAAA')
    t.equal(reply.rcode, 'NOERROR', address)
  }
  const asking = await client(t, udp.port, '127.0.0.3')
  asking.send(buildQuery('web.service.consul', 'A', { edns: 8192 }))
  const [answer] = (await once(asking, 'message')) as [Buffer]
  return t.ok(answer.length > 8192 - 16, 'an IPv4 client in IPv6 clothes is known as local')
})

t.test('cut SRV answers depend on the client’s network here too', { skip }, async (t) => {
  const { responder } = bench(100)
  const seen: string[] = []
  const udp = listenMmsg({
    address: '127.0.0.1',
    port: 0,
    responder: {
      hitInto: () => 0,
      respondInto: (packet, asker, out, at) => {
        seen.push(asker.client)
        return responder.respondInto(packet, asker, out, at)
      },
    },
  })
  t.teardown(() => udp.close())
  const asking = await client(t, udp.port)
  const packet = buildQuery('web.service.consul', 'SRV', { edns: 1232 })
  asking.send(packet)
  const [answer] = (await once(asking, 'message')) as [Buffer]
  const asker = { transport: 'udp', client: '127.0.0.77', pathBytesMax: 8192 } as const
  t.same(answer, responder.respond(packet, asker))
  t.same(seen, ['127.0.0.1'])
})

t.test('a packet that fails is dropped and told; the others are answered', { skip }, async (t) => {
  const { responder } = bench()
  const socket = opened(t)
  let failure: Error = new Error('no luck')
  const dropped: [unknown, number][] = []
  const server = roundsOf(t, {
    sockets: [socket],
    responder: {
      hitInto: () => 0,
      respondInto: (packet, asker, out, at) => {
        if (packet[1] === 3) throw failure
        return responder.respondInto(packet, asker, out, at)
      },
    },
    onDrop: (error, packet) => dropped.push([error, packet[1] ?? 0]),
  })
  const asking = await client(t, socket.port)
  const answers = answersTo(asking, 5)
  await sendAll(asking, upTo(6).map(query))
  server.round()
  t.same(await answers, [0, 1, 2, 4, 5])
  t.same(dropped, [[failure, 3]])
  failure = new InvariantError('broken')
  await sendAll(asking, [query(3)])
  t.throws(() => server.round(), failure, 'what cannot be is not caught')
})

t.test('sockets share a port only if all say so', { skip }, async (t) => {
  const first = opened(t, '127.0.0.1', 0, true)
  const second = opened(t, '127.0.0.1', first.port, true)
  t.equal(second.port, first.port)
  t.throws(() => opened(t, '127.0.0.1', first.port), { code: 'port-in-use' })
  const alone = opened(t)
  t.throws(() => opened(t, '127.0.0.1', alone.port, true), { code: 'port-in-use' })
})

t.test('a socket that is closed under it ends the thread', { skip }, async (t) => {
  const server = roundsOf(t, {
    sockets: [{ fd: 1_000_000, port: 0, address: new Uint8Array(4), canSegment: true }],
    responder: bench().responder,
    onDrop: () => {},
  })
  t.throws(() => server.round(), { code: 'EBADF' })
})

t.test(
  'a forged source port of 0 costs no other client its answer',
  { skip: skip !== false ? skip : notRoot() !== false ? notRoot() : missing('python3') },
  async (t) => {
    const socket = opened(t)
    const server = roundsOf(t, {
      sockets: [socket],
      responder: bench().responder,
    })
    const asking = await client(t, socket.port)
    const answers = answersTo(asking, 4)
    for (const id of upTo(4)) {
      await sendAll(asking, [query(id)])
      if (id < 3) forge(socket.port, query(100 + id))
    }
    t.equal(server.round(), 7)
    t.same(await answers, upTo(4))
    t.match(server.counters, { received: 7, sent: 4, errors: 3 })
  },
)

/** Sends a packet from 127.0.0.1, port 0. */
function forge(port: number, packet: Buffer): void {
  const header = Buffer.alloc(8)
  header.writeUInt16BE(port, 2)
  header.writeUInt16BE(8 + packet.length, 4)
  const script = [
    'import socket, sys',
    's = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)',
    's.sendto(bytes.fromhex(sys.argv[1]), ("127.0.0.1", 0))',
  ].join('\n')
  execFileSync('python3', ['-c', script, Buffer.concat([header, packet]).toString('hex')])
}

t.test('the collector takes nothing that the system works on', { skip }, async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let litter: unknown[] = []
  const udp = listenMmsg({
    address: '0.0.0.0',
    port: 0,
    responder: bench().responder,
    onRound: () => {
      collect()
      litter = Array.from({ length: 50 }, () => new ArrayBuffer(64 * 1024))
    },
  })
  t.teardown(() => udp.close())
  const asking = await client(t, udp.port, '127.0.0.2')
  for (let round = 0; round < 40; round++) {
    const answers = answersTo(asking, 10)
    await sendAll(asking, upTo(10).map(query))
    t.same(await answers, upTo(10))
  }
  t.equal(litter.length, 50)
  asking.send(query(7))
  const [answer] = (await once(asking, 'message')) as [Buffer]
  t.equal(decodeReply(answer).answer.length, 2)
})

/** A server whose clock only moves when a name is answered that begins with `slow`: by 15 ms. */
function withSlowNames(t: Test): { socket: UdpSocket; server: UdpMmsg; asked: string[] } {
  const { responder } = bench()
  const socket = opened(t)
  let nowMs = 0
  const asked: string[] = []
  const server = roundsOf(t, {
    sockets: [socket],
    nowMs: () => nowMs,
    responder: {
      hitInto: (packet, asker, out, at) =>
        isSlow(packet) ? 0 : responder.hitInto(packet, asker, out, at),
      respondInto: (packet, asker, out, at) => {
        asked.push(isSlow(packet) ? 'slow' : 'miss')
        if (isSlow(packet)) nowMs += 15
        return responder.respondInto(packet, asker, out, at)
      },
    },
  })
  return { socket, server, asked }
}

const isSlow = (packet: Uint8Array): boolean => packet[12] === 4
const slowQuery = (id: number): Buffer => buildQuery('slow.web.service.consul', 'A', { id })

t.test('what is not in the cache waits for what is', { skip }, async (t) => {
  const { socket, server, asked } = withSlowNames(t)
  const asking = await client(t, socket.port)
  await sendAll(asking, [query(0)])
  server.round()
  // Three slow ones before more than two rounds of fast ones.
  const answers = answersTo(asking, 151)
  await sendAll(asking, [...upTo(3).map((n) => slowQuery(1000 + n)), ...upTo(147).map(query)])
  t.equal(server.round(), 64)
  t.same(asked, ['miss', 'slow'], 'one took the time of the slow, and more')
  t.match(server.counters, { sent: 1 + 61 + 1, deferred: 2 })
  t.equal(server.round(), 64)
  t.equal(server.counters.sent, 63 + 64, 'so the others wait')
  t.equal(server.round(), 22)
  t.same(asked, ['miss', 'slow', 'slow'], 'until nothing else is there')
  t.equal(server.round(), 0)
  t.same(asked, ['miss', 'slow', 'slow', 'slow'])
  const ids = await answers
  t.equal(new Set(ids).size, 150, 'all are answered')
  t.ok(ids.indexOf(1001) > ids.indexOf(146), 'the fast ones first')
})

t.test('under a load of fast ones the slow get a share of the time', { skip }, async (t) => {
  const { socket, server, asked } = withSlowNames(t)
  const asking = await client(t, socket.port)
  await sendAll(asking, [query(0), ...upTo(10).map(slowQuery)])
  server.round()
  asked.length = 0
  for (let round = 0; round < 60; round++) {
    await sendAll(asking, upTo(64).map(query))
    t.equal(server.round(), 64)
  }
  t.equal(asked.length, 4, 'one in fifteen rounds, as each costs fifteen times a grant')
})

t.test('no more than 1024 questions wait', { skip }, async (t) => {
  const { socket, server } = withSlowNames(t)
  const asking = await client(t, socket.port)
  for (let round = 0; round < 20; round++) {
    await sendAll(asking, upTo(64).map(slowQuery))
    t.equal(server.round(), 64)
  }
  const { received, deferred, overflowed, sent } = server.counters
  t.equal(received, 20 * 64)
  t.ok(overflowed > 0)
  t.ok(deferred - sent <= 1024)
})

/** The sizes of the UDP packets that a client of its own got for the questions, by id. */
async function lengthsOf(
  t: Test,
  server: UdpMmsg,
  port: number,
  questions: readonly Buffer[],
): Promise<Map<number, number>> {
  const asking = await client(t, port)
  const lengths = new Map<number, number>()
  asking.on('message', (answer: Buffer) => {
    t.equal(decodeReply(answer).rcode, 'NOERROR')
    lengths.set(answer.readUInt16BE(), answer.length)
  })
  await sendAll(asking, questions)
  // A round may take nothing and still owe answers: what is not in the cache has a share of the time only.
  while (lengths.size < questions.length) {
    server.round()
    await setImmediate()
  }
  return lengths
}

t.test('answers of one length to one client leave as one message', { skip }, async (t) => {
  const calls: number[] = []
  const libc = theLibc()
  const counting: typeof libc = {
    ...libc,
    sendmmsg: (fd, headers, count, flags) => {
      calls.push(count)
      return libc.sendmmsg(fd, headers, count, flags)
    },
  }
  for (const address of ['127.0.0.1', '0.0.0.0', '::']) {
    const socket = opened(t, address)
    if (!socket.canSegment) return t.pass('no UDP_SEGMENT here', { skip: true })
    const { responder } = bench()
    const server = roundsOf(t, { sockets: [socket], responder }, counting)
    const questions = upTo(40).map((id) =>
      buildQuery('web.service.consul', id % 2 === 0 ? 'A' : 'SRV', { id }),
    )
    await lengthsOf(t, server, socket.port, questions)
    calls.length = 0
    const lengths = await lengthsOf(t, server, socket.port, questions)
    t.same(calls, [2], `${address}: two lengths, two messages, one call`)
    for (const [id, length] of lengths) t.equal(length, lengths.get(id % 2), `${id}`)
    t.match(server.counters, { received: 80, sent: 80, errors: 0 })
  }
  return undefined
})

t.test('clients do not get each other’s answers', { skip }, async (t) => {
  const socket = opened(t, '0.0.0.0')
  const server = roundsOf(t, {
    sockets: [socket],
    responder: bench().responder,
  })
  await lengthsOf(t, server, socket.port, [query(0)])
  const asking = await Promise.all(
    upTo(8).map((n) => client(t, socket.port, n % 2 === 0 ? '127.0.0.1' : '127.0.0.2')),
  )
  const ids = asking.map((_, at) => upTo(4).map((n) => n * 8 + at))
  const answers = asking.map((each) => answersTo(each, 4))
  for (const n of upTo(4)) {
    for (const [at, each] of asking.entries()) await sendAll(each, [query(n * 8 + at)])
  }
  t.equal(server.round(), 32)
  t.same(await Promise.all(answers), ids, 'each its own, from the address it asked')
})

t.test('where segments cannot be sent each answer leaves by itself', { skip }, async (t) => {
  const libc = theLibc()
  const socket = opened(t)
  if (!socket.canSegment) return t.pass('no UDP_SEGMENT here', { skip: true })
  let refused = 0
  let errno = 0
  const withoutSegments: Libc = {
    ...libc,
    errno: () => errno || libc.errno(),
    // As a device without checksums: a message with a control structure is refused.
    sendmmsg: (fd, headers, count, flags) => {
      errno = count === 2 && refused++ === 0 ? constants.errno.EIO : 0
      if (errno > 0) return -1
      return libc.sendmmsg(fd, headers, count, flags)
    },
  }
  const { responder } = bench()
  const server = roundsOf(t, { sockets: [socket], responder }, withoutSegments)
  const questions = upTo(40).map((id) =>
    buildQuery('web.service.consul', id % 2 === 0 ? 'A' : 'SRV', { id }),
  )
  await lengthsOf(t, server, socket.port, questions)
  const lengths = await lengthsOf(t, server, socket.port, questions)
  t.equal(refused, 1)
  t.equal(lengths.size, 40)
  t.match(server.counters, { received: 80, sent: 80, errors: 0 })
  return undefined
})
