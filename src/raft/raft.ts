import { assert, must } from '../base/assert.ts'
import { Election } from './election.ts'
import { Follower } from './follower.ts'
import { Membership } from './membership.ts'
import type { ConfChange } from './membership.ts'
import { isWellFormed } from './message-check.ts'
import type { Entry, Index, NodeId } from './entry.ts'
import type { Message } from './message.ts'
import { checkOptions } from './options.ts'
import type { RaftOptions } from './options.ts'
import { ReadIndex } from './read-index.ts'
import type { ReadState } from './read-queue.ts'
import { isFromLeader, Replication } from './replication.ts'
import { isKnownSender, isTermTooFar } from './sender-check.ts'
import { RaftState } from './state.ts'
import { describe } from './status.ts'
import type { Status } from './status.ts'
import type { HardState, LogReader, LogWrite, SnapshotMeta } from './storage.ts'
import { Transfer } from './transfer.ts'
import type {
  ConfChangeResult,
  Ignored,
  ProposeResult,
  ReadIndexResult,
  TransferResult,
} from './verdict.ts'

/** What a driver has to do, in this order; see driver.ts for the loop. */
export interface Ready {
  /** May be sent immediately, beside the write: they promise nothing that is not on disk. */
  readonly messages: readonly Message[]
  /** Must be durable before `messagesAfterWrite` are sent and `persisted` is called. */
  readonly write: LogWrite | undefined
  /** Answers, and requests for votes: they are true only once the write is on disk. */
  readonly messagesAfterWrite: readonly Message[]
  /** To be applied, in order; then `applied` is called. Only durable entries are handed out. */
  readonly committed: readonly Entry[]
  /** Reads that may be served once `index` is applied, and reads that must be asked again. */
  readonly reads: readonly ReadState[]
}

/**
 * The Raft core: no clock, no chance of its own, no I/O, nothing asynchronous. Inputs change its
 * state; `ready` says what is to be done about it. The same inputs give the same outputs.
 */
export class Raft {
  /** The parts are open to tests, which replace their rules one by one (test/sim/mutants.ts). */
  readonly state: RaftState
  readonly election: Election
  readonly replication: Replication
  readonly follower: Follower
  readonly readIndexes: ReadIndex
  readonly membership: Membership
  readonly transfers: Transfer
  /** Under way to the disk; the hard state in it, to be known as durable then. */
  #writing: HardState | undefined
  #handedOut = false

  /** `applied`: up to where the state machine is. It has restored the newest snapshot before. */
  constructor(options: RaftOptions, reader: LogReader, applied: Index) {
    checkOptions(options)
    this.state = new RaftState(options, reader, applied)
    this.election = new Election(this.state)
    this.replication = new Replication(this.state)
    this.follower = new Follower(this.state)
    this.readIndexes = new ReadIndex(this.state)
    this.membership = new Membership(this.state, this.replication)
    this.transfers = new Transfer(this.state)
  }

  status(): Status {
    return describe(this.state)
  }

