import { createSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { must } from '../../src/base/assert.ts'
import { buildQuery } from '../dns/fixture.ts'
import { framed, readFrames } from '../helpers/dns-frames.ts'
import { isAnswerable } from './changed-packets.ts'
import { closed } from './encrypted.ts'
import type { Socket as UdpSocket } from 'node:dgram'
import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'

// Ways to send packets of any kind to a server, and to take all answers.

export interface Target {
  readonly port: number
  /** The authority of its certificate. */
  readonly ca: string
}

export interface Traffic {
  /** The packet to send next. */
  readonly next: () => Buffer
  /** How many to send. */
  readonly packets: number
  readonly onAnswer: (answer: Buffer) => void
}

/** Resolves with how many of the packets were to be answered, when all answers have come. */
export type Send = (target: Target, traffic: Traffic) => Promise<number>

const atOnce = 50
const host = '127.0.0.1'

/** Windows of packets. Each ends with a query whose answer shows that the server has read what was before it. */
const overUdp: Send = async ({ port }, { next, packets, onAnswer }) => {
  const marks = new EventEmitter()
  // Several sockets, so that each thread of the server gets some.
  const sockets = Array.from({ length: 4 }, () => createSocket('udp4'))
  for (const socket of sockets) {
    socket.connect(port, host)
    await once(socket, 'connect')
    socket.on('message', (answer) => {
      const mark = /mark-\d+/.exec(answer.toString('latin1'))?.[0]
      if (mark === undefined) onAnswer(answer)
      else marks.emit(mark)
    })
  }
  let answerable = 0
  for (let at = 0; at * atOnce < packets; at++) {
    const socket = must(sockets[at % sockets.length])
    for (let each = 0; each < atOnce; each++) {
      const packet = next()
      if (isAnswerable(packet)) answerable++
      socket.send(packet)
    }
    await answered(socket, marks, `mark-${at}`)
  }
  for (const socket of sockets) socket.close()
  return answerable
}

/** Sends a query for a name until it is answered: a packet may get lost. */
async function answered(socket: UdpSocket, marks: EventEmitter, mark: string): Promise<void> {
  const query = buildQuery(`${mark}.service.consul`, 'A')
  for (let tries = 0; tries < 30; tries++) {
    const came = once(marks, mark, { signal: AbortSignal.timeout(1000) })
    socket.send(query)
    if (await came.catch(() => undefined)) return
  }
  throw new Error('the server does not answer any more')
}

/**
 * Connections with many packets that are to be answered, and then one that is not, which makes the server
 * close the connection.
 */
function overStream(open: (target: Target) => Socket): Send {
  return async (target, { next, packets, onAnswer }) => {
    let answerable = 0
    for (let sent = 0; sent < packets; sent += atOnce) {
      const socket = open(target)
      const isClosed = closed(socket)
      const queries: Buffer[] = []
      let last: Buffer | undefined
      while (queries.length < atOnce - 1 || last === undefined) {
        const packet = next()
        if (isAnswerable(packet)) queries.push(framed(packet))
        else last = framed(packet)
      }
      answerable += queries.length
      socket.write(Buffer.concat(queries))
      for (const answer of await readFrames(socket, queries.length)) onAnswer(answer)
      socket.resume()
      socket.write(last)
      await isClosed
    }
    return answerable
  }
}

async function post(session: ClientHttp2Session, packet: Buffer): Promise<[number, Buffer]> {
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
  return [Number(headers[':status']), Buffer.concat(chunks)]
}

/** Requests on one connection. What is not to be answered must get the status 400. */
const overHttps: Send = async ({ port, ca }, { next, packets, onAnswer }) => {
  const session = connectHttp2(`https://localhost:${port}`, { ca })
  await once(session, 'connect')
  let answerable = 0
  const ask = async (packet: Buffer): Promise<void> => {
    const [status, answer] = await post(session, packet)
    if (status !== (isAnswerable(packet) ? 200 : 400)) {
      throw new Error(`status ${status} for ${packet.toString('hex')}`)
    }
    if (status !== 200) return
    answerable++
    onAnswer(answer)
  }
  for (let sent = 0; sent < packets; sent += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, () => ask(next())))
  }
  const closed = once(session, 'close')
  session.close()
  await closed
  return answerable
}

export const senders: Readonly<Record<'udp' | 'tcp' | 'tls' | 'https', Send>> = {
  udp: overUdp,
  tcp: overStream(({ port }) => connect({ host, port })),
  tls: overStream(({ port, ca }) => connectTls({ host, port, ca, servername: 'localhost' })),
  https: overHttps,
}
