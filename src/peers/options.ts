import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Message } from '../raft/message.ts'
import type { NodeId } from '../raft/entry.ts'
import type { PeerLimits } from './limits.ts'
import type { ListenOptions } from './listener.ts'
import type { SnapshotFiles } from './snapshots/transfer.ts'
import type { PeerSecret } from './secret.ts'
import type { PeerTls } from './tls.ts'

/** A server as others see it. */
export interface PeerIdentity {
  readonly id: NodeId
  readonly name: string
  /** Where it can be dialled: host:port, or [host]:port. */
  readonly address: string
}

/** The server that sent a request. */
export interface PeerAsking extends PeerIdentity {
  /** It is of this server's cluster; false: of none yet. */
  readonly isMember: boolean
  /** It has proven who it is, by the cluster's secret or a certificate. */
  readonly isAuthentic: boolean
}

export interface PeerTransportOptions {
  readonly self: Omit<PeerIdentity, 'address'> & {
    /** Undefined: its host with the port that was opened. */
    readonly address: string | undefined
    /** Undefined: the address it listens on. */
    readonly host?: string | undefined
  }
  /** Undefined: in no cluster yet; then only requests pass. */
  readonly clusterId: () => string | undefined
  readonly epoch: () => number
  /** Of its cluster, as far as this server knows: above its own, it was left behind. */
  readonly newestEpoch?: (() => number) | undefined
  /** A server that this one has dialled refuses it, and knows this epoch of their cluster. */
  readonly onEpoch?: ((epoch: number) => void) | undefined
  readonly protocol: { readonly min: number; readonly max: number }
  /** Bits of what this server understands; both sides' common ones are used. */
  readonly features?: number | undefined
  readonly listen: ListenOptions
  /** The certificates at the start. */
  readonly tls?: PeerTls | undefined
  readonly secret?: PeerSecret | undefined
  /** What the cluster calls the server of that id; undefined when it does not know it. */
  readonly nameOf?: ((id: NodeId) => string | undefined) | undefined
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly limits?: Partial<PeerLimits> | undefined
  /** A Raft message for this server, from whom it says. */
  readonly onMessage: (message: Message) => void
  /** All messages and requests of one read were handed over. */
  readonly onTurnEnd?: (() => void) | undefined
  /**
   * Answers a request. The body, and the answer that the asking side gets, are views of a larger
   * buffer: copy them before they are kept or posted to another thread. A rejection travels as code
   * and text.
   */
  readonly onRequest: (from: PeerAsking, kind: string, body: Buffer) => Promise<Buffer>
  /** The last connection with that server has closed. */
  readonly onConnectionLost: (id: NodeId) => void
  /** Messages to it were dropped. Said in a turn of its own, once for all that one turn dropped. */
  readonly onUnreachable: (id: NodeId) => void
  /** It lives: something was received from it. */
  readonly onHeard: (id: NodeId) => void
  readonly snapshots: SnapshotFiles
  /** The report on a `snapshot-request`; none for one that a newer one to the same server replaced. */
  readonly onSnapshotSent: (id: NodeId, ok: boolean) => void
}

/** Connections with other servers, by whether they are encrypted. */
export interface PeerTlsFigures {
  readonly mode: 'off' | 'permissive' | 'strict'
  readonly encrypted: number
  readonly plain: number
}

/** The state of the connection to one server. */
export interface PeerStatus {
  readonly id: NodeId
  readonly address: string
  readonly name: string | undefined
  /** Bits that both sides understand; undefined while not connected. */
  readonly features: number | undefined
  /** Messages can be sent now. */
  readonly isConnected: boolean
  /** Bytes that wait to be taken by the kernel. */
  readonly queuedBytes: number
  /** Since something was received; undefined when nothing was since the start. */
  readonly silentMs: number | undefined
  /** Why this server cannot connect to it; undefined when it can. */
  readonly lastError: string | undefined
}

export interface PeerCounters {
  messagesSent: number
  messagesReceived: number
  /** Not sent: no connection, or a full queue. */
  messagesDropped: number
  /** Received over a connection on which none may pass, or given to be sent in another's name. */
  messagesForeign: number
  /** Of types that this release does not know. */
  framesUnknown: number
  /** Connections closed for what came over them. */
  faults: number
  /** Greetings that ended in a refusal, by either side. */
  refusals: number
}
