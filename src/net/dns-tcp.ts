import { createServer } from 'node:net'
import { bindError, dnsTcp } from './bind-error.ts'
import { DnsConnection, TurnShare } from './dns-tcp-connection.ts'
import type { Server, Socket } from 'node:net'
import type { TcpCounters, TcpLimits } from './dns-tcp-connection.ts'
import type { PacketResponder } from './packet-responder.ts'

export interface TcpOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  readonly responder: PacketResponder
  readonly limits?: Partial<TcpLimits> | undefined
}

const defaultLimits: TcpLimits = {
  connectionsMax: 512,
  idleTimeoutMs: 10_000,
  frameTimeoutMs: 5000,
  drainTimeoutMs: 10_000,
  unreadBytesMax: 256 * 1024,
}

/** How long close() waits for clients to read their last answers. */
const closeGraceMs = 1000

/** Opens the DNS port over TCP. Rejects with `port-in-use` or `bind-failed`. */
export async function listenTcp(options: TcpOptions): Promise<DnsTcpListener> {
  const listener = new DnsTcpListener(options)
  await listener.open()
  return listener
}

export class DnsTcpListener {
  readonly counters: TcpCounters = {
    connections: 0,
    queries: 0,
    displaced: 0,
    timeouts: 0,
    errors: 0,
  }
  readonly #options: TcpOptions
  readonly #limits: TcpLimits
  readonly #server: Server
  readonly #connections = new Set<DnsConnection>()
  readonly #share = new TurnShare()
  #sweep: NodeJS.Timeout | undefined

  constructor(options: TcpOptions) {
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    // Half-open: a client may end its side after its last query and still wait for the answers.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    )
  }

  get port(): number {
    const bound = this.#server.address()
    return typeof bound === 'object' && bound !== null ? bound.port : this.#options.port
  }

  /** Connections open now. */
  get connectionCount(): number {
    return this.#connections.size
  }

  async open(): Promise<void> {
    const { address, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(bindError(dnsTcp, address, port, error)))
      this.#server.listen({ host: address, port, exclusive: true }, resolve)
    })
    this.#server.on('error', () => this.counters.errors++)
    const { idleTimeoutMs, frameTimeoutMs, drainTimeoutMs } = this.#limits
    const sweepMs = Math.min(idleTimeoutMs, frameTimeoutMs, drainTimeoutMs, 4000) / 4
    this.#sweep = setInterval(() => this.#closeLate(), sweepMs).unref()
  }

  /** Takes no more connections or queries, sends the answers in flight, closes. */
  async close(): Promise<void> {
    clearInterval(this.#sweep)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const connection of this.#connections) connection.finish()
    const grace = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy()
    }, closeGraceMs)
    await closed
    clearTimeout(grace)
  }

  #accept(socket: Socket): void {
    this.counters.connections++
    if (this.#connections.size >= this.#limits.connectionsMax) {
      this.counters.displaced++
      const idlest = this.#idlest()
      if (idlest === undefined) {
        socket.destroy()
        return
      }
      this.#connections.delete(idlest)
      idlest.destroy()
    }
    const connection = new DnsConnection(
      socket,
      this.#options.responder,
      this.#limits,
      this.counters,
      this.#share,
    )
    this.#connections.add(connection)
    socket.on('close', () => this.#connections.delete(connection))
  }

  /** The connection that waits longest for a next query, if any does nothing but wait. */
  #idlest(): DnsConnection | undefined {
    let idlest: DnsConnection | undefined
    for (const connection of this.#connections) {
      if (connection.isIdle && connection.deadlineMs < (idlest?.deadlineMs ?? Infinity)) {
        idlest = connection
      }
    }
    return idlest
  }

  #closeLate(): void {
    const now = performance.now()
    for (const connection of this.#connections) {
      if (connection.deadlineMs > now) continue
      this.counters.timeouts++
      connection.destroy()
    }
  }
}
