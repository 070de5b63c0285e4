import { assert } from '../base/assert.ts'
import type { Random } from '../base/random.ts'
import type { NodeId } from './entry.ts'

/** What a server is built with. Times are in ticks; every server of a cluster uses the same. */
export interface RaftOptions {
  readonly id: NodeId
  /** The only source of chance: time-outs, and the first id of this server's reads. */
  readonly random: Random
  readonly limits: RaftLimits
  /** Ask before raising the term (thesis §9.6). */
  readonly preVote: boolean
  /** A leader steps down when it hears no quorum; a follower of a live leader ignores candidates. */
  readonly checkQuorum: boolean
}

export interface RaftLimits {
  /** An election begins after `electionTicks` to twice as many without a leader. */
  readonly electionTicks: number
  readonly heartbeatTicks: number
  /** After the connection to the leader closed an election begins within so many ticks. */
  readonly lostLeaderTicksMin: number
  readonly lostLeaderTicksMax: number
  readonly entryBytesMax: number
  /** Of the entries of one append. */
  readonly appendBytesMax: number
  /** Sent to one peer and not yet answered. */
  readonly inflightMessagesMax: number
  readonly inflightBytesMax: number
  /** A leader's tail that is not yet committed. */
  readonly uncommittedBytesMax: number
  readonly uncommittedEntriesMax: number
  /** Bytes of the entries that are handed out together to be applied. */
  readonly applyBytesMax: number
  /** Reads that wait for a quorum. */
  readonly pendingReadsMax: number
  /** Of the written entries kept in memory. */
  readonly cacheBytesMax: number
}

/**
 * For a tick of 50 ms: heartbeats each 100 ms, elections after 600 to 1200 ms; after 50 to 150 ms when
 * the connection to the leader closed, for the first of the ticks is already under way.
 */
export const defaultLimits: RaftLimits = {
  electionTicks: 12,
  heartbeatTicks: 2,
  lostLeaderTicksMin: 2,
  lostLeaderTicksMax: 3,
  // A value of 512 KiB in base64, with its key.
  entryBytesMax: 1024 * 1024,
  appendBytesMax: 1024 * 1024,
  inflightMessagesMax: 64,
  inflightBytesMax: 8 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  uncommittedEntriesMax: 50_000,
  applyBytesMax: 4 * 1024 * 1024,
  pendingReadsMax: 10_000,
  cacheBytesMax: 64 * 1024 * 1024,
}

/** Throws unless `options` can work at all: a wrong constant is a defect, found at the start. */
export function checkOptions({ id, limits }: RaftOptions): void {
  assert(id !== '', 'a server has an id')
  for (const [name, value] of Object.entries(limits)) {
    assert(Number.isSafeInteger(value) && value > 0, `${name} is a whole number above 0 (${value})`)
  }
  const { electionTicks, heartbeatTicks, lostLeaderTicksMin, lostLeaderTicksMax } = limits
  assert(electionTicks > heartbeatTicks, 'heartbeats are more frequent than elections')
  assert(lostLeaderTicksMin <= lostLeaderTicksMax, 'lostLeaderTicksMin is the lower one')
}
