import { constants } from 'node:crypto'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { Socket } from 'node:net'
import type { HttpApi } from './http-api.ts'
import {
  closed,
  guard,
  listening,
  orBindError,
  portOf,
  serverOptionsOf,
  stallMsDefault,
  turnsFor,
  withClientErrors,
} from './listeners.ts'
import type { HttpListenOptions } from './listeners.ts'
import { reasonOf, svcdError } from '../base/errors.ts'
import type { BoundAddress } from '../base/host-port.ts'
import { connectionEndings } from '../http/connection-endings.ts'
import { responseOf } from '../http/client-error.ts'
import { https } from '../net/connections/bind-error.ts'
import { atFirstByte } from '../net/connections/first-byte.ts'
import { followTls } from '../net/connections/tls-slots.ts'

/** PEM texts. */
export interface HttpsTls {
  readonly cert: string
  readonly key: string
  /** Who signs the certificates that clients must show; undefined: they need none. */
  readonly ca: string | undefined
}

export interface HttpsListenOptions extends HttpListenOptions {
  readonly tls: HttpsTls
  readonly handshakeTimeoutMs: number
  /** A client whose TLS connection failed. */
  readonly onFault: (address: string, reason: string) => void
  /** Takes what is to be closed with the API. */
  readonly closing: Closing
}

/** The open HTTPS port. */
export interface HttpsPort {
  readonly endpoints: readonly BoundAddress[]
  /** New connections use these certificates, and open connections stay. Throws OpenSSL's error. */
  readonly use: (tls: HttpsTls) => void
}

export type Closing = (close: () => Promise<void>) => void

/** To be called before the API listens. The API then closes everything that is passed to the returned function. */
export function closingWith(api: HttpApi): Closing {
  const closes: (() => Promise<void>)[] = []
  api.addHook('preClose', async () => {
    await Promise.all(closes.map((close) => close()))
  })
  return (close) => void closes.push(close)
}

/** Opens the HTTPS port on every address. Rejects with `port-in-use` or `bind-failed`. */
export async function listenHttps(api: HttpApi, options: HttpsListenOptions): Promise<HttpsPort> {
  const { addresses, port, gate, headerTimeoutMs, stallMs = stallMsDefault } = options
  const { turns = turnsFor(gate) } = options
  const servers: Server[] = []
  const endpoints: BoundAddress[] = []
  await api.ready()
  for (const address of addresses) {
    const server = serverFor(api, options)
    const end = connectionEndings(server)
    guard(server, gate, { headerTimeoutMs, stallMs, turns, isTls: true })
    const [first] = servers
    // With port 0 the first address chose the port for all.
    const same = port === 0 && first !== undefined ? portOf(first) : port
    await orBindError(address, same, () => listening(server, address, same), https)
    options.closing(() => closed(server, end))
    servers.push(server)
    endpoints.push({ address, port: portOf(server) })
  }
  return {
    endpoints,
    use: (tls) => {
      for (const server of servers) server.setSecureContext(contextOf(tls))
    },
  }
}

function contextOf({ cert, key, ca }: HttpsTls) {
  const own = { cert, key, minVersion: 'TLSv1.2' } as const
  // When a session is resumed, OpenSSL does not look at the client's certificate again, which may have expired.
  return ca === undefined ? own : { ...own, ca, secureOptions: constants.SSL_OP_NO_TICKET }
}

function serverFor(api: HttpApi, options: HttpsListenOptions): Server {
  const { tls, gate, handshakeTimeoutMs, onFault } = options
  const verification = { requestCert: tls.ca !== undefined, rejectUnauthorized: true }
  const server = createServer(
    {
      ...serverOptionsOf(api),
      ...contextOf(tls),
      ...verification,
      handshakeTimeout: handshakeTimeoutMs,
    },
    (request, response) => api.routing(request, response),
  )
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    onFault(socket.remoteAddress ?? '', reasonOf(error))
    if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') gate.timedOut++
  })
  lookFirst(server, options)
  followTls(server, gate)
  return withClientErrors(api, server)
}

/** A client that sends HTTP without TLS is told so in HTTP, as Go's servers do it. */
function lookFirst(
  server: Server,
  { gate, handshakeTimeoutMs, onFault }: HttpsListenOptions,
): void {
  const listeners = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    atFirstByte(socket, {
      timeoutMs: handshakeTimeoutMs,
      onTls: () => {
        for (const listener of listeners) listener.call(server, socket)
      },
      onOther: () => {
        onFault(socket.remoteAddress ?? '', 'the client does not speak TLS')
        answerPlain(socket)
      },
      onLate: () => {
        gate.timedOut++
        socket.destroy()
      },
    })
  })
}

const plainAnswer = responseOf(svcdError('plain-http', {}))
/** Closing over an unread request would reset the connection, and the answer with it (RFC 9112 §9.6). */
const lingerMs = 500

function answerPlain(socket: Socket): void {
  socket.on('error', () => {})
  socket.end(plainAnswer)
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}
