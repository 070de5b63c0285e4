import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Resolver } from 'node:dns/promises'
import { setInterval as everyMs } from 'node:timers/promises'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { ask, decodeReply } from '../../src/net/dns-client.ts'
import { listenTcp } from '../../src/net/dns-tcp.ts'
import { listenUdp } from '../../src/net/udp-dgram.ts'
import { Bench, buildQuery } from '../dns/fixture.ts'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import type { TcpLimits } from '../../src/net/dns-tcp.ts'

function bench(instances = 2): Bench {
  const bench = new Bench()
  bench.registry.addNode('n1', '127.0.0.1')
  for (let n = 1; n <= instances; n++) {
    bench.registry.add('web', { node: `n${n}`, at: `10.9.${n >> 8}.${n & 255}`, port: 8080 })
  }
  return bench
}

async function tcpServer(t: Test, limits: Partial<TcpLimits> = {}, instances = 2) {
  const listener = await listenTcp({
    address: '127.0.0.1',
    port: 0,
    responder: bench(instances).responder,
    limits,
  })
  t.teardown(() => listener.close())
  const open = async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: listener.port })
    t.teardown(() => socket.destroy())
    // A test ends by waiting for 'close'; a reset is as good an end.
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  return { listener, open }
}

function framed(packet: Uint8Array): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(packet.length)
  return Buffer.concat([length, packet])
}

/** Reads `count` framed messages, or as many as come before the server ends. */
async function readFrames(socket: Socket, count: number): Promise<Buffer[]> {
  const frames: Buffer[] = []
  let pending = Buffer.alloc(0)
  if (count === 0) return frames
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    pending = Buffer.concat([pending, chunk as Buffer])
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0)
      frames.push(pending.subarray(2, end))
      pending = pending.subarray(end)
    }
    if (frames.length >= count) break
  }
  return frames
}

