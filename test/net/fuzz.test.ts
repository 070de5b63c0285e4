import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { once } from 'node:events'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { listenTcp } from '../../src/net/tcp/dns-tcp.ts'
import { oddPackets } from '../dns/odd-packets.ts'
import { framed } from '../helpers/dns-frames.ts'
import { openGate } from '../helpers/open-gate.ts'
import { bench, ca, encryptedPort } from './encrypted.ts'
import type { Socket } from 'node:net'

// Packets that are changed at random, over each stream: no crash, and what comes back is a DNS message.

const packets = Number(process.env['SVCD_DNS_PACKETS'] ?? 3000)
const seed = Number(process.env['SVCD_DNS_SEED'] ?? 1)
const seeds = Object.values(oddPackets).map(([packet]) => packet)

/** Numbers below `max` that follow from the seed (a linear congruential generator). */
function numbers(start: number): (max: number) => number {
  let state = start >>> 0
  return (max) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % max
  }
}

function mutated(below: (max: number) => number): Buffer {
  let packet = Buffer.from(must(seeds[below(seeds.length)]))
  for (let times = below(4); times > 0 && packet.length > 0; times--) {
    const at = below(packet.length)
    const kind = below(4)
    if (kind === 0) packet[at] = below(256)
    else if (kind === 1) packet = packet.subarray(0, at)
    else if (kind === 2) packet = Buffer.concat([packet, packet.subarray(at)])
    else packet[at] = (packet[at] ?? 0) ^ (1 << below(8))
  }
  return packet
}

/** The options of an OPT record with several options are beyond dns2, but not the rest. */
function isDecodable(answer: Buffer): boolean {
  try {
    decodeReply(answer)
    return true
  } catch {
    return false
  }
}

/** Sends frames until the server ends the connection, then on the next one. Resolves with the answers. */
async function askFramed(open: () => Socket, all: readonly Buffer[]): Promise<readonly Buffer[]> {
  const answers: Buffer[] = []
  for (let at = 0; at < all.length; at += 4) {
    const socket = open()
    socket.on('error', () => {})
    let pending = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE()) {
        answers.push(pending.subarray(2, 2 + pending.readUInt16BE()))
        pending = pending.subarray(2 + pending.readUInt16BE())
      }
    })
    const gone = new Promise((resolve) => socket.once('close', resolve))
    socket.end(Buffer.concat(all.slice(at, at + 4).map(framed)))
    await gone
  }
  return answers
}

function packetsOf(start: number): readonly Buffer[] {
  const below = numbers(start)
  return Array.from({ length: packets }, () => mutated(below))
}

for (const kind of ['tcp', 'tls'] as const) {
  t.test(`${packets} changed packets over ${kind}, seed ${seed}`, async (t) => {
    const { responder, errors } = bench()
    const gate = openGate()
    const plain = { address: '127.0.0.1', port: 0, responder, gate }
    const port =
      kind === 'tcp'
        ? await listenTcp(plain)
        : (await encryptedPort(t, 'tls', { responder, gate })).port
    if (kind === 'tcp') t.teardown(() => port.close())
    const server = { host: '127.0.0.1', port: port.port }
    const open = (): Socket =>
      kind === 'tcp'
        ? connect(server)
        : connectTls({ ...server, servername: 'localhost', ca: ca.cert })
    const answers = await askFramed(open, packetsOf(seed))
    t.ok(answers.length > packets / 20, `${answers.length} answers`)
    t.same(
      answers.filter((answer) => !isDecodable(answer)).map((answer) => answer.toString('hex')),
      [],
    )
    t.same(errors, [], 'nothing threw')
  })
}

t.test(`${packets} changed packets over https, seed ${seed}`, async (t) => {
  const { responder, errors } = bench()
  const { port } = await encryptedPort(t, 'https', { responder })
  const session = connectHttp2(`https://localhost:${port.port}`, { ca: ca.cert })
  t.teardown(() => session.destroy())
  await once(session, 'connect')
  const ask = async (packet: Buffer): Promise<void> => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/dns-query',
      'content-type': 'application/dns-message',
    })
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.end(packet)
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    if (!stream.readableEnded) await once(stream, 'end')
    const hex = packet.toString('hex')
    if (headers[':status'] === 200) {
      if (!isDecodable(Buffer.concat(chunks))) t.fail(`not decodable: the answer to ${hex}`)
    } else if (headers[':status'] !== 400) {
      t.fail(`${String(headers[':status'])} for ${hex}`)
    }
  }
  const all = packetsOf(seed + 1)
  for (let at = 0; at < all.length; at += 50) await Promise.all(all.slice(at, at + 50).map(ask))
  t.equal(port.counters.queries, packets)
  t.same(errors, [], 'nothing threw')
})
