import { isMember } from './config.ts'
import type { PlacedConfig } from './config.ts'
import type { NodeId, Term } from './entry.ts'
import type { Message } from './message.ts'

/**
 * The most by which a message's term may exceed a server's own. Each election raises the term by one, so
 * an honest one that slept through a thousand of them a day for two years still understands the others.
 * Without a bound one message of the highest term there is would end the cluster: no election could
 * follow, and the term is on disk.
 */
export const termJumpMax = 1_000_000

export function isTermTooFar({ term }: Message, own: Term): boolean {
  return term - own > termJumpMax
}

/** What a server knows of who may speak to it. */
export interface Known {
  /** The one that is committed and all later ones, oldest first: any may come into force. */
  readonly configs: readonly PlacedConfig[]
  /** Servers that a member has named as members, too (see {@link isKnownSender}). */
  readonly vouched: ReadonlySet<NodeId>
  /** The leader that it follows in its present term. */
  readonly leader: NodeId | undefined
}

/**
 * Whether Raft messages of `from` count. Only members speak: voters, old voters, and learners, who
 * answer. But this server's own configuration may be old:
 *
 * - A leader that removes itself continues until that is committed, by an earlier one of `configs`;
 *   and then hands over, as the leader of the term.
 * - A server that was just let in, or gets a snapshot, has none. It cannot tell who is a member,
 *   and listens to every server that its transport accepts for this cluster.
 * - A server that was stopped while others came may hear from a leader that it does not know. It
 *   then asks the members that it knows; the messages count once one of them vouches for the new
 *   leader (`Raft.vouch`).
 */
export function isKnownSender({ configs, vouched, leader }: Known, from: NodeId): boolean {
  if (configs.some(({ config }) => isMember(config, from))) return true
  if (from === leader || vouched.has(from)) return true
  return configs.every(({ config }) => config.voters.length === 0)
}
