import type { ErrorCode } from '../base/errors.ts'
import type { ConfChange } from '../raft/membership.ts'
import type { Index, NodeId, Term } from '../raft/entry.ts'
import type { Role } from '../raft/state.ts'
import type { GateFigures } from '../net/connections/gate.ts'
import type { AuditFigures, AuditSettings } from '../audit/trail.ts'
import type { PeerLimits } from '../peers/limits.ts'
import type { PeerTlsFigures } from '../peers/options.ts'
import type { PeerTls } from '../peers/tls.ts'
import type { SessionFigures } from './duties/session-deadlines.ts'
import type { DiskFigures } from './disk-space.ts'
import type { ProposalResult } from './writes/proposals.ts'
import { TickDelays } from './tick-delays.ts'

// What the main thread and the replica thread say to each other.

/** What the replica needs of the configuration. */
export interface ReplicaSettings {
  readonly id: NodeId
  readonly name: string
  readonly datacenter: string
  readonly bindAddress: string
  readonly advertiseAddress: string
  readonly serverPort: number
  /** Another one is taken when that is in use. */
  readonly mayMovePort?: boolean
  readonly bootstrapExpect: number
  /** `host:port`, or a host with the default port. */
  readonly retryJoin: readonly string[]
  /** Undefined: by the size of the disk. */
  readonly diskReserveBytes?: number | undefined
  /** A member that is silent for so long is dead. */
  readonly silenceMs: number
  /** From the end of one comparison of state.db with its sums to the next. */
  readonly stateCheckMs: number
  /** The cluster's secret; undefined: none. `isRequired` false: while it is being introduced. */
  readonly secret:
    { readonly keys: readonly Uint8Array[]; readonly isRequired: boolean } | undefined
  /** PEM texts for mutual TLS between servers. */
  readonly tls: PeerTls | undefined
  /** Undefined: there is no audit log. */
  readonly audit?: AuditSettings | undefined
  /** How many connections others may have, and how long one may say nothing. */
  readonly peerLimits?: Partial<PeerLimits>
}

export interface ReplicaWorkerData {
  readonly dataDirectory: string
  readonly versions: SharedArrayBuffer
  readonly stamp: SharedArrayBuffer
  readonly settings: ReplicaSettings
}

/** What an operator asks of the cluster; it is carried out by the leader. */
export type Operation =
  | { readonly kind: 'transfer'; readonly to: NodeId | undefined }
  | { readonly kind: 'change'; readonly change: ConfChange; readonly onlyAt?: string }
  /** Makes a snapshot of this server's state; the value is its file's path. */
  | { readonly kind: 'snapshot' }
  /** This server leaves the cluster permanently. */
  | { readonly kind: 'leave' }
  /** This server, without a cluster, looks for one at this address too. */
  | { readonly kind: 'join'; readonly address: string }
  /** How the leader finds the servers; the value is JSON, a list of `ServerHealth`. */
  | { readonly kind: 'health' }
  /** Grants sessions their whole TTL; the value is JSON, a list of a `Session` or null for each. */
  | { readonly kind: 'renew-sessions'; readonly ids: readonly string[] }
  /** How long no session may lock a key yet; the value is in milliseconds. */
  | { readonly kind: 'lock-delay'; readonly key: string }

export type ToReplica =
  /** Packed proposals (packed-proposals.ts), each with a number that comes back with its result. */
  | { readonly type: 'propose'; readonly first: number; readonly packed: Uint8Array<ArrayBuffer> }
  /** Answered when a read made afterwards sees all that was acknowledged before. */
  | { readonly type: 'barrier'; readonly id: number }
  | { readonly type: 'operate'; readonly id: number; readonly operation: Operation }
  /** A read of state.db met what looks like damage. */
  | { readonly type: 'suspicion'; readonly reason: string }
  /** Other certificates, or whether they are required, for connections from now on. */
  | { readonly type: 'use-tls'; readonly tls: PeerTls }
  /** A line of the audit log, about a request. Undefined: the request is only counted. */
  | { readonly type: 'audit'; readonly line: string | undefined }
  | { readonly type: 'reopen-audit' }
  | { readonly type: 'stop' }

export interface ServerStatus {
  readonly id: NodeId
  readonly address: string
  readonly isVoter: boolean
  readonly isLeader: boolean
  /**
   * The last index that it is known to have. A leader knows it of all servers, others of
   * themselves.
   */
  readonly lastIndex: Index | undefined
}

