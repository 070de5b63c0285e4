import { createSocket } from 'node:dgram'
import type { RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { encode } from '../../src/dns/encode.ts'
import { formatName } from '../../src/dns/name.ts'
import { parseQuery } from '../../src/dns/query.ts'
import { formatType, recordType } from '../../src/dns/record.ts'
import type { Message } from '../../src/dns/message.ts'
import type { Rcode, ResourceRecord } from '../../src/dns/record.ts'
import { parseIp } from '../../src/base/ip.ts'
import { parseName } from '../../src/dns/name.ts'

/** A query that came to a fake upstream server. */
export interface Asked {
  readonly packet: Buffer
  /** As it was spelt, with a final dot. */
  readonly name: string
  readonly type: string
  readonly transport: 'udp' | 'stream'
  readonly port: number
  readonly hasEdns: boolean
}

export type FakeAnswer = Buffer | readonly Buffer[] | undefined
type Answering = (asked: Asked) => FakeAnswer | Promise<FakeAnswer>

const attemptsMax = 10

/** A DNS server that says what a test wants, over UDP and TCP (or TLS alone) on one port of loopback. */
export class FakeUpstream {
  readonly asked: Asked[] = []
  port = 0
  answering: Answering
  readonly #udp = createSocket('udp4')
  readonly #tcp: Server
  readonly #clients = new Set<Socket>()
  #isOpen = false

  private constructor(answering: Answering, tls?: { cert: string; key: string }) {
    this.answering = answering
    const accept = (socket: Socket): void => this.#accept(socket)
    this.#tcp =
      tls === undefined
        ? createServer(accept)
        : createTlsServer({ ...tls, ALPNProtocols: ['dot'] }, accept)
  }

  static async start(
    t: Test,
    answering: Answering,
    tls?: { cert: string; key: string },
  ): Promise<FakeUpstream> {
    for (let attempt = 1; ; attempt++) {
      const upstream = new FakeUpstream(answering, tls)
      try {
        await upstream.#open()
        t.teardown(() => upstream.close())
        return upstream
      } catch (error) {
        // A port that is free for UDP may be in use for TCP.
        upstream.#udp.close()
        if (attempt === attemptsMax) throw error
      }
    }
  }

  async #open(): Promise<void> {
    this.#udp.bind(0, '127.0.0.1')
    await once(this.#udp, 'listening')
    this.port = this.#udp.address().port
    this.#udp.on('message', (packet, from) => void this.#onPacket(packet, from))
    this.#tcp.listen(this.port, '127.0.0.1')
    await once(this.#tcp, 'listening')
    this.#isOpen = true
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  countOf(name: string): number {
    return this.asked.filter((each) => each.name.toLowerCase() === name).length
  }

  /** From now on nobody listens. */
  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const client of this.#clients) client.destroy()
    await Promise.all([
      new Promise<void>((resolve) => this.#udp.close(() => resolve())),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ])
  }

  async #onPacket(packet: Buffer, from: RemoteInfo): Promise<void> {
    for (const answer of await this.#answersTo(packet, 'udp', from.port)) {
      if (this.#isOpen) this.#udp.send(answer, from.port, from.address)
    }
  }

  #accept(socket: Socket): void {
    this.#clients.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#clients.delete(socket))
    let received = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE()) {
        const packet = received.subarray(2, 2 + received.readUInt16BE())
        received = received.subarray(2 + packet.length)
        void this.#answersTo(packet, 'stream', socket.remotePort ?? 0).then((answers) => {
          for (const answer of answers) {
            const length = Buffer.alloc(2)
            length.writeUInt16BE(answer.length)
            if (!socket.destroyed) socket.write(Buffer.concat([length, answer]))
          }
          return undefined
        })
      }
    })
  }

  async #answersTo(
    packet: Buffer,
    transport: Asked['transport'],
    port: number,
  ): Promise<readonly Buffer[]> {
    const query = parseQuery(packet)
    if (query.kind !== 'query') return []
    const { name, type } = query.question
    const hasEdns = query.edns !== undefined
    const asked = {
      packet,
      name: formatName(name),
      type: formatType(type),
      transport,
      port,
      hasEdns,
    }
    this.asked.push(asked)
    const answer = await this.answering(asked)
    return answer === undefined ? [] : Buffer.isBuffer(answer) ? [answer] : answer
  }
}

export interface ReplyText {
  readonly rcode?: Rcode
  /** `name TTL A 192.0.2.1`, `name TTL CNAME target`; `@` is the name in question, as it was spelt. */
  readonly answer?: readonly string[]
  readonly authority?: readonly string[]
  readonly truncated?: boolean
  readonly authoritative?: boolean
  readonly authentic?: boolean
  readonly extendedErrors?: readonly number[]
}

/** An answer to a query, as a resolver gives it. */
export function reply({ packet, name, hasEdns }: Asked, text: ReplyText = {}): Buffer {
  const query = parseQuery(packet)
  if (query.kind !== 'query') throw new Error('no query')
  const records = (lines: readonly string[] = []): readonly ResourceRecord[] =>
    lines.map((line) => recordOf(line.replace(/^@/, name)))
  const message: Message = {
    question: query.question,
    rcode: text.rcode ?? 0,
    authoritative: text.authoritative ?? false,
    truncated: text.truncated ?? false,
    answer: records(text.answer),
    authority: records(text.authority),
    additional: [],
    edns: hasEdns
      ? { udpSize: 1232, dnssecOk: false, extendedErrors: text.extendedErrors ?? [] }
      : undefined,
  }
  const { bytes } = encode(message)
  packet.copy(bytes, 0, 0, 2)
  bytes[2] = (bytes[2] ?? 0) | 0x01
  bytes[3] = (bytes[3] ?? 0) | 0x80 | (text.authentic === true ? 0x20 : 0)
  return bytes
}

function recordOf(line: string): ResourceRecord {
  const [owner = '', ttl = '', type = '', ...data] = line.split(' ')
  const name = must(parseName(owner))
  const base = { name, ttl: Number(ttl) }
  const target = (): readonly string[] => must(parseName(data[0] ?? ''))
  switch (type) {
    case 'A':
    case 'AAAA':
      return {
        ...base,
        type: recordType[type],
        data: { kind: 'ip', ip: must(parseIp(data[0] ?? '')) },
      }
    case 'CNAME':
    case 'NS':
      return { ...base, type: recordType[type], data: { kind: 'name', name: target() } }
    case 'TXT':
      return { ...base, type: recordType.TXT, data: { kind: 'txt', strings: [data.join(' ')] } }
    case 'SOA': {
      const fields = { serial: 1, refresh: 2, retry: 3, expire: 4, minimum: Number(data[0]) }
      const names = { primary: ['ns'], mailbox: ['root'] }
      return { ...base, type: recordType.SOA, data: { kind: 'soa', ...names, ...fields } }
    }
    default:
      throw new Error(line)
  }
}
