import { hostPort } from '../base/host-port.ts'
import { ConnectionBudget } from '../net/connections/budget.ts'
import type { PortBudget } from '../net/connections/budget.ts'
import { ConnectionGate } from '../net/connections/gate.ts'
import type { GateFigures } from '../net/connections/gate.ts'
import { decodeMessage, encodeMessage, isRaftFrame } from './codec.ts'
import { frameBytesMax } from './frame.ts'
import { defaultPeerLimits } from './limits.ts'
import { PeerLinks } from './links.ts'
import { listenForPeers } from './listener.ts'
import type { PeerPort } from './listener.ts'
import { PeerNotices } from '../process/peer-notices.ts'
import { PeerSessions } from './sessions.ts'
import { PeerSnapshots } from './snapshots/transfers.ts'
import type { Message } from '../raft/message.ts'
import type { NodeId } from '../raft/entry.ts'
import type { Transport } from '../raft/driver.ts'
import type { PeerLimits } from './limits.ts'
import type { PeerTarget } from './links.ts'
import type { PeerCounters, PeerStatus, PeerTlsFigures, PeerTransportOptions } from './options.ts'
import type { PeerTls } from './tls.ts'
import type { PeerSession } from './session.ts'
import type { MovedPeer } from './way.ts'

/** Opens the port of the servers. Rejects with `port-in-use` or `bind-failed`. */
export async function openPeerTransport(options: PeerTransportOptions): Promise<PeerTransport> {
  const transport = new PeerTransport(options)
  await transport.open()
  return transport
}

/**
 * Raft messages and requests between the servers. Each dials all others and sends over the
 * connection that it dialled. It sends over a connection that it accepted only while it has no other.
 * So two servers that dial at the same time need no rule of precedence, and a server that is in no
 * configuration yet can still answer.
 */
export class PeerTransport implements Transport {
  readonly counters: PeerCounters = {
    messagesSent: 0,
    messagesReceived: 0,
    messagesDropped: 0,
    messagesForeign: 0,
    framesUnknown: 0,
    faults: 0,
    refusals: 0,
  }
  readonly #options: PeerTransportOptions
  readonly #limits: PeerLimits
  readonly #notices: PeerNotices
  readonly #gate: ConnectionGate
  readonly #sessions: PeerSessions
  readonly #links: PeerLinks
  readonly #snapshots: PeerSnapshots
  readonly #heardMs = new Map<NodeId, number>()
  readonly #unreachable = new Set<NodeId>()
  #port: PeerPort | undefined
  #tls: PeerTls | undefined
  #sweep: NodeJS.Timeout | undefined
  #hasWork = false
  #isClosed = false