/** How it stands with the cluster, as this server sees it. */
export interface ClusterStatus {
  readonly role: Role
  /** It leads, and has applied an entry of its own term: all that was acknowledged before is in it. */
  readonly isLeaderReady: boolean
  readonly term: Term
  readonly leader: { readonly id: NodeId; readonly address: string } | undefined
  readonly servers: readonly ServerStatus[]
  /** Index of the entry that brought the present members. */
  readonly configIndex: Index
  /**
   * It has once seen all entries that its leader had committed: names that it does not know do not
   * exist.
   */
  readonly isCaughtUp: boolean
  readonly clusterId: string | undefined
  /** The damage of state.db: this server answers nothing until it is rebuilt. */
  readonly damage: string | undefined
  /** How many times that was found since the start. */
  readonly damagesFound: number
  /** How many times, as the leader, it found states that differ without a majority for one of them. */
  readonly undecidedStates?: number
  /** Undefined: it has no part in a cluster yet. */
  readonly sessions?: SessionFigures | undefined
  /** The cluster was recovered without this server, which is in an older epoch. */
  readonly leftBehind: { readonly epoch: number; readonly newestEpoch: number } | undefined
  /** The newest format of the state that the log has taken into use, as far as it is applied here. */
  readonly usedFormat?: number
  /** Connections with other servers. Undefined: not known. */
  readonly peerTls?: PeerTlsFigures | undefined
  /** Undefined: not known. */
  readonly disk?: DiskFigures | undefined
  /** Undefined: there is no audit log. */
  readonly audit?: AuditFigures | undefined
}

export type FromReplica =
  | { readonly type: 'ready'; readonly status: ClusterStatus; readonly serverPort: number }
  /** It cannot start: an operating error for the person who started the agent. */
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string }
  | {
      readonly type: 'results'
      /** Of what was applied, as nearly all is: its number and its index, in turns; cheap to copy. */
      readonly applied: readonly number[]
      readonly ids: readonly number[]
      readonly results: readonly ProposalResult[]
    }
  /** The versions were bumped, and somebody waits for that (`Versions.isAwaited`). */
  | { readonly type: 'applied' }
  | { readonly type: 'barrier'; readonly id: number; readonly isHeld: boolean }
  | { readonly type: 'operated'; readonly id: number; readonly result: OperationResult }
  | {
      readonly type: 'status'
      readonly status: ClusterStatus
      /** To the port of the servers. */
      readonly connections: GateFigures
    }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly fields: object
      readonly message: string
    }

export type OperationResult =
  | { readonly kind: 'done'; readonly value: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }

const writingCell = 0
const contactCell = 1
const aloneCell = 2
const heapOffset = 16
const delaysOffset = 24

/**
 * The replica's stamp, in shared memory. The first number is odd while it is inside a disk write: a
 * value that stays odd and the same is a disk that hangs; main looks at it, for the replica itself
 * cannot. The second says when it last heard its leader. The third says whether it is a quorum by itself.
 */
export class Stamp {
  readonly buffer: SharedArrayBuffer
  readonly tickDelays: TickDelays
  readonly #cells: Int32Array
  readonly #heap: Float64Array

  constructor(buffer = new SharedArrayBuffer(delaysOffset + TickDelays.bytes)) {
    this.buffer = buffer
    this.tickDelays = new TickDelays(buffer, delaysOffset)
    this.#cells = new Int32Array(buffer)
    this.#heap = new Float64Array(buffer, heapOffset, 1)
  }

  get value(): number {
    return Atomics.load(this.#cells, writingCell)
  }

  get writing(): boolean {
    return (this.value & 1) === 1
  }

  enter(): void {
    Atomics.add(this.#cells, writingCell, 1)
  }

  leave(): void {
    Atomics.add(this.#cells, writingCell, 1)
  }

  /** Does a write between the two. */
  around<T>(write: () => T): T {
    this.enter()
    const result = write()
    this.leave()
    return result
  }

  /** The leader was heard, or is this server. */
  noteContact(): void {
    // 0 is kept for never.
    Atomics.store(this.#cells, contactCell, wrappedMs() | 1)
  }

  /** Milliseconds since the leader was heard; the most that 31 bits hold if there was none yet. */
  get contactAgeMs(): number {
    const contact = Atomics.load(this.#cells, contactCell)
    return contact === 0 ? 2 ** 31 - 1 : (wrappedMs() - contact) | 0
  }

  /** What the heap of the thread takes. */
  get heapBytes(): number {
    return this.#heap[0] ?? 0
  }

  set heapBytes(bytes: number) {
    this.#heap[0] = bytes
  }

  setAlone(isAlone: boolean): void {
    Atomics.store(this.#cells, aloneCell, Number(isAlone))
  }

  /** See RaftServer.isAlone. */
  get isAlone(): boolean {
    return Atomics.load(this.#cells, aloneCell) === 1
  }
}

/** One monotonic clock for all threads, in milliseconds. */
export function sharedMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

function wrappedMs(): number {
  return Math.floor(sharedMs()) | 0
}
