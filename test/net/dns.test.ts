import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Resolver } from 'node:dns/promises'
import { setInterval as everyMs } from 'node:timers/promises'
import t from 'tap'
import { framed, readFrames } from '../helpers/dns-frames.ts'
import { until } from '../helpers/until.ts'
import { must } from '../../src/base/assert.ts'
import { ask, decodeReply } from '../../src/net/dns-client.ts'
import { listenTcp } from '../../src/net/tcp/dns-tcp.ts'
import { listenUdp } from '../../src/net/udp/dgram.ts'
import { Bench, buildQuery } from '../dns/fixture.ts'
import { udpPaths } from './udp/paths.ts'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import type { TcpLimits } from '../../src/net/tcp/dns-tcp-connection.ts'
import type { UdpServer } from './udp/paths.ts'
import { openGate } from '../helpers/open-gate.ts'

function bench(instances = 2): Bench {
  const bench = new Bench()
  bench.registry.addNode('n1', '127.0.0.1')
  for (let n = 1; n <= instances; n++) {
    bench.registry.add('web', { node: `n${n}`, at: `10.9.${n >> 8}.${n & 255}`, port: 8080 })
  }
  return bench
}

async function tcpServer(
  t: Test,
  limits: Partial<TcpLimits> = {},
  instances = 2,
  gate = openGate(),
) {
  const listener = await listenTcp({
    address: '127.0.0.1',
    port: 0,
    responder: bench(instances).responder,
    limits,
    gate,
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

/** Sends one packet over UDP and resolves with what comes back. */
async function exchange(port: number, packet: Uint8Array): Promise<Buffer> {
  const client = createSocket('udp4')
  client.connect(port, '127.0.0.1')
  await once(client, 'connect')
  client.send(packet)
  const [answer] = (await once(client, 'message')) as [Buffer]
  client.close()
  return answer
}

/** A query of so many octets, with EDNS options that a server has to skip. */
function paddedQuery(octets: number): Buffer {
  const query = buildQuery('web.service.consul', 'A', { edns: 1232 })
  const padding = Buffer.alloc(octets - query.length)
  padding.writeUInt16BE(12)
  padding.writeUInt16BE(padding.length - 4, 2)
  query.writeUInt16BE(padding.length, query.length - 2)
  return Buffer.concat([query, padding])
}

for (const { name, skip, listen } of udpPaths) {
  t.test(`UDP by ${name}`, { skip }, async (t) => {
    const serve = async (t: Test, instances = 2, address = '127.0.0.1'): Promise<UdpServer> => {
      const udp = await listen({ address, port: 0, responder: bench(instances).responder })
      t.teardown(() => udp.close())
      return udp
    }

    t.test('the dns2 client and Node’s resolver get the instances', async (t) => {
      const udp = await serve(t)
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
      const udp = await listen({ address: '127.0.0.1', port: 0, responder })
      t.teardown(() => udp.close())
      const server = { address: '127.0.0.1', port: udp.port }
      const reply = await ask(server, 'müller.service.consul', 'A')
      t.match(reply.answer, [{ name: 'müller.service.consul.', data: '10.9.0.9' }])
    })

    t.test('over IPv6 as well', async (t) => {
      const udp = await serve(t, 2, '::1').catch(() => undefined)
      if (udp === undefined) return t.pass('no IPv6 here', { skip: true })
      const reply = await ask({ address: '::1', port: udp.port }, 'web.service.consul', 'A')
      return t.equal(reply.answer.length, 2)
    })

    t.test('a wildcard answers from the address that was asked', async (t) => {
      const udp = await serve(t, 2, '0.0.0.0')
      const own = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
      const addresses = own.filter(({ family }) => family === 'IPv4').map(({ address }) => address)
      t.ok(addresses.includes('127.0.0.1'))
      // The client's socket is connected: it would not take an answer from anywhere else.
      for (const address of addresses) {
        const reply = await ask({ address, port: udp.port }, 'web.service.consul', 'A')
        t.equal(reply.rcode, 'NOERROR', address)
      }
    })

    t.test('a port in use is named, with the flag that chooses another', async (t) => {
      const udp = await serve(t)
      const again = { address: '127.0.0.1', port: udp.port, responder: bench().responder }
      await t.rejects(listen(again), {
        code: 'port-in-use',
        message: new RegExp(`DNS \\(UDP\\) port ${udp.port} on 127.0.0.1 is in use.*-dns-port`),
      })
      await t.rejects(listen({ ...again, address: '203.0.113.1', port: 0 }), {
        code: 'bind-failed',
      })
    })

    t.test('on this machine answers are as long as the client allows, up to 8192', async (t) => {
      const udp = await serve(t, 1000)
      const query = buildQuery('web.service.consul', 'A', { edns: 65_508 })
      const answer = await exchange(udp.port, query)
      t.ok(answer.length > 8192 - 16 && answer.length <= 8192, `${answer.length} octets`)
    })

    t.test('a query is read up to 4096 octets; a longer one gets FORMERR', async (t) => {
      const udp = await serve(t)
      for (const [octets, rcode] of [
        [4096, 'NOERROR'],
        [4097, 'FORMERR'],
        [60_000, 'FORMERR'],
      ] as const) {
        const reply = decodeReply(await exchange(udp.port, paddedQuery(octets)))
        t.equal(reply.rcode, rcode, `${octets} octets`)
        t.equal(reply.id, 4711)
      }
    })

    t.test('what is no query gets no answer, and takes none from its neighbours', async (t) => {
      const udp = await serve(t)
      const response = buildQuery('web.service.consul', 'A', { id: 1 })
      response[2] = 0x80
      const client = createSocket('udp4')
      t.teardown(() => client.close())
      const ids: number[] = []
      const done = new Promise<void>((resolve) => {
        client.on('message', (answer) => {
          ids.push(answer.readUInt16BE())
          if (ids.length === 21) resolve()
        })
      })
      for (let id = 0; id < 20; id++) {
        client.send(buildQuery('web.service.consul', 'A', { id }), udp.port, '127.0.0.1')
        client.send(id % 2 === 0 ? response : Buffer.from('?'), udp.port, '127.0.0.1')
      }
      client.send(buildQuery('web.service.consul', 'A', { id: 99 }), udp.port, '127.0.0.1')
      await done
      const sorted = ids.toSorted((a, b) => a - b)
      t.same(sorted, [...Array.from({ length: 20 }, (_, id) => id), 99])
      t.equal(udp.counters.received, 41)
    })

    t.test('closing sends the answers in flight first', async (t) => {
      const udp = await listen({ address: '127.0.0.1', port: 0, responder: bench().responder })
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
  })
}

t.test('a DNS client', async (t) => {
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
    const tcp = await listenTcp({ address: '127.0.0.1', port: 0, responder, gate: openGate() })
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
        // An octet that crosses the close comes back as a reset, and `once` would reject with it.
        socket.on('error', () => {})
        return new Promise((resolve) => {
          socket.once('close', resolve)
        })
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
    const gate = openGate({ openMax: 2 })
    const { open } = await tcpServer(t, {}, 2, gate)
    const first = await open()
    first.resume()
    const second = await open()
    second.write(framed(buildQuery('web.service.consul', 'A')))
    await readFrames(second, 1)
    const [, third] = await Promise.all([once(first, 'close'), open()])
    third.write(framed(buildQuery('web.service.consul', 'A')))
    t.equal((await readFrames(third, 1)).length, 1)
    t.equal(gate.figures.displaced, 1)
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

  t.test('who sends very many at once, and costly ones, lets others have their turn', async (t) => {
    const { responder } = bench()
    const ids: number[] = []
    const inTurn = { now: 0, most: 0 }
    const query = (id: number): Buffer => framed(buildQuery('web.service.consul', 'A', { id }))
    const listener = await listenTcp({
      address: '127.0.0.1',
      port: 0,
      gate: openGate(),
      responder: {
        respondInto: (packet, asker, out, at) => {
          const id = Buffer.from(packet).readUInt16BE()
          ids.push(id)
          if (ids.length === 1) modest.write(query(2))
          if (inTurn.now++ === 0) setImmediate(() => (inTurn.now = 0))
          inTurn.most = Math.max(inTurn.most, inTurn.now)
          // What a question costs that needs much of the catalog.
          if (id === 1) for (const end = performance.now() + 1; performance.now() < end;);
          return responder.respondInto(packet, asker, out, at)
        },
      },
    })
    t.teardown(() => listener.close())
    const open = async (): Promise<Socket> => {
      const socket = connect(listener.port, '127.0.0.1')
      t.teardown(() => socket.destroy())
      await once(socket, 'connect')
      return socket
    }
    const modest = await open()
    const greedy = await Promise.all(Array.from({ length: 10 }, open))
    for (const socket of greedy)
      socket.end(Buffer.concat(Array.from({ length: 20 }, () => query(1))))
    const frames = greedy.map((socket) => readFrames(socket, 21))
    await readFrames(modest, 1)
    t.ok(ids.indexOf(2) < 50, `before it came ${ids.indexOf(2)}`)
    const answers = (await Promise.all(frames)).map(({ length }) => length)
    t.same(answers, Array(10).fill(20), 'they get all their answers, in the end')
    t.ok(inTurn.most < 8, `at most ${inTurn.most} kept the rest of the thread waiting at once`)
  })

  t.test('closing sends what has been answered', async (t) => {
    const listener = await listenTcp({
      address: '127.0.0.1',
      port: 0,
      responder: bench(3000).responder,
      gate: openGate(),
    })
    const socket = connect(listener.port, '127.0.0.1')
    const query = framed(buildQuery('web.service.consul', 'A'))
    socket.write(Buffer.concat([query, query, query]))
    await once(socket, 'readable')
    // On a busy machine the connection's turn may be over before the third one.
    await until('all are answered', 5000, () => listener.counters.queries === 3)
    const [frames] = await Promise.all([readFrames(socket, 4), listener.close()])
    t.equal(frames.length, 3)
    t.equal(listener.connectionCount, 0)
  })

  t.test('a port in use is named', async (t) => {
    const { listener } = await tcpServer(t)
    const { responder } = bench()
    const again = { address: '127.0.0.1', port: listener.port, responder, gate: openGate() }
    await t.rejects(listenTcp(again), { code: 'port-in-use' })
  })
})
