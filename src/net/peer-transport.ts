import { randomInt } from 'node:crypto'
import { connect } from 'node:net'
import { svcdError } from '../base/errors.ts'
import { decodeMessage, encodeMessage, isRaftFrame } from './peer-codec.ts'
import { dialAddress } from './peer-address.ts'
import { frameBytesMax } from './peer-frame.ts'
import { describePeer, printable } from './peer-hello.ts'
import { defaultPeerLimits } from './peer-limits.ts'
import { PeerLink } from './peer-link.ts'
import { listenForPeers, remoteAddress } from './peer-listener.ts'
import { PeerNotices } from './peer-notices.ts'
import { PeerSession } from './peer-session.ts'
import { PeerSnapshots } from './peer-snapshots.ts'
import { dialMutualTls } from './peer-tls.ts'
import type { Server, Socket } from 'node:net'
import type { Message } from '../raft/message.ts'
import type { NodeId } from '../raft/entry.ts'
import type { Transport } from '../raft/driver.ts'
import type { Hello, Purpose } from './peer-hello.ts'
import type { PeerLimits } from './peer-limits.ts'
import type { PeerCounters, PeerStatus, PeerTransportOptions } from './peer-options.ts'
import type { SessionContext } from './peer-session.ts'

/** Opens the port of the servers. Rejects with `port-in-use` or `bind-failed`. */
export async function openPeerTransport(options: PeerTransportOptions): Promise<PeerTransport> {
  const transport = new PeerTransport(options)
  await transport.open()
  return transport
}

