import type {
  Message,
  PreVoteRequest,
  PreVoteResponse,
  TimeoutNow,
  VoteRequest,
  VoteResponse,
} from './message.ts'
import { voteResult } from './quorum.ts'
import type { RaftState } from './state.ts'
import type { Ignored } from './verdict.ts'

type Request = VoteRequest | PreVoteRequest

/** Leader election (§5.2), its restriction (§5.4.1), and the pre-vote before it (thesis §9.6). */
export class Election {
  readonly #state: RaftState

  constructor(state: RaftState) {
    this.#state = state
  }

  /** One tick of anyone but a leader. */
  tick(): void {
    const state = this.#state
    state.electionElapsed++
    if (state.electionElapsed < state.electionTimeout) return
    state.electionElapsed = 0
    if (state.mayCampaign) {
      this.campaign(state.options.preVote ? 'pre-election' : 'election')
    } else if (state.leader !== undefined) {
      state.becomeFollower(state.term, undefined)
    }
  }

  /**
   * `transfer`: the leader asked for this election, so no server is asked whether the
   * leader is alive. Requests go to every voter; none to a learner that is not known to be one.
   */
  campaign(kind: 'pre-election' | 'election' | 'transfer'): void {
    const state = this.#state
    if (kind === 'pre-election') state.becomePreCandidate()
    else state.becomeCandidate()
    const { lastIndex, lastTerm } = state.log
    const { voters, votersOutgoing } = state.config
    for (const to of [...new Set([...voters, ...votersOutgoing])].toSorted()) {
      if (to === state.id) continue
      const request = { to, lastIndex, lastTerm }
      if (kind === 'pre-election') {
        state.send({ ...request, type: 'pre-vote-request', term: state.term + 1 })
      } else {
        const transfer = kind === 'transfer'
        state.send({ ...request, type: 'vote-request', term: state.term, transfer })
      }
    }
    // A pre-vote promises nothing. The vote itself counts once it is on disk, see `voteForSelf`.
    if (kind === 'pre-election') this.#count(state.id, true)
  }

  /** This server's own vote, when it is durable. */
  voteForSelf(): void {
    const { role, durable, term, id } = this.#state
    if (role === 'candidate' && durable.term === term && durable.vote === id) this.#count(id, true)
  }

  /**
   * True for what would unseat a leader who is alive: a candidate that was removed or hears too little (§6),
   * and a late answer in an election that this server no longer holds. Its term must not be taken over
   * either. If the sender must be brought back, the leader's own messages make it tell that term.
   */
  disrupts(message: Message): boolean {
    if (!this.#state.hasLiveLeader) return false
    if (message.type === 'vote-request') return !message.transfer
    if (message.type === 'pre-vote-response') return !message.granted
    return message.type === 'pre-vote-request' || message.type === 'vote-response'
  }

  handleVoteRequest(request: Request): void {
    const state = this.#state
    const granted = this.canVoteFor(request) && this.isUpToDate(request)
    if (request.type === 'pre-vote-request') {
      // A granted pre-vote speaks of the term that would be; a refusal tells the term that is.
      const term = granted ? request.term : state.term
      state.send({ type: 'pre-vote-response', to: request.from, term, granted })
      return
    }
    if (granted) {
      state.vote = request.from
      state.electionElapsed = 0
    }
    state.send({ type: 'vote-response', to: request.from, term: state.term, granted })
  }

  /** §5.2: one vote in a term, first come, first served; the same candidate may ask again. */
  canVoteFor(request: Request): boolean {
    const { vote, leader, term } = this.#state
    if (request.type === 'pre-vote-request' && request.term > term) return true
    return vote === request.from || (vote === undefined && leader === undefined)
  }

  isUpToDate({ lastIndex, lastTerm }: Request): boolean {
    return this.#state.log.isUpToDate(lastIndex, lastTerm)
  }

  /** Tells a pre-candidate of an earlier term what the term is. Otherwise it would ask forever. */
  refuseLowerTerm(request: PreVoteRequest): void {
    const { term } = this.#state
    this.#state.send({ type: 'pre-vote-response', to: request.from, term, granted: false })
  }

  handlePreVoteResponse({ from, term, granted }: PreVoteResponse): Ignored | undefined {
    const state = this.#state
    if (state.role !== 'pre-candidate') return 'out-of-date'
    if (granted && term !== state.term + 1) return 'out-of-date'
    this.#count(from, granted)
    return undefined
  }

  handleVoteResponse({ from, granted }: VoteResponse): Ignored | undefined {
    if (this.#state.role !== 'candidate') return 'out-of-date'
    this.#count(from, granted)
    return undefined
  }

  handleTimeoutNow({ from }: TimeoutNow): Ignored | undefined {
    const { role, leader, mayCampaign } = this.#state
    if (role !== 'follower' || !mayCampaign) return 'out-of-date'
    if (leader !== undefined && leader !== from) return 'out-of-date'
    this.campaign('transfer')
    return undefined
  }

  #count(from: string, granted: boolean): void {
    const state = this.#state
    // The first answer stands: a repeated message is not a second vote.
    if (!state.votes.has(from)) state.votes.set(from, granted)
    const result = voteResult(state.config, state.votes)
    if (result === 'lost') state.becomeFollower(state.term, undefined)
    if (result !== 'won') return
    if (state.role === 'pre-candidate') this.campaign('election')
    else state.becomeLeader()
  }
}
