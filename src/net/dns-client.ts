import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { Packet } from 'dns2'
import { reasonOf, svcdError } from '../base/errors.ts'
import { hostPort } from '../base/host-port.ts'
import { readExtendedErrors } from '../dns/extended-errors.ts'
import type { ExtendedError } from '../dns/extended-errors.ts'
import { optAtEnd } from '../dns/wire-records.ts'
import { octetsToUtf8, utf8ToOctets } from '../dns/name.ts'
import { formatServiceBinding } from '../dns/service-binding-text.ts'
import { formatType, parseType, rcodeName, recordType } from '../dns/record.ts'
import { exchange } from './dns-exchange.ts'
import type { Resource } from 'dns2'
import type { DnsTrust, StreamKind } from './dns-exchange.ts'

/** A record as a zone file writes it. */
export interface DnsRecord {
  readonly name: string
  readonly ttl: number
  readonly type: string
  readonly data: string
}

/** What a DNS server answered. */
export interface DnsReply {
  readonly id: number
  /** `NOERROR`, `NXDOMAIN`, … */
  readonly rcode: string
  /** The header bits that are set, in lower case: `qr aa tc rd ra`. */
  readonly flags: readonly string[]
  readonly question: { readonly name: string; readonly type: string }
  readonly answer: readonly DnsRecord[]
  readonly authority: readonly DnsRecord[]
  /** Without the OPT record. */
  readonly additional: readonly DnsRecord[]
  /** The UDP size in the server's OPT record; undefined if there was none. */
  readonly udpBytes: number | undefined
  /** Why the answer is as it is (RFC 8914). */
  readonly extendedErrors: readonly ExtendedError[]
  /** Length of the message in octets. */
  readonly bytes: number
  readonly transport: 'udp' | StreamKind
}

export interface AskOptions {
  /** Query over TCP immediately; otherwise only if the UDP answer was truncated. */
  readonly tcp?: boolean | undefined
  /** Query over TLS or HTTPS instead. */
  readonly encrypted?: 'tls' | 'https' | undefined
  readonly trust?: DnsTrust | undefined
  /** How long to wait for each of the attempts. */
  readonly timeoutMs?: number | undefined
  /** UDP packets to send before giving up. */
  readonly attempts?: number | undefined
}

export interface DnsServerAddress {
  readonly address: string
  readonly port: number
}

const udpBytesMax = 1232
/** Type, class, TTL and length of an OPT record, behind its name. */
const optHeaderBytes = 10

/**
 * Sends one query to one DNS server, as a stub resolver does. Throws `invalid-field` for a name or type
 * that cannot be queried, and `dns-unreachable` if no usable answer comes.
 */
export async function ask(
  server: DnsServerAddress,
  name: string,
  type: string,
  { tcp = false, encrypted, trust, timeoutMs = 2000, attempts = 2 }: AskOptions = {},
): Promise<DnsReply> {
  const query = buildQuery(name, type)
  const address = hostPort(server.address, server.port)
  try {
    if (encrypted !== undefined) {
      return await askStream(encrypted, server, query, timeoutMs, trust)
    }
    if (!tcp) {
      const reply = await askUdp(server, query, timeoutMs, attempts)
      if (!reply.flags.includes('tc')) return reply
    }
    return await askStream('tcp', server, query, timeoutMs)
  } catch (error) {
    throw svcdError('dns-unreachable', { address, reason: reasonOf(error) }, error)
  }
}

/** Asks a responder in this process, without a socket. Undefined: it sends no answer. */
export function askDirectly(
  respond: (query: Buffer) => Uint8Array | undefined,
  name: string,
  type: string,
): DnsReply | undefined {
  const bytes = respond(buildQuery(name, type))
  return bytes === undefined ? undefined : decodeReply(Buffer.from(bytes), 'tcp')
}

function buildQuery(name: string, type: string): Buffer {
  const code = parseType(type)
  if (code === undefined) {
    const reason = `"${type}" is not a valid record type; use A, AAAA, SRV, TXT, NS, SOA, ANY or TYPE<number>`
    throw svcdError('invalid-field', { field: 'type', reason })
  }
  const packet = new Packet()
  Object.assign(packet.header, { id: randomInt(0x10000), rd: 1 })
  try {
    packet.questions.push(new Packet.Question(utf8ToOctets(name), code, 1))
    const opt = Packet.Resource.EDNS([])
    opt.class = udpBytesMax
    packet.additionals.push(opt)
    return packet.toBuffer()
  } catch (error) {
    throw svcdError('invalid-field', { field: 'name', reason: reasonOf(error) }, error)
  }
}

async function askUdp(
  { address, port }: DnsServerAddress,
  query: Buffer,
  timeoutMs: number,
  attempts: number,
): Promise<DnsReply> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  try {
    return await new Promise<DnsReply>((resolve, reject) => {
      let left = attempts
      const send = (): void => {
        if (left === 0) return reject(new Error(`no answer within ${timeoutMs * attempts} ms`))
        left--
        timer = setTimeout(send, timeoutMs)
        return socket.send(query)
      }
      let timer: NodeJS.Timeout | undefined
      const settle = (finish: () => void): void => {
        clearTimeout(timer)
        finish()
      }
      socket.on('error', (error) => settle(() => reject(error)))
      socket.on('message', (bytes) => {
        const reply = maybeReply(query, bytes, 'udp')
        // A packet that answers something else is a late or forged one: keep waiting.
        if (reply !== undefined) settle(() => resolve(reply))
      })
      // A connected socket accepts packets only from that address and port, and reports a closed port.
      // If there is no route to the address, Node calls back with an error, which its types leave out.
      const onConnected = (error?: Error): void => (error === undefined ? send() : reject(error))
      socket.connect(port, address, onConnected)
    })
  } finally {
    socket.close()
  }
}

