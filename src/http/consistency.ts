import type { FastifyReply } from 'fastify'
import type { Clock } from '../base/clock.ts'
import { svcdError } from '../base/errors.ts'
import type { Freshness } from '../ports/freshness.ts'
import type { Consistency } from './parameters.ts'

const leaderPollMs = 50

export interface ReachContext {
  readonly freshness: Freshness
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** How long a read that needs a leader waits for one. */
  readonly leaderWaitMs: number
  /** A server that stops waits for no leader any more. */
  readonly isStopping: () => boolean
}

/**
 * Resolves when a read of this server's own catalog is as fresh as requested: `stale` immediately;
 * `leader` and `consistent` after a quorum has confirmed the leader (ReadIndex, thesis §6.4).
 * Otherwise a deposed leader would answer from a copy that misses newer writes. A server that is a
 * quorum alone need not ask for `leader`. Rejects with `no-leader`.
 */
export async function reach(context: ReachContext, consistency: Consistency): Promise<void> {
  if (consistency === 'stale') return
  await leaderKnown(context)
  const { freshness } = context
  if (consistency === 'leader' && freshness.isAlone()) return
  await freshness.barrier()
}

async function leaderKnown(context: ReachContext): Promise<void> {
  const { freshness, clock, leaderWaitMs, isStopping } = context
  const deadline = clock.monotonicMs() + leaderWaitMs
  while (freshness.leader() === '') {
    const refusal = freshness.outOfService()
    if (refusal !== undefined) throw refusal
    if (isStopping()) throw svcdError('stopping', {})
    if (clock.monotonicMs() >= deadline) throw svcdError('no-leader', {})
    await new Promise((resolve) => setTimeout(resolve, leaderPollMs))
  }
}

/** What an answer says of its own freshness, in Consul's headers. */
export function addReadHeaders(
  reply: FastifyReply,
  freshness: Freshness,
  consistency: Consistency,
  index: number | string,
): void {
  const isStale = consistency === 'stale'
  // The others are as fresh as the leader was when it was asked.
  const isLeaderKnown = !isStale || freshness.leader() !== ''
  reply
    .header('X-Consul-Index', index)
    .header('X-Consul-KnownLeader', String(isLeaderKnown))
    .header('X-Consul-LastContact', isStale ? freshness.lastContactMs() : 0)
    .header('X-Consul-Effective-Consistency', consistency)
}
