import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:tls'
import { once } from 'node:events'
import { listenDnsHttps } from '../../src/net/https/dns-https.ts'
import { listenTcp } from '../../src/net/tcp/dns-tcp.ts'
import { authority, leaf } from '../helpers/certificates.ts'
import { openGate } from '../helpers/open-gate.ts'
import { Bench } from '../dns/fixture.ts'
import type { EventEmitter } from 'node:events'
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { Test } from 'tap'
import type { HttpsOptions } from '../../src/net/https/dns-https.ts'
import type { StreamPort } from '../../src/net/tcp/stream-port.ts'

export const ca = authority()
export const certificate = leaf(ca)

export interface HttpReply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

/** A registry with a service `web` of some instances. */
export function bench(instances = 2): Bench {
  const bench = new Bench()
  bench.registry.addNode('n1', '127.0.0.1')
  for (let n = 1; n <= instances; n++) {
    bench.registry.add('web', { node: `n${n}`, at: `10.9.${n >> 8}.${n & 255}`, port: 8080 })
  }
  return bench
}

/** A port with what a test changes of it, and what it says of failed handshakes. */
export async function encryptedPort(
  t: Test,
  kind: 'tls' | 'https',
  options: Partial<HttpsOptions> = {},
): Promise<{ readonly port: StreamPort; readonly faults: string[] }> {
  const faults: string[] = []
  const listen = kind === 'tls' ? listenTcp : listenDnsHttps
  const port = await listen({
    address: '127.0.0.1',
    port: 0,
    responder: bench().responder,
    gate: openGate(),
    tls: {
      certificate,
      handshakeTimeoutMs: 5000,
      onFault: (_address, reason) => faults.push(reason),
    },
    ...options,
  })
  t.teardown(() => port.close())
  return { port, faults }
}

/** A client's side of a connection over TLS, once its handshake is complete. */
export async function openTls(
  t: Test,
  port: number,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const server = { host: '127.0.0.1', port, servername: 'localhost', ca: ca.cert }
  const socket = connect({ ...server, ...options })
  t.teardown(() => socket.destroy())
  await once(socket, 'secureConnect')
  // A test ends by waiting for 'close'; a reset is as good an end.
  socket.on('error', () => {})
  return socket
}

/** A client's side of a connection with HTTP/2. */
export async function openHttp2(t: Test, port: number): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://localhost:${port}`, { ca: ca.cert })
  session.on('error', () => {})
  t.teardown(() => session.destroy())
  await once(session, 'connect')
  return session
}

export async function askHttp2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: Uint8Array,
): Promise<HttpReply> {
  const stream = session.request(
    { ':path': '/dns-query', ...headers },
    { endStream: body === undefined },
  )
  if (body !== undefined) stream.end(body)
  const responded = once(stream, 'response')
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [found] = (await responded) as [Record<string, unknown>]
  if (!stream.readableEnded) await once(stream, 'end')
  return { status: Number(found[':status']), headers: found, body: Buffer.concat(chunks) }
}

/** Resolves when a connection is gone; a reset is as good an end. */
export function closed(socket: EventEmitter): Promise<void> {
  socket.on('error', () => {})
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}
