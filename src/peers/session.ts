import { PeerConnection } from './connection.ts'
import { frameBytesMax, frameTypes } from './frame.ts'
import { PeerHandshake } from './handshake.ts'
import { decodeRefusal, encodeRefusal } from './hello.ts'
import { PeerRpc } from './rpc.ts'
import { certificateOf, isTls } from './tls.ts'
import type { Socket } from 'node:net'
import type { HandshakeStep } from './handshake.ts'
import type { Agreement, Hello, Purpose, ReceivedRefusal, Refusal } from './hello.ts'
import type { PeerLimits } from './limits.ts'
import type { PeerSecret } from './secret.ts'
import type { PeerCertificate, PeerTls } from './tls.ts'

/** What a session needs of its surroundings, the same for all of them. */
export interface SessionContext {
  readonly limits: PeerLimits
  readonly tls: () => PeerTls | undefined
  readonly secret: PeerSecret | undefined
  /** What the cluster calls the server of that id; undefined when it does not know it. */
  readonly nameOf: (id: string) => string | undefined
  /** This server's greeting, as of now. */
  readonly hello: (purpose: Purpose, to: string | undefined) => Hello
  readonly newestEpoch: () => number
  /** Whether the cluster of this server has a server with this id. */
  readonly isPeer: (id: string) => boolean
  readonly serve: (session: PeerSession, kind: string, body: Buffer) => Promise<Buffer>
  /** The greetings are through. */
  readonly onOpen: (session: PeerSession) => void
  readonly onFrame: (session: PeerSession, type: number, body: Buffer) => void
  readonly onReadEnd: (session: PeerSession) => void
  readonly onRefused: (session: PeerSession, refusal: ReceivedRefusal, by: 'us' | 'them') => void
  /** The peer broke the protocol after the greetings. */
  readonly onFault: (session: PeerSession, reason: string) => void
  readonly onClose: (session: PeerSession, reason: string) => void
  /** TLS failed, so the next connection to that address is made without it. */
  readonly onFallBack: (session: PeerSession, reason: string) => void
}

export interface SessionOptions {
  readonly role: 'dial' | 'accept'
  /** Where the other side is, for people. */
  readonly address: string
  readonly purpose: Purpose
  /** The id that is dialled; undefined when only its address is known, or for one that dials. */
  readonly to: string | undefined
}

