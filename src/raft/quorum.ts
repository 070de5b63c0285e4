import type { Config } from './config.ts'
import type { Index, NodeId } from './entry.ts'

/** How many of `count` voters are a majority of them. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1
}

/** True when a majority of each half of `config` satisfies `has`; false without voters. */
export function hasQuorum(config: Config, has: (id: NodeId) => boolean): boolean {
  return everyHalf(config, (voters) => voters.filter(has).length >= majority(voters.length))
}

/** The highest index that a quorum holds, when `matchOf` tells what each voter holds (§5.3). */
export function committedIndex(config: Config, matchOf: (id: NodeId) => Index): Index {
  const ofHalf = (voters: readonly NodeId[]): Index =>
    voters.map(matchOf).toSorted((a, b) => b - a)[majority(voters.length) - 1] ?? 0
  if (config.votersOutgoing.length === 0) return ofHalf(config.voters)
  return Math.min(ofHalf(config.voters), ofHalf(config.votersOutgoing))
}

export type VoteResult = 'won' | 'lost' | 'pending'

/** The state of an election, given the votes that have arrived: true for granted. */
export function voteResult(config: Config, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  if (hasQuorum(config, (id) => votes.get(id) === true)) return 'won'
  // Lost once those who have not refused are not a quorum any more.
  return hasQuorum(config, (id) => votes.get(id) !== false) ? 'pending' : 'lost'
}

function everyHalf(config: Config, holds: (voters: readonly NodeId[]) => boolean): boolean {
  return (
    holds(config.voters) && (config.votersOutgoing.length === 0 || holds(config.votersOutgoing))
  )
}
