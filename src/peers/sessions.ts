import { randomInt } from 'node:crypto'
import { connect } from 'node:net'
import { dialAddress } from './address.ts'
import { describePeer, printable } from './hello.ts'
import { remoteAddress } from './listener.ts'
import { newChallenge } from './secret.ts'
import { PeerSession } from './session.ts'
import { dialMutualTls } from './tls.ts'
import type { Socket } from 'node:net'
import type { PeerTls } from './tls.ts'
import type { NodeId } from '../raft/entry.ts'
import type { Slot } from '../net/connections/budget.ts'
import type { Hello, Purpose, ReceivedRefusal } from './hello.ts'
import type { PeerNotices } from '../process/peer-notices.ts'
import type { PeerCounters, PeerTransportOptions } from './options.ts'
import type { SessionContext, SessionOptions } from './session.ts'

export interface SessionsParts extends Pick<
  SessionContext,
  'serve' | 'onFrame' | 'onReadEnd' | 'isPeer' | 'limits'
> {
  readonly options: Pick<
    PeerTransportOptions,
    | 'self'
    | 'protocol'
    | 'features'
    | 'clusterId'
    | 'epoch'
    | 'newestEpoch'
    | 'onEpoch'
    | 'secret'
    | 'nameOf'
    | 'onConnectionLost'
  >
  readonly tls: () => PeerTls | undefined
  readonly notices: PeerNotices
  readonly counters: Pick<PeerCounters, 'faults' | 'refusals'>
  /** Where others dial this server. */
  readonly address: () => string
  readonly isClosed: () => boolean
  /** A connection that another side opened has not greeted in time. */
  readonly onTimeout: () => void
  /** A server is there, over a connection for messages. */
  readonly onConnected: (session: PeerSession) => void
  /** The last of its connections has closed. */
  readonly onDisconnected: (id: NodeId) => void
  /** The other side has opened one for a snapshot. */
  readonly onSnapshot: (session: PeerSession) => void
}

/** A step of each start, of which the log says nothing. */
const afterJoining = 'reconnecting after joining the cluster'

/** All connections, whichever side opened them: how they are greeted, and their log lines. */
export class PeerSessions {
  readonly #parts: SessionsParts
  readonly #context: SessionContext
  readonly #instance = randomInt(2 ** 47)
  readonly #all = new Set<PeerSession>()
  /** The places of those that others opened. */
  readonly #slots = new WeakMap<PeerSession, Slot>()
  /** Addresses that are to be dialled without TLS next. */
  readonly #plainNext = new Set<string>()
  /** Greeted, for messages, by the id at the other end. */
  readonly #open = new Map<NodeId, Set<PeerSession>>()