async function askStream(
  kind: StreamKind,
  server: DnsServerAddress,
  query: Buffer,
  timeoutMs: number,
  trust?: DnsTrust,
): Promise<DnsReply> {
  const bytes = await exchange(kind, server, query, timeoutMs, trust)
  const reply = maybeReply(query, bytes, kind)
  if (reply === undefined) throw new Error('the server answered a different query')
  return reply
}

/** The reply in `bytes`; undefined when it does not answer `query` (RFC 5452 §9.1). */
function maybeReply(
  query: Buffer,
  bytes: Buffer,
  transport: DnsReply['transport'],
): DnsReply | undefined {
  const asked = Packet.parse(query).questions[0]
  const reply = maybeDecode(bytes, transport)
  if (reply === undefined || reply.id !== query.readUInt16BE(0)) return undefined
  if (!reply.flags.includes('qr')) return undefined
  // A server that cannot parse the query may send the header alone.
  if (reply.question.name === '' && reply.rcode !== 'NOERROR') return reply
  const isAsked =
    reply.question.name.toLowerCase() === absolute(asked?.name ?? '').toLowerCase() &&
    reply.question.type === formatType(asked?.type ?? 0)
  return isAsked ? reply : undefined
}

function maybeDecode(bytes: Buffer, transport: DnsReply['transport']): DnsReply | undefined {
  try {
    return decodeReply(bytes, transport)
  } catch {
    return undefined
  }
}

/** Decodes a message. Throws when it is malformed. */
export function decodeReply(bytes: Buffer, transport: DnsReply['transport'] = 'udp'): DnsReply {
  const optAt = optAtEnd(bytes, 0, bytes.length)
  const packet = Packet.parse(withoutOptions(bytes, optAt))
  const { header, questions, answers, authorities, additionals } = packet
  const counts = [header.qdcount, header.ancount, header.nscount, header.arcount]
  // dns2 leaves out the records it cannot read.
  for (const [at, section] of [questions, answers, authorities, additionals].entries()) {
    if (section.length !== counts[at]) throw new Error('a record of the answer is malformed')
  }
  const opt = additionals.find((record) => record.type === recordType.OPT)
  return {
    id: header.id,
    rcode: rcodeName(header.rcode),
    flags: (['qr', 'aa', 'tc', 'rd', 'ra'] as const).filter((flag) => header[flag] === 1),
    question: {
      name: questions[0] === undefined ? '' : absolute(questions[0].name),
      type: questions[0] === undefined ? '' : formatType(questions[0].type),
    },
    answer: answers.map(plainRecord),
    authority: authorities.map(plainRecord),
    additional: additionals.filter((record) => record !== opt).map(plainRecord),
    udpBytes: opt?.class,
    extendedErrors:
      optAt === 0 ? [] : readExtendedErrors(bytes, optAt + optHeaderBytes, bytes.length),
    bytes: bytes.length,
    transport,
  }
}

/** dns2 reads options that it does not know as bits where they are octets. */
function withoutOptions(bytes: Buffer, optAt: number): Buffer {
  if (optAt === 0 || optAt + optHeaderBytes === bytes.length) return bytes
  const bare = Buffer.from(bytes.subarray(0, optAt + optHeaderBytes))
  bare.writeUInt16BE(0, optAt + optHeaderBytes - 2)
  return bare
}

function plainRecord(record: Resource): DnsRecord {
  const { name, ttl, type } = record
  return { name: absolute(name), ttl, type: formatType(type), data: dataText(record) }
}

function dataText(record: Resource): string {
  switch (record.type) {
    case recordType.A:
    case recordType.AAAA:
      return record.address ?? ''
    case recordType.NS:
      return absolute(record.ns ?? '')
    case recordType.CNAME:
    case recordType.PTR:
      return absolute(record.domain ?? '')
    case recordType.SRV:
      return `${record.priority} ${record.weight} ${record.port} ${absolute(record.target ?? '')}`
    case recordType.MX:
      return `${record.priority} ${absolute(record.exchange ?? '')}`
    case recordType.SOA: {
      const { primary = '', admin = '', serial, refresh, retry, expiration, minimum } = record
      return `${absolute(primary)} ${absolute(admin)} ${serial} ${refresh} ${retry} ${expiration} ${minimum}`
    }
    case recordType.TXT:
      return [record.data ?? []]
        .flat()
        .map((text) => JSON.stringify(text))
        .join(' ')
    case recordType.SVCB:
    case recordType.HTTPS:
      return bindingText(record.data) ?? rawText(record.data)
    default:
      return rawText(record.data)
  }
}

function bindingText(data: unknown): string | undefined {
  return Buffer.isBuffer(data) ? formatServiceBinding(data) : undefined
}

/** RFC 3597 §5: RDATA without a form of its own. */
function rawText(data: unknown): string {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.alloc(0)
  return `\\# ${bytes.length} ${bytes.toString('hex')}`.trimEnd()
}

function absolute(name: string): string {
  return `${octetsToUtf8(name)}.`
}