/**
 * The connections between the servers. Each dials all others and sends over the connection that it
 * dialled; over one that it accepted only while it has none of its own. So no rule of precedence is
 * needed when two dial at once, and a server that is in no configuration yet can still answer.
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
  readonly #context: SessionContext
  readonly #snapshots: PeerSnapshots
  readonly #instance = randomInt(2 ** 47)
  readonly #sessions = new Set<PeerSession>()
  /** Greeted, for messages, by the id at the other end. */
  readonly #open = new Map<NodeId, Set<PeerSession>>()
  readonly #links = new Map<NodeId, PeerLink>()
  readonly #addressLinks = new Map<string, { link: PeerLink; usedMs: number }>()
  readonly #heardMs = new Map<NodeId, number>()
  readonly #unreachable = new Set<NodeId>()
  #server: Server | undefined
  #sweep: NodeJS.Timeout | undefined
  #hasWork = false
  #isClosed = false

  constructor(options: PeerTransportOptions) {
    this.#options = options
    this.#limits = { ...defaultPeerLimits, ...options.limits }
    this.#notices = new PeerNotices(options.logger, options.clock)
    this.#context = this.#makeContext()
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
    this.#server = await listenForPeers(this.#options.listen, this.#options.tls, this.#limits, {
      onSocket: (socket) => this.#accept(socket),
      onError: (address, reason) => {
        this.counters.refusals++
        const host = address.replace(/:\d+$/, '')
        this.#notices.warn(host, 'tls', { address, reason }, `peer ${address}: ${reason}`)
      },
    })
    this.#sweep = setInterval(() => this.#lookAfter(), this.#limits.sweepMs)
  }

  get port(): number {
    const bound = this.#server?.address()
    return typeof bound === 'object' && bound !== null ? bound.port : this.#options.listen.port
  }

  /** Where others dial this server. */
  get address(): string {
    return this.#options.self.address ?? `${this.#options.listen.address}:${this.port}`
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

  /** Whom to be connected with; its own id is passed over. Called again whenever that changes. */
  setPeers(peers: ReadonlyMap<NodeId, string>): void {
    for (const [id, link] of this.#links) {
      if (peers.get(id) === link.address) continue
      this.#links.delete(id)
      link.close('it is no longer dialled here')
    }
    this.#renewStale()
    if (this.#isClosed) return
    for (const [id, address] of peers) {
      if (id === this.#options.self.id || this.#links.has(id)) continue
      this.#links.set(id, this.#link(address, id, true))
    }
  }

  /**
   * Asks another server: by its id one that is connected, or that a connection attempt is under way to;
   * by its address any. Rejects with `peer-unreachable` (nothing was sent), `peer-is-self`, `peer-lost` or
   * `peer-timeout` (it may have been done), `busy`, or with what the other side rejected with.
   */
  async request(
    target: { readonly id: NodeId } | { readonly address: string },
    kind: string,
    body: Buffer,
    timeoutMs: number,
  ): Promise<Buffer> {
    const beganMs = this.#options.clock.monotonicMs()
    const found = 'id' in target ? this.#sessionTo(target.id, false) : undefined
    const session = found ?? (await this.#connected(target, timeoutMs))
    const leftMs = timeoutMs - (this.#options.clock.monotonicMs() - beganMs)
    return session.rpc.request(kind, body, Math.max(leftMs, 1))
  }

  peers(): PeerStatus[] {
    const nowMs = this.#options.clock.monotonicMs()
    return [...new Set([...this.#links.keys(), ...this.#open.keys()])].toSorted().map((id) => {
      const link = this.#links.get(id)
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
    const found = new Set<string>()
    for (const { isOpen, peer } of this.#sessions) {
      const isInvitation = peer?.clusterId !== undefined && peer.to === this.#options.self.id
      if (isOpen && isInvitation) found.add(peer.address)
    }
    return [...found]
  }

  /** Closes the port and all connections, after what was written is sent. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#sweep)
    const server = this.#server
    const closed = new Promise<void>((resolve) => {
      if (server === undefined) resolve()
      else server.close(() => resolve())
    })
    const gone = this.#snapshots.close()
    for (const link of this.#links.values()) link.close('this server is stopping')
    for (const { link } of this.#addressLinks.values()) link.close('this server is stopping')
    for (const session of this.#sessions) session.connection.part('this server is stopping')
    await Promise.all([closed, gone, ...[...this.#sessions].map((session) => session.closed)])
  }

  #makeContext(): SessionContext {
    const { onHeard, onTurnEnd, onRequest, clock } = this.#options
    return {
      limits: this.#limits,
      hasTls: this.#options.tls !== undefined,
      hello: (purpose, to) => this.#hello(purpose, to),
      serve: (session, kind, body) => {
        this.#hasWork = true
        const { id, name, address } = session.peer ?? { id: '', name: '', address: '' }
        return onRequest({ id, name, address, isMember: session.isMember }, kind, body)
      },
      onOpen: (session) => this.#onOpen(session),
      onFrame: (session, type, body) => this.#onFrame(session, type, body),
      onReadEnd: (session) => {
        const id = session.peer?.id ?? ''
        this.#heardMs.set(id, clock.monotonicMs())
        onHeard(id)
        if (!this.#hasWork) return
        this.#hasWork = false
        onTurnEnd?.()
      },
      onRefused: (session, refusal, by) => this.#onRefused(session, refusal, by),
      onFault: (session, reason) => {
        this.counters.faults++
        const text = `peer ${session.name} is cut off: ${printable(reason)}`
        this.#notices.warn(session.name, reason, { peer: session.peer?.id }, text)
      },
      onClose: (session, reason) => this.#onClose(session, reason),
    }
  }

  #hello(purpose: Purpose, to: NodeId | undefined): Hello {
    const { self, protocol, features, clusterId, epoch } = this.#options
    return {
      protocolMin: protocol.min,
      protocolMax: protocol.max,
      purpose,
      epoch: epoch(),
      features: features ?? 0,
      instance: this.#instance,
      clusterId: clusterId(),
      id: self.id,
      name: self.name,
      address: this.address,
      to,
    }
  }

  #accept(socket: Socket): void {
    let greeting = 0
    for (const session of this.#sessions) {
      if (session.role === 'accept' && session.peer === undefined) greeting++
    }
    if (greeting >= this.#limits.greetingsMax || this.#isClosed) {
      this.counters.refusals++
      socket.destroy()
      return
    }
    const address = remoteAddress(socket)
    this.#add(socket, { role: 'accept', address, purpose: 'messages', to: undefined })
  }

  #add(socket: Socket, options: ConstructorParameters<typeof PeerSession>[2]): PeerSession {
    const session = new PeerSession(socket, this.#context, options)
    this.#sessions.add(session)
    return session
  }

  #dial(address: string, to: NodeId | undefined, purpose: Purpose): PeerSession | undefined {
    const target = dialAddress(address)
    if (target === undefined) return undefined
    const { tls } = this.#options
    const { host, port } = target
    const socket = tls === undefined ? connect({ host, port }) : dialMutualTls(tls, host, port)
    return this.#add(socket, { role: 'dial', address, purpose, to })
  }

  #link(address: string, id: NodeId | undefined, keep: boolean): PeerLink {
    return new PeerLink({
      address,
      id,
      keep,
      limits: this.#limits,
      random: this.#options.random,
      clock: this.#options.clock,
      dial: (address, id) => this.#dial(address, id, 'messages'),
    })
  }

  /** Its own connection first; one for Raft messages must be of the same cluster. */
  #sessionTo(id: NodeId, forRaft: boolean): PeerSession | undefined {
    const dialled = this.#links.get(id)?.session
    if (dialled !== undefined && (!forRaft || dialled.isMember)) return dialled
    let found: PeerSession | undefined
    for (const session of this.#open.get(id) ?? []) {
      if (forRaft ? session.isMember : session.isOpen) found = session
    }
    return found
  }

  async #connected(
    target: { readonly id: NodeId } | { readonly address: string },
    timeoutMs: number,
  ): Promise<PeerSession> {
    const link = 'id' in target ? this.#links.get(target.id) : this.#addressLink(target.address)
    const peer = 'id' in target ? target.id : target.address
    if (link === undefined || this.#isClosed) {
      const reason = this.#isClosed ? 'this server is stopping' : 'it is not among the servers here'
      throw svcdError('peer-unreachable', { peer, reason })
    }
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const reason = `no connection within ${timeoutMs} ms`
        reject(svcdError('peer-unreachable', { peer, reason }))
      }, timeoutMs)
    })
    try {
      return await Promise.race([link.ready(), late])
    } finally {
      clearTimeout(timer)
    }
  }

  #addressLink(address: string): PeerLink {
    const usedMs = this.#options.clock.monotonicMs()
    const link = this.#addressLinks.get(address)?.link ?? this.#link(address, undefined, false)
    this.#addressLinks.set(address, { link, usedMs })
    return link
  }

  async #dialForSnapshot(id: NodeId): Promise<PeerSession> {
    const address = this.#links.get(id)?.address ?? this.#sessionTo(id, true)?.peer?.address
    const session = address === undefined ? undefined : this.#dial(address, id, 'snapshot')
    if (session === undefined) throw new Error('its address is not known')
    await new Promise<void>((resolve, reject) => {
      session.onOpened = resolve
      session.onClosed = (reason) => reject(new Error(reason))
    })
    return session
  }

  #write(session: PeerSession, message: Message): boolean {
    const frame = encodeMessage(message, session.connection.version)
    if (frame.length > frameBytesMax) {
      const text = `a ${message.type} of ${frame.length} bytes cannot be sent to ${session.name}`
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

  #onOpen(session: PeerSession): void {
    const { peer } = session
    if (peer === undefined) return
    if (session.purpose === 'snapshot') return
    if (session.role === 'accept' && peer.purpose === 'snapshot') {
      this.#snapshots.accept(session)
      return
    }
    const open = this.#open.get(peer.id) ?? new Set()
    this.#open.set(peer.id, open)
    let isAnew = false
    for (const other of open) {
      if (other.peer?.instance === peer.instance) continue
      // Its process ended without a word; or another one has the same data directory.
      other.connection.destroy('another process with this id has connected')
      isAnew = true
      if (other.peer === undefined || other.peer.address === peer.address) continue
      const text = `${describePeer(peer)} takes the place of ${describePeer(other.peer)}: it has moved, or two servers have one id`
      this.#notices.warn(peer.id, 'two places', { peer: peer.id }, text)
    }
    open.add(session)
    if (isAnew) this.#options.onConnectionLost(peer.id)
    const text = `connected with ${describePeer(peer)}`
    this.#notices.info(
      peer.id,
      'connected',
      { peer: peer.id, version: session.agreement?.version },
      text,
    )
    // Whoever dials us is there: no need to wait for the next attempt.
    this.#links.get(peer.id)?.dial()
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

  #onRefused(
    session: PeerSession,
    refusal: { readonly code: string; readonly text: string },
    by: 'us' | 'them',
  ): void {
    this.counters.refusals++
    // `retry-join` may well list this server too.
    if (refusal.code === 'self') return
    const { address, to, role, claimedId } = session
    const host = role === 'dial' ? address : address.replace(/:\d+$/, '')
    const whom = `${host} ${claimedId ?? ''}`
    const text =
      by === 'us'
        ? `peer ${address} is refused: ${refusal.text}`
        : `peer ${address} refuses this server: ${refusal.text}`
    const fields = { peer: to, address, code: refusal.code }
    this.#notices.warn(whom, `${by} ${refusal.code}`, fields, text)
  }

  #onClose(session: PeerSession, reason: string): void {
    this.#sessions.delete(session)
    const { peer, address, role } = session
    if (peer === undefined) {
      if (role === 'dial' && session.refusal === undefined && !this.#isClosed) {
        const text = `peer ${address} cannot be reached: ${reason}`
        this.#notices.warn(address, 'connect', { peer: session.to, address }, text)
      }
      return
    }
    const open = this.#open.get(peer.id)
    if (open?.delete(session) !== true || open.size > 0) return
    this.#open.delete(peer.id)
    // Anybody may come with any id; only those of the configuration are remembered.
    if (!this.#links.has(peer.id)) this.#heardMs.delete(peer.id)
    if (this.#isClosed) return
    const text = `lost ${describePeer(peer)}: ${reason}`
    this.#notices.info(peer.id, `lost: ${reason}`, { peer: peer.id, reason }, text)
    this.#options.onConnectionLost(peer.id)
  }

  #lookAfter(): void {
    for (const session of this.#sessions) if (session.isOpen) session.connection.sweep()
    this.#renewStale()
    const nowMs = this.#options.clock.monotonicMs()
    for (const [address, { link, usedMs }] of this.#addressLinks) {
      if ((link.session?.rpc.count ?? 0) > 0) continue
      if (nowMs - usedMs < this.#limits.addressIdleMs) continue
      this.#addressLinks.delete(address)
      link.close('no more requests')
    }
  }

  /** A greeting from before this server joined, or changed its epoch, no longer tells the truth. */
  #renewStale(): void {
    const clusterId = this.#options.clusterId()
    const epoch = this.#options.epoch()
    for (const { isOpen, own, rpc, connection } of this.#sessions) {
      if (!isOpen || own === undefined) continue
      if (own.clusterId === clusterId && own.epoch === epoch) continue
      // Its answer may still be on the way: it was a request that brought the change.
      if (rpc.count === 0) connection.part('this server has joined a cluster; to be greeted anew')
    }
  }
}
