import { encodeConfig, isVoter } from './config.ts'
import type { Config } from './config.ts'
import type { Index, NodeId } from './entry.ts'
import { hasQuorum } from './quorum.ts'
import type { Replication } from './replication.ts'
import type { RaftState } from './state.ts'
import type { ConfChangeRefusal, ConfChangeResult } from './verdict.ts'

/** One server at a time: any two successive quorums then overlap (thesis §4.1). */
export type ConfChange =
  | { readonly kind: 'add-learner'; readonly id: NodeId; readonly address: string }
  | { readonly kind: 'promote'; readonly id: NodeId; readonly force?: boolean }
  | { readonly kind: 'demote'; readonly id: NodeId; readonly force?: boolean }
  | { readonly kind: 'remove'; readonly id: NodeId; readonly force?: boolean }
  /** The same server at another address: no quorum changes. */
  | { readonly kind: 'move'; readonly id: NodeId; readonly address: string }

/** Changes of the configuration (§6). A new one is in force as soon as it is in the log. */
export class Membership {
  readonly #state: RaftState
  readonly #replication: Replication

  constructor(state: RaftState, replication: Replication) {
    this.#state = state
    this.#replication = replication
  }

  propose(change: ConfChange): ConfChangeResult {
    const state = this.#state
    const { config, index: confIndex } = state.configs.latest
    if (state.role !== 'leader') return { kind: 'not-leader', leader: state.leader }
    if (state.transferee !== undefined) return { kind: 'transferring', to: state.transferee }
    if (this.isInFlight()) return { kind: 'change-in-flight', index: confIndex }
    if (!this.isReady()) return { kind: 'not-ready' }
    const reason = this.refuse(config, change)
    if (reason !== undefined) return { kind: 'refused', reason }
    const next = applyChange(config, change, confIndex)
    return this.#append(next)
  }

  isInFlight(): boolean {
    return this.#state.configs.latest.index > this.#state.log.commit
  }

  /**
   * A leader first commits an entry of its own term: otherwise a change that an earlier leader left
   * uncommitted could still come into force beside this one, without overlap (the 2015 correction).
   */
  isReady(): boolean {
    return this.#state.log.commit >= this.#state.termStart
  }

  /** Undefined when `change` makes sense and leaves a quorum that answers. */
  refuse(config: Config, change: ConfChange): ConfChangeRefusal | undefined {
    const isLearner = config.learners.includes(change.id)
    const isMember = isLearner || isVoter(config, change.id)
    if (change.kind === 'add-learner') {
      if (change.id === '') return 'invalid-id'
      return isMember ? 'already-a-member' : undefined
    }
    if (!isMember) return 'not-a-member'
    if (change.kind === 'move') {
      return config.addresses[change.id] === change.address ? 'already-there' : undefined
    }
    if (change.kind === 'promote') {
      if (!isLearner) return 'not-a-learner'
      if (change.force !== true && !this.#keepsUp(change.id)) return 'learner-behind'
    } else if (change.kind === 'demote' && isLearner) return 'not-a-voter'
    const next = applyChange(config, change, 0)
    if (next.voters.length === 0) return 'last-voter'
    return change.force === true || this.#isLive(next) ? undefined : 'quorum-not-live'
  }

  #keepsUp(id: NodeId): boolean {
    return this.#state.progress.get(id)?.caughtUp === true && this.#replication.isActive(id)
  }

  #isLive(config: Config): boolean {
    return hasQuorum(config, (id) => this.#replication.isActive(id))
  }

  #append(config: Config): ConfChangeResult {
    const state = this.#state
    const index = state.appendOwn('config', [encodeConfig(config)])
    state.configs.place(index, config)
    state.trackMembers(index)
    return { kind: 'accepted', term: state.term, firstIndex: index, lastIndex: index }
  }
}

function applyChange(config: Config, change: ConfChange, prevConfIndex: Index): Config {
  const others = (ids: readonly NodeId[]) => ids.filter((id) => id !== change.id)
  const and = (ids: readonly NodeId[]) => [...others(ids), change.id].toSorted()
  const { voters, learners, addresses, votersOutgoing } = config
  const rest = { addresses, votersOutgoing, prevConfIndex }
  switch (change.kind) {
    case 'add-learner': {
      const known = { ...addresses, [change.id]: change.address }
      return { ...rest, voters, learners: and(learners), addresses: known }
    }
    case 'promote':
      return { ...rest, voters: and(voters), learners: others(learners) }
    case 'demote':
      return { ...rest, voters: others(voters), learners: and(learners) }
    case 'move':
      return { ...rest, voters, learners, addresses: { ...addresses, [change.id]: change.address } }
    case 'remove': {
      const { [change.id]: _gone, ...known } = addresses
      return { ...rest, voters: others(voters), learners: others(learners), addresses: known }
    }
  }
}