/** One connection to one server: greetings first, then frames and requests until it closes. */
export class PeerSession {
  readonly role: 'dial' | 'accept'
  readonly address: string
  readonly purpose: Purpose
  readonly to: string | undefined
  readonly rpc: PeerRpc
  readonly connection: PeerConnection
  /** The other side's greeting, once it was accepted. */
  peer: Hello | undefined
  agreement: Agreement | undefined
  /** The other side has proven who it is, by the cluster's secret or its certificate. */
  isAuthentic = false
  /** Set by the two ends of a snapshot transfer, which use frames of their own. */
  onStreamFrame: ((type: number, body: Buffer) => void) | undefined
  onOpened: (() => void) | undefined
  onClosed: ((reason: string) => void) | undefined
  /** Closed, because TLS is being introduced and the other side has none: to be dialled again immediately. */
  fallsBack = false
  /** By which code the greetings ended, if they did. */
  refusal: string | undefined
  /** Settles when the connection is gone. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #context: SessionContext
  readonly #timer: NodeJS.Timeout
  #isConnected = false
  #requestsSinceSweep = 0
  readonly #handshake: PeerHandshake

  /** `socket`: already accepted, or dialled and not yet connected. */
  constructor(socket: Socket, context: SessionContext, options: SessionOptions) {
    this.role = options.role
    this.address = options.address
    this.purpose = options.purpose
    this.to = options.to
    this.#socket = socket
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve())
    })
    this.#context = context
    const { limits } = context
    this.#handshake = this.#makeHandshake()
    this.connection = new PeerConnection(socket, limits, {
      onFrame: (type, body) => this.#onFrame(type, body),
      onFault: (reason) => this.#onFault(reason),
      onReadEnd: () => {
        if (this.peer !== undefined) context.onReadEnd(this)
      },
      onClose: (reason) => this.#onClose(reason),
    })
    this.rpc = new PeerRpc({
      peer: () => this.name,
      version: () => this.connection.version,
      write: (frame) => this.connection.write(frame),
      serve: (kind, body) => context.serve(this, kind, body),
      onOverflow: () => this.fail('it sends requests, but does not read the answers'),
      requestsMax: limits.requestsMax,
    })
    const timeoutMs = this.role === 'dial' ? limits.dialTimeoutMs : limits.handshakeTimeoutMs
    this.#timer = setTimeout(() => {
      const text = `no greeting from ${this.address} within ${timeoutMs} ms`
      this.#refuse({ code: 'handshake-timeout', text })
    }, timeoutMs)
    if (this.role === 'dial') {
      socket.once('connect', () => {
        this.#isConnected = true
      })
      socket.once(isTls(socket) ? 'secureConnect' : 'connect', () => {
        this.connection.write(this.#handshake.greet())
      })
    }
  }

  /** The id that the other side claims, accepted or not. */
  get claimedId(): string | undefined {
    return this.#handshake.claimedId
  }

  /** This side's greeting, once it was made. */
  get own(): Hello | undefined {
    return this.#handshake.own
  }

  get isOpen(): boolean {
    return this.peer !== undefined && this.connection.isOpen
  }

  /** With TLS, both certificates verified. */
  get isEncrypted(): boolean {
    return isTls(this.#socket)
  }

  /** Raft messages may pass. */
  get isMember(): boolean {
    return this.isOpen && this.agreement?.isSameCluster === true
  }

  get name(): string {
    return this.peer === undefined ? this.address : `${this.peer.name} (${this.address})`
  }

  #makeHandshake(): PeerHandshake {
    const { secret, hello, nameOf, newestEpoch, tls } = this.#context
    let certificate: PeerCertificate | undefined
    return new PeerHandshake({
      role: this.role,
      address: this.address,
      secret,
      hello: (purpose) => hello(purpose ?? this.purpose, this.to),
      known: (id) => {
        // With a secret, this is asked twice. On the side that dials, Node shows the certificate only once.
        certificate ??= certificateOf(this.#socket)
        const name = certificate === undefined ? undefined : nameOf(id)
        return { certificate, name, role: tls()?.role, newestEpoch: newestEpoch() }
      },
    })
  }

  #onFrame(type: number, body: Buffer): void {
    if (this.peer === undefined) {
      if (type === frameTypes.reject) return this.#onReject(body)
      return this.#onStep(this.#handshake.take(type, body))
    }
    if (
      type === frameTypes.request ||
      type === frameTypes.response ||
      type === frameTypes.failure
    ) {
      if (type === frameTypes.request && this.#asksTooMuch(this.peer)) return
      if (!this.rpc.handle(type, body)) this.#onFault('a malformed request or answer')
      return
    }
    if (type === frameTypes.ping) return
    if (type === frameTypes.reject) return this.#onReject(body)
    this.#context.onFrame(this, type, body)
  }

  #asksTooMuch({ id }: Hello): boolean {
    const { strangerRequestsMax, sweepMs } = this.#context.limits
    if (++this.#requestsSinceSweep <= strangerRequestsMax || this.#context.isPeer(id)) return false
    this.fail(
      `it is not a member of this cluster, and sends more than ${strangerRequestsMax} requests in ${sweepMs} ms`,
    )
    return true
  }

  #onStep({ send, refusal, opened }: HandshakeStep): void {
    for (const frame of send) this.connection.write(frame)
    if (refusal !== undefined) return this.#refuse(refusal)
    if (opened === undefined) return
    clearTimeout(this.#timer)
    this.peer = opened.peer
    this.agreement = opened.agreement
    this.isAuthentic = opened.isProven || this.isEncrypted
    this.connection.agree(opened.agreement.version, frameBytesMax)
    this.#context.onOpen(this)
    this.onOpened?.()
  }

  #onReject(body: Buffer): void {
    const refusal = decodeRefusal(body) ?? { code: 'bad-greeting', text: 'no reason given' }
    this.refusal = refusal.code
    this.#context.onRefused(this, refusal, 'them')
    this.connection.destroy(refusal.text)
  }

  /** Says why, and closes. */
  #refuse(refusal: Refusal): void {
    if (!this.connection.isOpen) return
    clearTimeout(this.#timer)
    this.refusal = refusal.code
    this.#context.onRefused(this, refusal, 'us')
    this.connection.part(refusal.text, encodeRefusal(refusal))
  }

  /** Closes a connection on which nothing that follows can be understood. */
  #onFault(reason: string): void {
    if (this.peer === undefined) {
      const text = `${this.address} sends data that is not the svcd protocol: ${reason}`
      return this.#refuse({ code: 'not-a-peer', text })
    }
    this.fail(reason)
  }

  /** To be called every `sweepMs`. */
  sweep(): void {
    this.#requestsSinceSweep = 0
    this.connection.sweep()
  }

  fail(reason: string): void {
    if (!this.connection.isOpen) return
    this.#context.onFault(this, reason)
    this.connection.destroy(reason)
  }

  /** While TLS is being introduced, any failure of it is a reason to do without. */
  #isTlsFailure(): boolean {
    if (this.role !== 'dial' || !this.isEncrypted || !this.#isConnected) return false
    if (this.#context.tls()?.isPermissive !== true || this.peer !== undefined) return false
    return this.refusal === undefined || this.refusal === 'certificate'
  }

  #onClose(reason: string): void {
    clearTimeout(this.#timer)
    this.rpc.close(reason)
    if (this.#isTlsFailure()) {
      this.fallsBack = true
      this.#context.onFallBack(this, reason)
    }
    this.onClosed?.(reason)
    this.#context.onClose(this, reason)
  }
}