  constructor(options: PeerTransportOptions) {
    this.#options = options
    this.#tls = options.tls
    this.#limits = { ...defaultPeerLimits, ...options.limits }
    this.#notices = new PeerNotices(options.logger, options.clock)
    this.#gate = new ConnectionGate({
      what: 'server',
      budget: portBudget(this.#limits),
      // A limit of its own: a client that floods the port must not silence the log lines about
      // servers.
      notices: new PeerNotices(options.logger, options.clock),
    })
    this.#sessions = this.#makeSessions()
    this.#links = new PeerLinks({
      self: options.self.id,
      address: () => this.address,
      limits: this.#limits,
      random: options.random,
      clock: options.clock,
      dial: (address, id) => this.#sessions.dial(address, id, 'messages'),
      isClosed: () => this.#isClosed,
    })
    this.#snapshots = new PeerSnapshots({
      limits: this.#limits,
      files: options.snapshots,
      self: options.self.id,
      notices: this.#notices,
      dial: (id) => this.#dialForSnapshot(id),
      onReceived: (request) => {
        if (this.#isClosed) return
        this.counters.messagesReceived++
        options.onMessage(request)
        options.onTurnEnd?.()
      },
      onSent: options.onSnapshotSent,
    })
  }

  async open(): Promise<void> {
    const { listen } = this.#options
    this.#port = await listenForPeers(listen, this.#tls, this.#limits, this.#gate, {
      onSocket: (socket, slot) => this.#sessions.accept(socket, slot),
      onError: (address, reason) => {
        this.counters.refusals++
        const host = address.replace(/:\d+$/, '')
        this.#notices.warn(host, 'tls', { address, reason }, `peer ${address}: ${reason}`)
      },
    })
    this.#sweep = setInterval(() => {
      this.#sessions.sweep()
      this.#sessions.renewStale()
      this.#links.closeIdle()
    }, this.#limits.sweepMs)
  }

  /** The connections that others have opened. */
  get connections(): GateFigures {
    return this.#gate.figures
  }

  get tlsFigures(): PeerTlsFigures {
    const tls = this.#tls
    const mode = tls === undefined ? 'off' : tls.isPermissive === true ? 'permissive' : 'strict'
    return { mode, ...this.#sessions.counts }
  }

  /** For connections from now on. Where TLS is required then, those without it are ended. */
  useTls(tls: PeerTls): void {
    if (this.#tls === undefined) return
    this.#port?.useTls(tls)
    this.#tls = tls
    if (tls.isPermissive !== true) this.#sessions.endPlain()
  }

  get port(): number {
    const bound = this.#port?.server.address()
    return typeof bound === 'object' && bound !== null ? bound.port : this.#options.listen.port
  }

  /** Where others dial this server. */
  get address(): string {
    const { self, listen } = this.#options
    const host = self.host ?? listen.address
    return self.address ?? hostPort(host, this.port)
  }

  /** Neither blocks nor throws. All that can be sent is with the kernel when it returns. */
  send(messages: readonly Message[]): void {
    const touched = new Set<PeerSession>()
    for (const message of messages) {
      if (message.from !== this.#options.self.id) {
        this.counters.messagesForeign++
      } else if (message.type === 'snapshot-request') {
        this.#snapshots.send(message)
      } else {
        const session = this.#sessionTo(message.to, true)
        if (session !== undefined && this.#write(session, message)) touched.add(session)
        else this.#drop(message.to)
      }
    }
    for (const session of touched) session.connection.flush()
  }

  /** The servers to connect to; its own id is skipped. Called again whenever they change. */
  setPeers(peers: ReadonlyMap<NodeId, string>): void {
    this.#links.setPeers(peers)
    // A server may have said where it is before its configuration was known here.
    for (const session of this.#sessions.open()) this.#hear(session)
    this.#sessions.renewStale()
  }

  /** Peers that are reached at another address than {@link setPeers} has named. */
  get moved(): readonly MovedPeer[] {
    return this.#links.moved
  }

  /** Where peers are reached. */
  get places(): Readonly<Record<NodeId, string>> {
    return this.#links.places
  }

  /** Another server says where a peer is. */
  toldAt(id: NodeId, address: string, isProven: boolean): void {
    this.#links.toldAt(id, address, isProven)
  }

  /** The servers at an address now, according to the greetings of the connected ones. */
  idsAt(address: string): readonly NodeId[] {
    const there = [...this.#sessions.open()].filter(({ peer }) => peer?.address === address)
    const own = address === this.address ? [this.#options.self.id] : []
    return [...new Set([...own, ...there.map(({ peer }) => peer?.id ?? '')])]
  }

  /**
   * Sends a request to another server. A server named by its id must be connected, or an attempt to connect
   * must be under way. An address may be that of any server. Rejects with `peer-unreachable`, `peer-refuses-connection` or `peer-is-self` (nothing
   * was sent), `peer-lost` or `peer-timeout` (it may have been done), `busy`, or with what the other side rejected with.
   */
  async request(
    target: PeerTarget,
    kind: string,
    body: Buffer,
    timeoutMs: number,
  ): Promise<Buffer> {
    const beganMs = this.#options.clock.monotonicMs()
    const found = 'id' in target ? this.#sessionTo(target.id, false) : undefined
    const session = found ?? (await this.#links.connected(target, timeoutMs))
    const leftMs = timeoutMs - (this.#options.clock.monotonicMs() - beganMs)
    return session.rpc.request(kind, body, Math.max(leftMs, 1))
  }

  peers(): PeerStatus[] {
    const nowMs = this.#options.clock.monotonicMs()
    return [...new Set([...this.#links.ids, ...this.#sessions.ids])].toSorted().map((id) => {
      const link = this.#links.to(id)
      const session = this.#sessionTo(id, false)
      const heardMs = this.#heardMs.get(id)
      return {
        id,
        address: link?.address ?? session?.peer?.address ?? '',
        name: session?.peer?.name,
        features: session?.agreement?.features,
        isConnected: session?.isMember === true,
        queuedBytes: session?.connection.queuedBytes ?? 0,
        silentMs: heardMs === undefined ? undefined : nowMs - heardMs,
        lastError: link?.lastError,
      }
    })
  }

  /** Addresses of servers of a cluster that have dialled this one by its id: it is a member there. */
  invitedBy(): readonly string[] {
    return this.#sessions.invitedBy()
  }

  /** The greeting of this server has changed. */
  renew(): void {
    this.#sessions.renewStale()
  }

  /** Closes the port and all connections, after what was written is sent. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#sweep)
    const server = this.#port?.server
    const closed = new Promise<void>((resolve) => {
      if (server === undefined) resolve()
      else server.close(() => resolve())
    })
    const gone = this.#snapshots.close()
    const reason = 'this server is stopping'
    this.#links.close(reason)
    await Promise.all([closed, gone, this.#sessions.close(reason)])
  }

  #makeSessions(): PeerSessions {
    const { onHeard, onTurnEnd, onRequest, clock } = this.#options
    return new PeerSessions({
      options: this.#options,
      tls: () => this.#tls,
      limits: this.#limits,
      notices: this.#notices,
      counters: this.counters,
      address: () => this.address,
      isClosed: () => this.#isClosed,
      isPeer: (id) => this.#links.to(id) !== undefined,
      onTimeout: () => this.#gate.timedOut++,
      serve: (session, kind, body) => {
        this.#hasWork = true
        const { id, name, address } = session.peer ?? { id: '', name: '', address: '' }
        const { isMember, isAuthentic } = session
        return onRequest({ id, name, address, isMember, isAuthentic }, kind, body)
      },
      onFrame: (session, type, body) => this.#onFrame(session, type, body),
      onReadEnd: (session) => {
        const id = session.peer?.id ?? ''
        this.#heardMs.set(id, clock.monotonicMs())
        onHeard(id)
        if (!this.#hasWork) return
        this.#hasWork = false
        onTurnEnd?.()
      },
      onConnected: (session) => {
        this.#hear(session)
        // A server that dials us is there: no need to wait for the next attempt.
        this.#links.to(session.peer?.id ?? '')?.dial()
      },
      onDisconnected: (id) => {
        // Anybody may come with any id; only those of the configuration are remembered.
        if (this.#links.to(id) === undefined) this.#heardMs.delete(id)
      },
      onSnapshot: (session) => this.#snapshots.accept(session),
    })
  }

  #hear({ peer, isMember, isAuthentic }: PeerSession): void {
    if (isMember && peer !== undefined) this.#links.heardAt(peer.id, peer.address, isAuthentic)
  }

  /** Its own connection first; one for Raft messages must be of the same cluster. */
  #sessionTo(id: NodeId, forRaft: boolean): PeerSession | undefined {
    const dialled = this.#links.to(id)?.session
    if (dialled !== undefined && (!forRaft || dialled.isMember)) return dialled
    return this.#sessions.with(id, forRaft)
  }

  async #dialForSnapshot(id: NodeId): Promise<PeerSession> {
    const address = this.#links.to(id)?.address ?? this.#sessionTo(id, true)?.peer?.address
    const session = address === undefined ? undefined : this.#sessions.dial(address, id, 'snapshot')
    if (session === undefined) throw new Error('its address is unknown')
    try {
      await new Promise<void>((resolve, reject) => {
        session.onOpened = resolve
        session.onClosed = (reason) => reject(new Error(reason))
      })
    } catch (error) {
      if (session.fallsBack && !this.#isClosed) return this.#dialForSnapshot(id)
      throw error
    }
    return session
  }

  #write(session: PeerSession, message: Message): boolean {
    const frame = encodeMessage(message, session.connection.version)
    if (frame.length > frameBytesMax) {
      const text = `cannot send a ${message.type} of ${frame.length} bytes to ${session.name}: the limit is ${frameBytesMax}`
      this.#options.logger.error({ peer: message.to }, text)
      return false
    }
    const isWritten = session.connection.write(frame)
    if (isWritten) this.counters.messagesSent++
    return isWritten
  }

  #drop(id: NodeId): void {
    this.counters.messagesDropped++
    // Later: the core that is sending just now must not be told in the middle of it.
    if (this.#unreachable.size === 0) setImmediate(() => this.#reportUnreachable())
    this.#unreachable.add(id)
  }

  #reportUnreachable(): void {
    const ids = [...this.#unreachable]
    this.#unreachable.clear()
    if (this.#isClosed) return
    for (const id of ids) this.#options.onUnreachable(id)
  }

  #onFrame(session: PeerSession, type: number, body: Buffer): void {
    if (session.onStreamFrame !== undefined) {
      session.onStreamFrame(type, body)
    } else if (!isRaftFrame(type)) {
      this.counters.framesUnknown++
    } else if (!session.isMember) {
      this.counters.messagesForeign++
    } else {
      const from = session.peer?.id ?? ''
      const message = decodeMessage(type, body, { from, to: this.#options.self.id })
      if (message === undefined) return session.fail('a damaged Raft message')
      this.counters.messagesReceived++
      this.#hasWork = true
      this.#options.onMessage(message)
    }
  }
}

function portBudget({ inboundMax, greetingsMax, perAddressMax }: PeerLimits): PortBudget {
  return new ConnectionBudget(inboundMax).port({
    openMax: inboundMax,
    idleMax: greetingsMax,
    perAddressMax,
    perLocalAddressMax: perAddressMax,
    atAddressMax: 'displace',
  })
}
