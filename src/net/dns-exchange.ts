import { request } from 'node:https'
import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Socket } from 'node:net'

/** How a query is sent that does not go over UDP. */
export type StreamKind = 'tcp' | 'tls' | 'https'

export interface StreamServer {
  readonly address: string
  readonly port: number
}

/** Whom a client over TLS trusts. */
export interface DnsTrust {
  /** PEM texts of authorities; undefined: those of the system. */
  readonly ca?: string | undefined
  /** The name in the server's certificate; undefined: its address. */
  readonly serverName?: string | undefined
  /** Any certificate will do. */
  readonly isUnverified?: boolean | undefined
}

/** Sends one query to a server over a connection of its own. Resolves with the message that comes back. */
export function exchange(
  kind: StreamKind,
  server: StreamServer,
  query: Buffer,
  timeoutMs: number,
  trust: DnsTrust = {},
): Promise<Buffer> {
  if (kind === 'https') return exchangeHttps(server, query, timeoutMs, trust)
  const { address: host, port } = server
  const socket =
    kind === 'tcp'
      ? connect({ host, port })
      : connectTls({ host, port, ALPNProtocols: ['dot'], ...tlsOf(server, trust) })
  return exchangeFramed(socket, query, timeoutMs)
}

async function exchangeFramed(socket: Socket, query: Buffer, timeoutMs: number): Promise<Buffer> {
  const timer = setTimeout(() => socket.destroy(late(timeoutMs)), timeoutMs)
  try {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    socket.write(Buffer.concat([length, query]))
    let received = Buffer.alloc(0)
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) continue
      return received.subarray(2, 2 + received.readUInt16BE(0))
    }
    throw new Error('the server closed the connection without an answer')
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/** RFC 8484 §4.1, with POST. */
function exchangeHttps(
  server: StreamServer,
  query: Buffer,
  timeoutMs: number,
  trust: DnsTrust,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: server.address,
      port: server.port,
      method: 'POST',
      path: '/dns-query',
      headers: { 'content-type': 'application/dns-message', 'content-length': query.length },
      signal: AbortSignal.timeout(timeoutMs),
      agent: false,
      ...tlsOf(server, trust),
    })
    sent.on('error', (error) => reject(error.name === 'TimeoutError' ? late(timeoutMs) : error))
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks))
        else reject(new Error(`the server answered with HTTP status ${response.statusCode}`))
      })
    })
    sent.end(query)
  })
}

function late(timeoutMs: number): Error {
  return new Error(`no answer within ${timeoutMs} ms`)
}

function tlsOf({ address }: StreamServer, { ca, serverName, isUnverified }: DnsTrust) {
  const name = serverName ?? address
  return {
    ...(ca === undefined ? {} : { ca }),
    // RFC 6066 §3: an address is not a name that a client may send.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    rejectUnauthorized: isUnverified !== true,
  }
}
