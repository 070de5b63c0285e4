import type { Entry, Index, NodeId, Term } from './entry.ts'
import type { SnapshotMeta } from './storage.ts'

interface Envelope {
  readonly from: NodeId
  readonly to: NodeId
  /** The sender's term; in a pre-vote request and a granted pre-vote, the term that it would have. */
  readonly term: Term
}

/** Would you vote for me? Asked before the term is raised (thesis §9.6). */
export interface PreVoteRequest extends Envelope {
  readonly type: 'pre-vote-request'
  readonly lastIndex: Index
  readonly lastTerm: Term
}

export interface PreVoteResponse extends Envelope {
  readonly type: 'pre-vote-response'
  readonly granted: boolean
}

/** RequestVote (§5.2). `transfer`: the leader itself asked for this election (thesis §3.10). */
export interface VoteRequest extends Envelope {
  readonly type: 'vote-request'
  readonly lastIndex: Index
  readonly lastTerm: Term
  readonly transfer: boolean
}

export interface VoteResponse extends Envelope {
  readonly type: 'vote-response'
  readonly granted: boolean
}

/** AppendEntries (§5.3). Without entries it brings a commit index, or probes the log. */
export interface AppendRequest extends Envelope {
  readonly type: 'append-request'
  readonly prevIndex: Index
  readonly prevTerm: Term
  readonly entries: readonly Entry[]
  readonly commit: Index
}

/**
 * Accepted: `index` is the last entry known to match. Rejected: `index` is the `prevIndex` that did
 * not match, and the hints name the newest entry of the follower that can (§5.3, last paragraphs).
 */
export interface AppendResponse extends Envelope {
  readonly type: 'append-response'
  readonly index: Index
  readonly rejected: boolean
  readonly hintIndex: Index
  readonly hintTerm: Term
}

/** Keeps followers in place (§5.2). `commit` never exceeds what this follower is known to hold. */
export interface Heartbeat extends Envelope {
  readonly type: 'heartbeat'
  readonly commit: Index
  /** The leader's newest ReadIndex token; 0 when none was made in this term. */
  readonly readToken: number
}

export interface HeartbeatResponse extends Envelope {
  readonly type: 'heartbeat-response'
  readonly readToken: number
}

/**
 * InstallSnapshot (§7). The transport streams the file that `snapshot` describes, and steps this
 * message into the receiver's core only when the whole file is there and verified.
 */
export interface SnapshotRequest extends Envelope {
  readonly type: 'snapshot-request'
  readonly snapshot: SnapshotMeta
}

/** Start an election immediately (thesis §3.10). */
export interface TimeoutNow extends Envelope {
  readonly type: 'timeout-now'
}

/** A follower asks for a read index (thesis §6.4). `id` is made afresh by the follower's core. */
export interface ReadRequest extends Envelope {
  readonly type: 'read-request'
  readonly id: number
}

export interface ReadResponse extends Envelope {
  readonly type: 'read-response'
  readonly id: number
  readonly index: Index
}

export type Message =
  | PreVoteRequest
  | PreVoteResponse
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | Heartbeat
  | HeartbeatResponse
  | SnapshotRequest
  | TimeoutNow
  | ReadRequest
  | ReadResponse

type WithoutSender<M> = M extends Message ? Omit<M, 'from'> : never
/** A message before its sender's id is put on it. */
export type Outgoing = WithoutSender<Message>

/**
 * These messages answer, or ask, on the strength of data that must be on disk first: a vote, a
 * term, entries. They leave after the write; everything else may leave immediately.
 */
export function waitsForDisk(type: Message['type']): boolean {
  return (
    type === 'append-response' ||
    type === 'vote-response' ||
    type === 'pre-vote-response' ||
    type === 'vote-request'
  )
}
