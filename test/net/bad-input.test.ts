import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { decodeReply } from '../../src/net/dns-client.ts'
import { listenTcp } from '../../src/net/tcp/dns-tcp.ts'
import { Bench } from '../dns/fixture.ts'
import { changed, oddPackets, query, withOpt } from '../dns/odd-packets.ts'
import { udpPaths } from './udp/paths.ts'
import type { Test } from 'tap'
import { framed } from '../helpers/dns-frames.ts'
import { openGate } from '../helpers/open-gate.ts'

// What the pure tests say of single packets, on real sockets: an answer or none, and never one that
// was meant for another packet.

type Packets = Readonly<Record<string, readonly [Buffer, string | undefined]>>

/** A query of so many octets, most of them in one EDNS option. */
function padded(octets: number): Buffer {
  const padding = octets - query.length - 15
  return withOpt(`000c${padding.toString(16).padStart(4, '0')}${'00'.repeat(padding)}`)
}

const headless: Packets = Object.fromEntries(
  Array.from({ length: 12 }, (_, octets) => [
    `${octets} octets`,
    [Buffer.alloc(octets, 1), undefined] as const,
  ]),
)

const overUdp: Packets = {
  ...oddPackets,
  ...headless,
  '4096 octets': [padded(4096), 'NOERROR'],
  '4097 octets': [padded(4097), 'FORMERR'],
  '65507 octets': [padded(65_507), 'FORMERR'],
  '65507 zeros': [Buffer.alloc(65_507), 'FORMERR'],
  '65507 octets, all bits set': [Buffer.alloc(65_507, 0xff), undefined],
}

const overTcp: Packets = {
  ...oddPackets,
  ...headless,
  '65535 octets': [padded(65_535), 'NOERROR'],
  '65535 zeros': [Buffer.alloc(65_535), 'FORMERR'],
  '65535 octets, all bits set': [Buffer.alloc(65_535, 0xff), undefined],
}

const sentinelId = 0x7777
// Cached answers may overtake others: no cache has this one.
const sentinel = Buffer.from('777700000001000000000000', 'hex')
const isSentinel = (reply: Buffer): boolean => reply.readUInt16BE() === sentinelId

/** What comes back for a packet, in order, before the answer to the next one. */
type Exchange = (packet: Buffer) => Promise<readonly Buffer[]>

async function overSocket(t: Test, port: number): Promise<Exchange> {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return async (packet) => {
    socket.send(packet)
    socket.send(sentinel)
    const replies: Buffer[] = []
    for (;;) {
      const [reply] = (await once(socket, 'message')) as [Buffer]
      if (isSentinel(reply)) return replies
      replies.push(reply)
    }
  }
}

/** Each packet has a connection of its own: one that gets no answer is closed. */
async function overConnection(port: number, packet: Buffer): Promise<readonly Buffer[]> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(Buffer.concat([framed(packet), framed(sentinel)]))
  const replies: Buffer[] = []
  let pending = Buffer.alloc(0)
  try {
    for await (const chunk of socket) {
      pending = Buffer.concat([pending, chunk as Buffer])
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE()) {
        const end = 2 + pending.readUInt16BE()
        replies.push(pending.subarray(2, end))
        pending = pending.subarray(end)
      }
      const last = replies.at(-1)
      if (last !== undefined && isSentinel(last)) return replies.slice(0, -1)
    }
  } catch {
    // A reset is as good an end.
  }
  return replies
}

/** Sends each packet, and then each answer as if it were a question: two servers must not talk. */
async function answersAsTold(t: Test, packets: Packets, exchange: Exchange): Promise<void> {
  for (const [title, [packet, wanted]] of Object.entries(packets)) {
    const replies = await exchange(packet)
    const rcodes = replies.map((reply) => decodeReply(reply).rcode)
    t.same(rcodes, wanted === undefined ? [] : [wanted], title)
    for (const reply of replies) {
      t.equal(reply.readUInt16BE(), packet.readUInt16BE(), `${title}: it is the answer to this`)
      t.same(await exchange(reply), [], `${title}: its answer gets none`)
      const bare = changed(reply, [4, 0], [5, 0], [6, 0], [7, 0]).subarray(0, 12)
      t.same(await exchange(bare), [], `${title}: nor does its header`)
    }
  }
}

function bench(): Bench {
  const bench = new Bench()
  bench.registry.addNode('n1', '10.0.0.1').add('web', { at: '10.9.0.1', port: 80 })
  return bench
}

for (const { name, skip, listen } of udpPaths) {
  t.test(`bad packets over UDP by ${name}`, { skip }, async (t) => {
    const { responder, errors } = bench()
    const udp = await listen({ address: '127.0.0.1', port: 0, responder })
    t.teardown(() => udp.close())
    await answersAsTold(t, overUdp, await overSocket(t, udp.port))
    t.same(errors, [], 'nothing threw')
    t.equal(udp.counters.errors, 0)
  })
}

t.test('bad packets over TCP', async (t) => {
  const { responder, errors } = bench()
  const tcp = await listenTcp({ address: '127.0.0.1', port: 0, responder, gate: openGate() })
  t.teardown(() => tcp.close())
  await answersAsTold(t, overTcp, (packet) => overConnection(tcp.port, packet))
  t.same(errors, [], 'nothing threw')
})