t.test('UDP', async (t) => {
  t.test('the dns2 client and Node’s resolver get the instances', async (t) => {
    const udp = await listenUdp({
      address: '127.0.0.1',
      port: 0,
      responder: bench().responder,
    })
    t.teardown(() => udp.close())
    const reply = await ask({ address: '127.0.0.1', port: udp.port }, 'web.service.consul', 'a')
    t.same(reply.answer.map(({ data }) => data).toSorted(), ['10.9.0.1', '10.9.0.2'])
    t.equal(reply.udpBytes, 1232)
    t.equal(reply.transport, 'udp')
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${udp.port}`])
    const found = await resolver.resolveSrv('web.service.consul')
    t.same(found.map(({ port, name }) => `${name}:${port}`).toSorted(), [
      '0a090001.addr.dc1.consul:8080',
      '0a090002.addr.dc1.consul:8080',
    ])
    t.equal(udp.counters.received, udp.counters.sent)
  })

  t.test('a name beyond ASCII is asked for and shown as text', async (t) => {
    const { responder, registry } = bench()
    registry.add('müller', { at: '10.9.0.9' })
    const udp = await listenUdp({ address: '127.0.0.1', port: 0, responder })
    t.teardown(() => udp.close())
    const server = { address: '127.0.0.1', port: udp.port }
    const reply = await ask(server, 'müller.service.consul', 'A')
    t.match(reply.answer, [{ name: 'müller.service.consul.', data: '10.9.0.9' }])
  })

  t.test('over IPv6 as well', async (t) => {
    const udp = await listenUdp({ address: '::1', port: 0, responder: bench().responder }).catch(
      () => undefined,
    )
    if (udp === undefined) return t.pass('no IPv6 here', { skip: true })
    t.teardown(() => udp.close())
    const reply = await ask({ address: '::1', port: udp.port }, 'web.service.consul', 'A')
    return t.equal(reply.answer.length, 2)
  })

  t.test('a wildcard answers from the address that was asked', async (t) => {
    const udp = await listenUdp({ address: '0.0.0.0', port: 0, responder: bench().responder })
    t.teardown(() => udp.close())
    t.ok(udp.addresses.includes('127.0.0.1'))
    // The client's socket is connected: it would not take an answer from anywhere else.
    for (const address of udp.addresses) {
      const reply = await ask({ address, port: udp.port }, 'web.service.consul', 'A')
      t.equal(reply.rcode, 'NOERROR', address)
    }
  })

  t.test('a port in use is named, with the flag that chooses another', async (t) => {
    const udp = await listenUdp({ address: '127.0.0.1', port: 0, responder: bench().responder })
    t.teardown(() => udp.close())
    const again = { address: '127.0.0.1', port: udp.port, responder: bench().responder }
    await t.rejects(listenUdp(again), {
      code: 'port-in-use',
      message: new RegExp(`DNS \\(UDP\\) port ${udp.port} on 127.0.0.1 is in use.*-dns-port`),
    })
    await t.rejects(listenUdp({ ...again, address: '203.0.113.1', port: 0 }), {
      code: 'bind-failed',
    })
  })

  t.test('closing sends the answers in flight first', async (t) => {
    const udp = await listenUdp({ address: '127.0.0.1', port: 0, responder: bench().responder })
    const client = createSocket('udp4')
    t.teardown(() => client.close())
    let received = 0
    const done = new Promise<void>((resolve) => {
      client.on('message', () => {
        received++
        if (received === 1) void udp.close().then(resolve)
      })
    })
    for (let id = 0; id < 50; id++) {
      client.send(buildQuery('web.service.consul', 'A', { id }), udp.port, '127.0.0.1')
    }
    await done
    t.equal(udp.counters.errors, 0)
    t.ok(udp.counters.sent > 0)
    t.equal(udp.counters.sent <= udp.counters.received, true)
  })

  t.test('no answer: the client says whom it asked and what to do', async (t) => {
    const silent = createSocket('udp4')
    silent.bind(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address()
    const options = { timeoutMs: 20, attempts: 2 }
    await t.rejects(ask({ address: '127.0.0.1', port }, 'web.service.consul', 'A', options), {
      code: 'dns-unreachable',
      message: new RegExp(`127.0.0.1:${port} .*no answer within 40 ms.*-dns-addr`),
    })
    silent.close()
    await once(silent, 'close')
    await t.rejects(ask({ address: '127.0.0.1', port }, 'web.service.consul', 'A', options), {
      message: /ECONNREFUSED/,
    })
    await t.rejects(ask({ address: '127.0.0.1', port }, 'a'.repeat(64), 'A'), {
      code: 'invalid-field',
    })
    await t.rejects(ask({ address: '127.0.0.1', port }, 'a', 'BOGUS'), { code: 'invalid-field' })
  })
})

t.test('TCP', async (t) => {
  t.test('a truncated UDP answer is asked for again over TCP, complete', async (t) => {
    const { responder } = bench(400)
    const tcp = await listenTcp({ address: '127.0.0.1', port: 0, responder })
    const udp = await listenUdp({ address: '127.0.0.1', port: tcp.port, responder })
    t.teardown(() => Promise.all([udp.close(), tcp.close()]))
    const server = { address: '127.0.0.1', port: tcp.port }
    const reply = await ask(server, 'web.service.consul', 'A')
    t.equal(reply.transport, 'tcp')
    t.equal(reply.answer.length, 400)
    t.equal(udp.counters.sent, 1)
    t.equal((await ask(server, 'web.service.consul', 'SRV', { tcp: true })).answer.length, 400)
    t.equal(udp.counters.sent, 1)
  })

  t.test('queries in one segment are answered in order', async (t) => {
    const { open } = await tcpServer(t)
    const socket = await open()
    const queries = [1, 2, 3].map((id) => framed(buildQuery('web.service.consul', 'A', { id })))
    socket.write(Buffer.concat(queries))
    const frames = await readFrames(socket, 3)
    t.same(
      frames.map((frame) => decodeReply(frame).id),
      [1, 2, 3],
    )
  })

  t.test('a query may come one octet a segment', async (t) => {
    const { open } = await tcpServer(t)
    const socket = await open()
    socket.setNoDelay(true)
    const bytes = framed(buildQuery('web.service.consul', 'A', { id: 9 }))
    for (const byte of bytes) {
      await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve))
    }
    const [frame] = await readFrames(socket, 1)
    t.equal(decodeReply(must(frame)).id, 9)
  })

  t.test('a malformed query gets FORMERR and the connection goes on', async (t) => {
    const { open } = await tcpServer(t)
    const socket = await open()
    const query = buildQuery('web.service.consul', 'A', { id: 5 })
    socket.write(framed(query.subarray(0, query.length - 3)))
    const [bad] = await readFrames(socket, 1)
    t.equal(decodeReply(must(bad)).rcode, 'FORMERR')
    socket.write(framed(query))
    const [good] = await readFrames(socket, 1)
    t.equal(decodeReply(must(good)).rcode, 'NOERROR')
  })

  t.test('what is no query at all closes the connection', async (t) => {
    const { open } = await tcpServer(t)
    const response = buildQuery('web.service.consul', 'A')
    response[2] = 0x80
    for (const bytes of [Buffer.from([0, 0]), framed(Buffer.alloc(11)), framed(response)]) {
      const socket = await open()
      socket.resume()
      socket.write(bytes)
      await once(socket, 'close')
    }
    t.pass('all three were closed')
  })

  t.test('half-sent queries and idle connections are closed', async (t) => {
    const { listener, open } = await tcpServer(t, { idleTimeoutMs: 60, frameTimeoutMs: 60 })
    const [half, dribble, idle] = await Promise.all([open(), open(), open()])
    const closed = Promise.all(
      [half, dribble, idle].map((socket) => {
        socket.resume()
        return once(socket, 'close')
      }),
    )
    half.write(Buffer.from([0]))
    // An octet now and then does not prolong the time a query may take.
    dribble.write(Buffer.from([0, 200]))
    const dribbling = setInterval(() => dribble.write(Buffer.from([1])), 20)
    await closed
    clearInterval(dribbling)
    t.equal(listener.counters.timeouts, 3)
  })

  t.test('a client that ends its side still gets its answers', async (t) => {
    const { listener, open } = await tcpServer(t)
    const socket = await open()
    socket.end(framed(buildQuery('web.service.consul', 'A', { id: 3 })))
    t.equal((await readFrames(socket, 2)).length, 1, 'one answer, then the end')
    socket.destroy()
    await once(socket, 'close')
    t.ok(listener.connectionCount <= 1)
  })

  t.test('a full house turns out the idlest', async (t) => {
    const { listener, open } = await tcpServer(t, { connectionsMax: 2 })
    const first = await open()
    first.resume()
    const second = await open()
    second.write(framed(buildQuery('web.service.consul', 'A')))
    await readFrames(second, 1)
    const [, third] = await Promise.all([once(first, 'close'), open()])
    third.write(framed(buildQuery('web.service.consul', 'A')))
    t.equal((await readFrames(third, 1)).length, 1)
    t.equal(listener.counters.displaced, 1)
  })

  t.test('a client that does not read has to wait, and is closed in the end', async (t) => {
    const limits = { drainTimeoutMs: 100, unreadBytesMax: 64 * 1024 }
    const { listener, open } = await tcpServer(t, limits, 3000)
    const socket = await open()
    const query = framed(buildQuery('web.service.consul', 'A'))
    socket.write(Buffer.concat(Array.from({ length: 2000 }, () => query)))
    // It does not read, so it does not learn of it either: only the server's side can tell.
    for await (const _ of everyMs(10)) if (listener.counters.timeouts > 0) break
    // 48 KB each: what the sockets' buffers take, and no more.
    t.ok(listener.counters.queries < 500, `${listener.counters.queries} were answered`)
    t.equal(listener.counters.timeouts, 1)
    socket.resume()
    await once(socket, 'close')
  })

  t.test('all answers come, however slowly they are read', async (t) => {
    const { listener, open } = await tcpServer(t, { unreadBytesMax: 64 * 1024 }, 3000)
    const socket = await open()
    const query = framed(buildQuery('web.service.consul', 'A'))
    socket.end(Buffer.concat(Array.from({ length: 200 }, () => query)))
    const frames = await readFrames(socket, 201)
    t.equal(frames.length, 200)
    t.equal(listener.counters.timeouts, 0)
    t.ok(frames.every((frame) => frame.length > 40_000))
  })

  t.test('closing sends what has been answered', async (t) => {
    const listener = await listenTcp({
      address: '127.0.0.1',
      port: 0,
      responder: bench(3000).responder,
    })
    const socket = connect(listener.port, '127.0.0.1')
    const query = framed(buildQuery('web.service.consul', 'A'))
    socket.write(Buffer.concat([query, query, query]))
    await once(socket, 'readable')
    const [frames] = await Promise.all([readFrames(socket, 4), listener.close()])
    t.equal(frames.length, 3)
    t.equal(listener.connectionCount, 0)
  })

  t.test('a port in use is named', async (t) => {
    const { listener } = await tcpServer(t)
    const again = { address: '127.0.0.1', port: listener.port, responder: bench().responder }
    await t.rejects(listenTcp(again), { code: 'port-in-use' })
  })
})