  /** A unit of time has passed. After a stall, see {@link file://./ticks.ts}. */
  tick(): void {
    const { state } = this
    state.reads.tick()
    if (this.#writing !== undefined) state.writeTicks++
    if (state.role === 'leader') this.#tickLeader()
    else this.election.tick()
  }

  /** A message has arrived. Returns why it had no effect, if it had none. */
  step(message: Message): Ignored | undefined {
    const { state } = this
    if (message.to !== state.id || message.from === state.id) return 'misaddressed'
    if (!isWellFormed(message)) return 'malformed'
    if (!this.knows(message.from)) return 'not-a-member'
    if (isTermTooFar(message, state.term)) return 'term-too-far'
    if (message.term < state.term) return this.#stepLowerTerm(message)
    if (message.term > state.term) {
      if (this.election.disrupts(message)) return 'leader-alive'
      if (this.#raisesTerm(message)) {
        // §5.1: a server that sees a higher term takes it over and becomes a follower.
        state.becomeFollower(message.term, isFromLeader(message) ? message.from : undefined)
      }
    }
    return this.#dispatch(message)
  }

  /** Messages of `id` count: a member, or any server while no member is known. */
  knows(id: NodeId): boolean {
    const { configs, log, vouched, leader } = this.state
    return isKnownSender({ configs: configs.since(log.commit), vouched, leader }, id)
  }

  /** A member says that `id` is one as well: this server's configuration is behind. */
  vouch(id: NodeId): void {
    this.state.vouched.add(id)
  }

  /** Appends commands to the log: all of them, or none. */
  propose(data: readonly Uint8Array[]): ProposeResult {
    const { state } = this
    const { limits } = state.options
    if (state.role !== 'leader') return { kind: 'not-leader', leader: state.leader }
    if (state.transferee !== undefined) return { kind: 'transferring', to: state.transferee }
    if (data.length === 0) return { kind: 'empty' }
    let bytes = 0
    for (const { length } of data) {
      if (length > limits.entryBytesMax) {
        return { kind: 'too-large', bytes: length, max: limits.entryBytesMax }
      }
      bytes += length
    }
    const waiting = state.log.lastIndex - state.log.commit
    if (
      waiting + data.length > limits.uncommittedEntriesMax ||
      state.uncommittedBytes + bytes > limits.uncommittedBytesMax
    ) {
      return { kind: 'busy', waiting }
    }
    const firstIndex = state.appendOwn('command', data)
    const lastIndex = state.log.lastIndex
    return { kind: 'accepted', term: state.term, firstIndex, lastIndex }
  }

  proposeConfChange(change: ConfChange): ConfChangeResult {
    return this.membership.propose(change)
  }

  /** Asks for an index that makes a read linearizable; the answer comes in `Ready.reads`. */
  readIndex(requestId: number): ReadIndexResult {
    return this.readIndexes.read(requestId)
  }

  /** Hands leadership to `to`; whether it worked shows in the role. */
  transfer(to: NodeId): TransferResult {
    return this.transfers.start(to)
  }

  /** The connection to `id` has closed. A closed one to the leader most often means that it died. */
  connectionLost(id: NodeId): void {
    if (this.state.role === 'leader') this.replication.unreachable(id)
    else if (this.state.leader === id) this.state.loseLeader()
  }

  /** Gives up the lead, if it has it, and forgets who leads. */
  stepDown(): void {
    this.state.becomeFollower(this.state.term, undefined)
  }

  /** Messages to `id` were dropped. */
  unreachable(id: NodeId): void {
    this.replication.unreachable(id)
  }

  /** The transport's report on a `snapshot-request`, due for each one. */
  snapshotSent(id: NodeId, ok: boolean): void {
    this.replication.snapshotSent(id, ok)
  }

  /** The write of the last `Ready` that had one is durable. */
  persisted(): void {
    const { state } = this
    state.durable = must(this.#writing, 'a write is under way')
    this.#writing = undefined
    state.writeTicks = 0
    state.log.batchPersisted()
    this.election.voteForSelf()
    if (state.role === 'leader') this.replication.maybeCommit()
  }

  /** The state machine holds everything up to `index`. */
  applied(index: Index): void {
    this.state.log.appliedTo(index)
  }

  /**
   * What describes a snapshot of the state machine as it is now; undefined while a received one is
   * on its way into it.
   */
  snapshotMeta(): SnapshotMeta | undefined {
    const { log, configs } = this.state
    if (log.isRestoring) return undefined
    const index = log.applied
    const { index: confIndex, config } = configs.at(index)
    return { index, term: must(log.term(index)), config, confIndex }
  }

  /** The oldest entry that a live peer will be sent; Infinity when there is none, as on a follower. */
  neededFrom(): Index {
    return this.replication.neededFrom()
  }

  /** The store has dropped everything up to `index`. */
  compacted(index: Index): void {
    this.state.log.compactedTo(index)
    this.state.configs.compactTo(index)
  }

  /** The work to be done now; undefined when there is none. Each one is ended by `advance`. */
  ready(): Ready | undefined {
    assert(!this.#handedOut, 'one ready at a time')
    const { state } = this
    if (state.role === 'leader') this.#flush()
    const write = this.#takeWrite()
    const messages = state.takeMessages()
    // Nothing is under way and nothing new is to be written: everything they promise is on disk.
    const isIdle = write === undefined && this.#writing === undefined
    if (isIdle && state.hasMessagesAfterWrite) messages.push(...state.takeMessagesAfterWrite())
    const messagesAfterWrite = write === undefined ? [] : state.takeMessagesAfterWrite()
    const committed = state.log.takeCommitted(state.options.limits.applyBytesMax)
    const reads = state.reads.takeResults()
    if (messages.length + committed.length + reads.length === 0 && write === undefined) {
      return undefined
    }
    this.#handedOut = true
    return { messages, write, messagesAfterWrite, committed, reads }
  }

  /** The last `Ready` is done, except for its write, which `persisted` ends. */
  advance(): void {
    assert(this.#handedOut, 'there is a ready to end')
    this.#handedOut = false
  }

  #tickLeader(): void {
    const { state, replication } = this
    const { limits, checkQuorum } = state.options
    state.electionElapsed++
    state.heartbeatElapsed++
    replication.tickCatchUp()
    if (state.electionElapsed >= limits.electionTicks) {
      state.electionElapsed = 0
      this.transfers.abort()
      // §6.2 of the thesis: a leader that hears no quorum steps down.
      const isDeposed = checkQuorum && !replication.isQuorumActive()
      replication.forgetActive()
      if (isDeposed) return state.becomeFollower(state.term, undefined)
    }
    // A disk that hangs must cost leadership: heartbeats would only hide it.
    if (state.writeTicks >= limits.electionTicks) {
      return state.becomeFollower(state.term, undefined)
    }
    if (state.heartbeatElapsed >= limits.heartbeatTicks) {
      state.heartbeatElapsed = 0
      state.reads.makeToken()
      replication.heartbeat()
    }
  }

  /** A pre-vote and its grant name a term that no server has yet. */
  #raisesTerm(message: Message): boolean {
    if (message.type === 'pre-vote-request') return false
    return message.type !== 'pre-vote-response' || !message.granted
  }

  #stepLowerTerm(message: Message): Ignored {
    if (message.type === 'pre-vote-request') {
      this.election.refuseLowerTerm(message)
    } else if (isFromLeader(message) && message.type !== 'timeout-now') {
      // Its sender cannot learn the higher term from a vote, if those are held back: tell it.
      this.follower.refuseLowerTerm(message.from)
    }
    return 'lower-term'
  }

  #dispatch(message: Message): Ignored | undefined {
    const { state, election, replication, follower, readIndexes } = this
    if (isFromLeader(message)) {
      assert(state.role !== 'leader', `one leader in term ${state.term} (§5.2)`)
      // §5.2: a candidate that hears the leader of its term gives up.
      if (state.role !== 'follower') state.becomeFollower(message.term, message.from)
    }
    switch (message.type) {
      case 'pre-vote-request':
      case 'vote-request':
        election.handleVoteRequest(message)
        return undefined
      case 'pre-vote-response':
        return election.handlePreVoteResponse(message)
      case 'vote-response':
        return election.handleVoteResponse(message)
      case 'append-request':
        follower.handleAppend(message)
        return undefined
      case 'heartbeat':
        follower.handleHeartbeat(message)
        return undefined
      case 'snapshot-request':
        follower.handleSnapshot(message)
        return undefined
      case 'timeout-now':
        return election.handleTimeoutNow(message)
      case 'read-request':
        return readIndexes.handleRequest(message)
      case 'read-response':
        return readIndexes.handleResponse(message)
      case 'append-response': {
        if (state.role !== 'leader') return 'out-of-date'
        const ignored = replication.handleAppendResponse(message)
        this.transfers.advance(message.from)
        return ignored
      }
      case 'heartbeat-response': {
        if (state.role !== 'leader') return 'out-of-date'
        readIndexes.handleAck(message)
        return replication.handleHeartbeatResponse(message)
      }
    }
  }

  /** A leader's messages, made once for all the input since the last `ready`. */
  #flush(): void {
    if (this.readIndexes.startRound()) {
      this.replication.heartbeat()
      this.state.heartbeatElapsed = 0
    }
    this.replication.flush()
  }

  #takeWrite(): LogWrite | undefined {
    const { state } = this
    const { term, vote, durable, log } = state
    if (this.#writing !== undefined) return undefined
    const batch = log.takeBatch()
    // A commit index alone is not worth a sync: it is learned again.
    if (batch === undefined && term === durable.term && vote === durable.vote) return undefined
    this.#writing = { term, vote, commit: log.commit }
    const none = { snapshot: undefined, truncateFrom: undefined, entries: [] }
    return { hardState: this.#writing, ...(batch ?? none) }
  }
}
