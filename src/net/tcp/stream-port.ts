import { createServer as createTcpServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { bindError } from '../connections/bind-error.ts'
import { followTls } from '../connections/tls-slots.ts'
import { reasonOf } from '../../base/errors.ts'
import type { Server, Socket } from 'node:net'
import type { Server as TlsServer, TLSSocket } from 'node:tls'
import type { Bound } from '../connections/bind-error.ts'
import type { ConnectionGate } from '../connections/gate.ts'

/** A certificate with those of intermediate authorities, and its key, as PEM texts. */
export interface StreamCertificate {
  readonly cert: string
  readonly key: string
}

export interface StreamTls {
  readonly certificate: StreamCertificate
  /** What clients can choose with ALPN (RFC 7301). A client may leave it out. */
  readonly protocols: readonly string[]
  readonly handshakeTimeoutMs: number
  /** A client whose TLS connection failed. */
  readonly onFault: (address: string, reason: string) => void
}

/** What a port knows of one connection. */
export interface StreamClient {
  /** When it will be closed, on the monotonic clock, unless something happens before. */
  readonly deadlineMs: number
  /** Ends the connection once the answers given so far are sent; takes no more queries. */
  finish(): void
  destroy(): void
}

export interface StreamPortOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  readonly bound: Bound
  /** Admits connections, and closes idle ones to make room. */
  readonly gate: ConnectionGate
  /** Undefined: connections are not encrypted. */
  readonly tls?: StreamTls | undefined
  /** How often deadlines are looked at. */
  readonly sweepMs: number
  readonly nowMs: () => number
  /** Serves a connection. `onQuery` is to be called for each chunk with a whole query in it. */
  readonly serve: (socket: Socket, onQuery: () => void) => StreamClient
}

export interface StreamCounters {
  /** Connections that were let in, over TLS those with a complete handshake. */
  connections: number
  queries: number
  timeouts: number
  /** Connections closed for what they sent, or lost. */
  errors: number
  /** Of `connections` those that resumed a TLS session. */
  resumed: number
}

/** How long close() waits for clients to read their last answers. */
const closeGraceMs = 1000

/** One open port for streams of queries, over TCP or TLS. */
export class StreamPort {
  readonly counters: StreamCounters = {
    connections: 0,
    queries: 0,
    timeouts: 0,
    errors: 0,
    resumed: 0,
  }
  readonly #options: StreamPortOptions
  readonly #server: Server
  readonly #tls: TlsServer | undefined
  readonly #clients = new Set<StreamClient>()
  /** All that are open, those included whose handshake is under way. */
  readonly #sockets = new Set<Socket>()
  #sweep: NodeJS.Timeout | undefined

  constructor(options: StreamPortOptions) {
    this.#options = options
    const { gate, tls } = options
    this.#tls = tls === undefined ? undefined : this.#tlsServer(tls)
    this.#server = this.#tls ?? createTcpServer(serverOptions, (socket) => this.#accept(socket))
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    if (this.#tls !== undefined) followTls(this.#tls, gate)
    gate.guard(this.#server, { isTls: tls !== undefined })
  }

  get port(): number {
    const bound = this.#server.address()
    return typeof bound === 'object' && bound !== null ? bound.port : this.#options.port
  }

  /** Connections open now that have been let in. */
  get connectionCount(): number {
    return this.#clients.size
  }

  /** Rejects with `port-in-use` or `bind-failed`. */
  async open(): Promise<void> {
    const { address, port, bound, sweepMs } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(bindError(bound, address, port, error)))
      this.#server.listen({ host: address, port, exclusive: true }, resolve)
    })
    this.#server.on('error', () => this.counters.errors++)
    this.#sweep = setInterval(() => this.closeLate(), sweepMs).unref()
  }

  /** New connections use this certificate, and open connections stay. Throws OpenSSL's error. */
  use(certificate: StreamCertificate): void {
    this.#tls?.setSecureContext(contextOf(certificate))
  }

  /** Takes no more connections or queries, sends the answers in flight, closes. */
  async close(): Promise<void> {
    clearInterval(this.#sweep)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const client of this.#clients) client.finish()
    const grace = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, closeGraceMs)
    await closed
    clearTimeout(grace)
  }

  /** Closes the connections whose deadline has passed. */
  closeLate(): void {
    const now = this.#options.nowMs()
    for (const client of this.#clients) {
      if (client.deadlineMs > now) continue
      this.counters.timeouts++
      this.#options.gate.timedOut++
      client.destroy()
    }
  }

  #tlsServer({ certificate, protocols, handshakeTimeoutMs, onFault }: StreamTls): TlsServer {
    const server = createTlsServer(
      {
        ...serverOptions,
        ...contextOf(certificate),
        ALPNProtocols: [...protocols],
        handshakeTimeout: handshakeTimeoutMs,
      },
      (socket) => this.#acceptTls(socket),
    )
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      this.counters.errors++
      if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') this.#options.gate.timedOut++
      onFault(socket.remoteAddress ?? '', reasonOf(error))
      // Node leaves a connection open whose handshake takes too long.
      socket.destroy()
    })
    return server
  }

  #acceptTls(socket: TLSSocket): void {
    // It has gone during its handshake.
    if (socket.destroyed) return
    if (socket.isSessionReused()) this.counters.resumed++
    this.#accept(socket)
  }

  #accept(socket: Socket): void {
    this.counters.connections++
    const { gate, serve } = this.#options
    const slot = gate.slotOf(socket)
    const client = serve(socket, () => slot?.touch())
    this.#clients.add(client)
    socket.on('close', () => this.#clients.delete(client))
  }
}

// Half-open: a client may end its side after its last query and still wait for the answers.
const serverOptions = { allowHalfOpen: true, noDelay: true } as const

/** RFC 8310 §7 and RFC 9325 §3.1.1: not below TLS 1.2. */
function contextOf({ cert, key }: StreamCertificate) {
  return { cert, key, minVersion: 'TLSv1.2' } as const
}