  constructor(parts: SessionsParts) {
    const { limits, options, serve, onFrame, onReadEnd, isPeer } = parts
    this.#parts = parts
    this.#context = {
      limits,
      serve,
      onFrame,
      onReadEnd,
      isPeer,
      tls: parts.tls,
      secret: options.secret,
      nameOf: (id) => options.nameOf?.(id),
      hello: (purpose, to) => this.#hello(purpose, to),
      newestEpoch: () => options.newestEpoch?.() ?? 0,
      onOpen: (session) => this.#onOpen(session),
      onRefused: (session, refusal, by) => this.#onRefused(session, refusal, by),
      onFault: (session, reason) => this.#onFault(session, reason),
      onClose: (session, reason) => this.#onClose(session, reason),
      onFallBack: (session, reason) => this.#onFallBack(session, reason),
    }
  }

  /** The servers that are connected. */
  get ids(): Iterable<NodeId> {
    return this.#open.keys()
  }

  /** Greeted, for messages. */
  *open(): Generator<PeerSession, void> {
    for (const sessions of this.#open.values()) yield* sessions
  }

  /** The latest with that server; for Raft messages one of the same cluster. */
  with(id: NodeId, forRaft: boolean): PeerSession | undefined {
    let found: PeerSession | undefined
    for (const session of this.#open.get(id) ?? []) {
      if (forRaft ? session.isMember : session.isOpen) found = session
    }
    return found
  }

  /** Takes a connection that another side has opened, or turns it away. */
  accept(socket: Socket, slot: Slot): void {
    if (this.#parts.isClosed()) {
      socket.destroy()
      return
    }
    const address = remoteAddress(socket)
    const options = { role: 'accept', address, purpose: 'messages', to: undefined } as const
    this.#slots.set(this.#add(socket, options), slot)
  }

  /** Begins a connection; undefined if `address` is not valid. */
  dial(address: string, to: NodeId | undefined, purpose: Purpose): PeerSession | undefined {
    const target = dialAddress(address)
    if (target === undefined) return undefined
    const tls = this.#parts.tls()
    const { host, port } = target
    const isPlain = this.#plainNext.delete(address) && tls?.isPermissive === true
    const socket =
      tls === undefined || isPlain ? connect({ host, port }) : dialMutualTls(tls, host, port)
    return this.#add(socket, { role: 'dial', address, purpose, to })
  }

  /** Addresses of servers of a cluster that have dialled this one by its id: it is a member there. */
  invitedBy(): readonly string[] {
    const found = new Set<string>()
    for (const { isOpen, peer } of this.#all) {
      const isInvitation = peer?.clusterId !== undefined && peer.to === this.#parts.options.self.id
      if (isOpen && isInvitation) found.add(peer.address)
    }
    return [...found]
  }

  /** How many of the greeted connections are with TLS, and how many without. */
  get counts(): { readonly encrypted: number; readonly plain: number } {
    const open = [...this.open()]
    const encrypted = open.filter(({ isEncrypted }) => isEncrypted).length
    return { encrypted, plain: open.length - encrypted }
  }

  /** TLS is required from now on. */
  endPlain(): void {
    for (const session of this.#all) {
      if (!session.isEncrypted) session.connection.part('TLS between servers is required now')
    }
  }

  /** Pings the silent ones, and cuts off those that answer nothing. */
  sweep(): void {
    for (const session of this.#all) if (session.isOpen) session.sweep()
  }

  /** A greeting from before this server joined, or changed its epoch, is out of date. */
  renewStale(): void {
    const clusterId = this.#parts.options.clusterId()
    const epoch = this.#parts.options.epoch()
    for (const { isOpen, own, rpc, connection } of this.#all) {
      if (!isOpen || own === undefined) continue
      const isLeftBehind = (this.#parts.options.newestEpoch?.() ?? 0) > epoch
      if (own.clusterId === clusterId && own.epoch === epoch && !isLeftBehind) continue
      // Its answer may still be on the way: it was a request that brought the change.
      if (rpc.count > 0) continue
      connection.part(
        isLeftBehind ? 'this server was left behind when its cluster was recovered' : afterJoining,
      )
    }
  }

  /** Settles when all are gone, after what was written is sent. */
  async close(reason: string): Promise<void> {
    for (const session of this.#all) session.connection.part(reason)
    await Promise.all([...this.#all].map((session) => session.closed))
  }

  #add(socket: Socket, options: SessionOptions): PeerSession {
    const session = new PeerSession(socket, this.#context, options)
    this.#all.add(session)
    return session
  }

  #hello(purpose: Purpose, to: NodeId | undefined): Hello {
    const { self, protocol, features, clusterId, epoch, secret } = this.#parts.options
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
      address: this.#parts.address(),
      to,
      challenge: secret === undefined ? undefined : newChallenge(secret),
    }
  }

  #onOpen(session: PeerSession): void {
    const { peer } = session
    // A server of the cluster keeps its place. Others, which may ask, lose it when all places are taken.
    if (session.isMember) this.#slots.get(session)?.enter()
    if (peer === undefined || session.purpose === 'snapshot') return
    if (session.role === 'accept' && peer.purpose === 'snapshot') {
      this.#parts.onSnapshot(session)
      return
    }
    const isAnew = this.#endEarlier(peer)
    const open = this.#open.get(peer.id) ?? new Set()
    this.#open.set(peer.id, open.add(session))
    if (isAnew) this.#parts.options.onConnectionLost(peer.id)
    const fields = { peer: peer.id, version: session.agreement?.version }
    this.#parts.notices.info(peer.id, 'connected', fields, `connected to ${describePeer(peer)}`)
    this.#parts.onConnected(session)
  }

  /** Ends the connections with another process of that id; whether there were any. */
  #endEarlier(peer: Hello): boolean {
    let isAnew = false
    for (const other of this.#open.get(peer.id) ?? []) {
      if (other.peer?.instance === peer.instance) continue
      // Its process ended without closing the connection, or another one has the same data directory.
      other.connection.destroy('another process with this ID has connected')
      isAnew = true
      if (other.peer === undefined || other.peer.address === peer.address) continue
      const text = `${describePeer(peer)} replaces ${describePeer(other.peer)}: the server has moved, or two servers have the same ID`
      this.#parts.notices.warn(peer.id, 'two places', { peer: peer.id }, text)
    }
    return isAnew
  }

  #onFault(session: PeerSession, reason: string): void {
    this.#parts.counters.faults++
    const text = `disconnecting peer ${session.name}: ${printable(reason)}`
    this.#parts.notices.warn(session.name, reason, { peer: session.peer?.id }, text)
  }

  #onRefused(session: PeerSession, refusal: ReceivedRefusal, by: 'us' | 'them'): void {
    this.#parts.counters.refusals++
    const epoch = by === 'them' ? refusal.epoch : refusal.theirEpoch
    // A stranger that dials in could claim any epoch; at the address of a member a member answers.
    const isTaught = session.role === 'dial' && refusal.code === 'wrong-epoch'
    if (isTaught && epoch !== undefined) this.#parts.options.onEpoch?.(epoch)
    // `retry-join` may well list this server too.
    if (refusal.code === 'self') return
    const { address, to, role, claimedId } = session
    if (role === 'accept' && refusal.code === 'handshake-timeout') this.#parts.onTimeout()
    const host = role === 'dial' ? address : address.replace(/:\d+$/, '')
    const whom = `${host} ${claimedId ?? ''}`
    const text =
      by === 'us'
        ? `refusing peer ${address}: ${refusal.text}`
        : `peer ${address} refuses this server: ${refusal.text}`
    const fields = { peer: to, address, code: refusal.code }
    this.#parts.notices.warn(whom, `${by} ${refusal.code}`, fields, text)
  }

  #onFallBack({ address, to }: PeerSession, reason: string): void {
    this.#plainNext.add(address)
    if (this.#parts.isClosed()) return
    const text = `no TLS connection with peer ${address}, connecting without TLS because peer_tls.mode is permissive: ${printable(reason)}`
    this.#parts.notices.warn(address, 'plain', { peer: to, address }, text)
  }

  #onClose(session: PeerSession, reason: string): void {
    const { notices, options, isClosed, onDisconnected } = this.#parts
    this.#all.delete(session)
    const { peer, address, role } = session
    if (peer === undefined) {
      if (role === 'dial' && session.refusal === undefined && !session.fallsBack && !isClosed()) {
        const text = `cannot reach peer ${address}: ${reason}`
        notices.warn(address, 'connect', { peer: session.to, address }, text)
      }
      return
    }
    const open = this.#open.get(peer.id)
    if (open?.delete(session) !== true || open.size > 0) return
    this.#open.delete(peer.id)
    onDisconnected(peer.id)
    if (isClosed()) return
    if (reason !== afterJoining) {
      const text = `lost the connection to ${describePeer(peer)}: ${reason}`
      notices.info(peer.id, `lost: ${reason}`, { peer: peer.id, reason }, text)
    }
    options.onConnectionLost(peer.id)
  }
}
