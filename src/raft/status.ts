import type { Config } from './config.ts'
import type { Index, NodeId, Term } from './entry.ts'
import type { ProgressState } from './progress.ts'
import type { RaftState, Role } from './state.ts'

/** For metrics, the operator, and the bound on stale reads. */
export interface Status {
  readonly id: NodeId
  readonly role: Role
  readonly term: Term
  readonly leader: NodeId | undefined
  readonly lastIndex: Index
  readonly commit: Index
  readonly applied: Index
  readonly config: Config
  /** Ticks since this server heard its leader; 0 on the leader. */
  readonly leaderContactTicks: number
  readonly transferee: NodeId | undefined
  /** A leader's view of the members, itself left out. */
  readonly peers: readonly PeerStatus[]
}

export interface PeerStatus {
  readonly id: NodeId
  readonly state: ProgressState
  readonly match: Index
  readonly next: Index
  readonly isActive: boolean
  /** A learner that may be promoted. */
  readonly isCaughtUp: boolean
}

export function describe(state: RaftState): Status {
  const { id, role, term, leader, log, config, transferee } = state
  const peers = [...state.progress]
    .filter(([peer]) => peer !== id)
    .map(([peer, progress]) => ({
      id: peer,
      state: progress.state,
      match: progress.match,
      next: progress.next,
      isActive: progress.recentActive,
      isCaughtUp: progress.caughtUp,
    }))
  const { lastIndex, commit, applied } = log
  const leaderContactTicks = role === 'leader' ? 0 : state.electionElapsed
  return {
    id,
    role,
    term,
    leader,
    lastIndex,
    commit,
    applied,
    config,
    leaderContactTicks,
    transferee,
    peers,
  }
}
