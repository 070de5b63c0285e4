import type { Index, NodeId, Term } from './entry.ts'

/** Why a message had no effect. None of these is an error: networks delay, repeat and reorder. */
export type Ignored =
  | 'misaddressed'
  | 'malformed'
  /** Of a server that is in no configuration known here, and for which no member vouches. */
  | 'not-a-member'
  /** Of a term so far ahead that no honest server can have it. */
  | 'term-too-far'
  /** Of a term that is over (§5.1). */
  | 'lower-term'
  /** A candidate while a leader is alive (§6, last paragraphs). */
  | 'leader-alive'
  /** An answer from a server that is not, or no longer, in the configuration. */
  | 'unknown-peer'
  /** An answer to what is no longer asked, or a request to who no longer is what it was. */
  | 'out-of-date'

export interface NotLeader {
  readonly kind: 'not-leader'
  /** The server to ask instead, if it is known. */
  readonly leader: NodeId | undefined
}

/** Committed once an entry with this index *and* this term is applied; lost when another term is. */
export interface Accepted {
  readonly kind: 'accepted'
  readonly term: Term
  readonly firstIndex: Index
  readonly lastIndex: Index
}

export type ProposeResult =
  | Accepted
  | NotLeader
  | { readonly kind: 'too-large'; readonly bytes: number; readonly max: number }
  /** The tail that waits for a quorum is full. */
  | { readonly kind: 'busy'; readonly waiting: number }
  | { readonly kind: 'transferring'; readonly to: NodeId }
  | { readonly kind: 'empty' }

export type ReadIndexResult =
  { readonly kind: 'pending' } | NotLeader | { readonly kind: 'busy'; readonly waiting: number }

export type TransferResult =
  | { readonly kind: 'started' }
  | NotLeader
  | { readonly kind: 'refused'; readonly reason: 'already-leader' | 'not-a-voter' }

export type ConfChangeResult =
  | Accepted
  | NotLeader
  | { readonly kind: 'transferring'; readonly to: NodeId }
  /** One change at a time (§6); try again when the entry at `index` is committed. */
  | { readonly kind: 'change-in-flight'; readonly index: Index }
  /** The leader has not yet committed an entry of its own term. */
  | { readonly kind: 'not-ready' }
  | { readonly kind: 'refused'; readonly reason: ConfChangeRefusal }

export type ConfChangeRefusal =
  | 'already-a-member'
  /** The configuration has that address of it. */
  | 'already-there'
  | 'not-a-member'
  | 'not-a-learner'
  | 'not-a-voter'
  | 'invalid-id'
  /** A learner votes only once it keeps up, or commits would wait for it (thesis §4.2.1). */
  | 'learner-behind'
  | 'last-voter'
  /** The new voters that answer are not a quorum of the new voters. */
  | 'quorum-not-live'
