import type { Shape } from '../../base/shape.ts'
import type { PeerAsking } from '../../peers/options.ts'

/** The server that asks, with all that an answer needs. */
export interface Asker {
  readonly from: PeerAsking
  /** It is a member of this server's cluster. */
  readonly isMember: boolean
  /** Notes the refusal in the log, and makes the error for the asker (`peer-refused`). */
  readonly refuse: (reason: string) => Error
}

/**
 * One kind of request that a server answers to another one. Answers are JSON. A new kind is one row in
 * {@link file://./peer-request-rows.ts}.
 */
export interface PeerRequestRow<Asked = unknown> {
  readonly kind: string
  /** Default: the body is JSON. */
  readonly read?: (body: Buffer) => unknown
  /** A request of another shape must neither reach the log nor end this process. */
  readonly shape: Shape
  /** `member`: members of this cluster only. `anyone`: servers that are in no cluster as well. */
  readonly who: 'anyone' | 'member'
  /** A `member` request that a server may send although it is not a member. */
  mayAskAnyway?(asked: Asked, from: PeerAsking): boolean
  /** Only a server that leads answers it; others reject with `no-leader`. */
  readonly leaderOnly?: boolean
  /** May throw or reject with an error of the table; it travels to the asker. */
  answer(asked: Asked, asker: Asker): unknown
}
