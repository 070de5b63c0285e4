import { createServer } from 'node:net'
import type { IpPrefixes } from '../../base/ip-prefixes.ts'
import { bindError, dnsTcp } from '../connections/bind-error.ts'
import { DnsConnection, TurnShare } from './dns-tcp-connection.ts'
import type { Server, Socket } from 'node:net'
import type { ConnectionGate } from '../connections/gate.ts'
import type { TcpCounters, TcpLimits } from './dns-tcp-connection.ts'
import type { PacketResponder } from '../packet-responder.ts'

export interface TcpOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  readonly responder: PacketResponder
  /** Admits connections, and closes idle ones to make room. */
  readonly gate: ConnectionGate
  readonly limits?: Partial<TcpLimits> | undefined
  /** The clients whose queries for outside names are passed on; absent: none. */
  readonly recursion?: IpPrefixes | undefined
}

const defaultLimits: TcpLimits = {
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
    options.gate.guard(this.#server)
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
    const { responder, gate, recursion } = this.#options
    const slot = gate.slotOf(socket)
    const connection = new DnsConnection(socket, {
      responder,
      limits: this.#limits,
      counters: this.counters,
      share: this.#share,
      onQuery: () => slot?.touch(),
      recursion,
    })
    this.#connections.add(connection)
    socket.on('close', () => this.#connections.delete(connection))
  }

  #closeLate(): void {
    const now = performance.now()
    for (const connection of this.#connections) {
      if (connection.deadlineMs > now) continue
      this.counters.timeouts++
      this.#options.gate.timedOut++
      connection.destroy()
    }
  }
}
