import type { Random } from '../base/random.ts'
import { stampProposal } from '../catalog/command.ts'
import { boot } from '../raft/driver.ts'
import type { Driver } from '../raft/driver.ts'
import { isVoter } from '../raft/config.ts'
import type { Index, NodeId } from '../raft/entry.ts'
import type { Message } from '../raft/message.ts'
import { hasQuorum } from '../raft/quorum.ts'
import { defaultLimits } from '../raft/options.ts'
import type { RaftLimits } from '../raft/options.ts'
import type { ReadState } from '../raft/read-queue.ts'
import type { Status } from '../raft/status.ts'
import type { LogStore, StateMachine } from '../raft/storage.ts'
import type { Transport } from '../raft/driver.ts'
import { AppliedWaits } from './applied-waits.ts'
import { LeaderLease } from './leader-lease.ts'
import { Proposals } from './proposals.ts'
import type { ProposalResult, ProposalsParts } from './proposals.ts'
import { SnapshotBackOff } from './snapshot-back-off.ts'

export interface RaftServerParts {
  readonly id: NodeId
  readonly store: LogStore
  readonly machine: StateMachine
  readonly transport: Transport
  readonly forward: ProposalsParts['forward']
  readonly random: Random
  readonly nowMs: () => number
  readonly wallMs: () => number
  /** After everything that a turn did: what it sent, wrote and applied is out. */
  readonly onTurn: () => void
  /**
   * Until when, on the clock of `nowMs`, this server may answer as its cluster's leader without asking
   * anybody: 0 = not at all, Infinity = it is alone.
   */
  readonly onLease: (untilMs: number) => void
  readonly limits?: Partial<RaftLimits>
}

interface PendingRead {
  readonly settle: (isReady: boolean) => void
  readonly deadlineMs: number
}

/** Written entries kept in memory: what followers that keep up are sent. Others are read from disk. */
const cacheBytesMax = 16 * 1024 * 1024
/** How long a write waits for a leader and a quorum, as Consul's rpc_hold_timeout. */
const holdMs = 7000
/**
 * How long a leader may answer unasked after it has sent what a quorum has answered, as Consul's
 * leader lease. Followers ignore candidates for 12 ticks of 50 ms, less the one that was under way.
 */
const leaseMs = 500
/** How long a forwarded write waits until it can be read here. */
const visibleMs = 1000

/**
 * One Raft server: the core with its driver, the writes and reads that wait for it. It has no
 * threads, sockets or timers of its own; inputs come as calls, each followed by one {@link turn}.
 */
export class RaftServer {
  readonly driver: Driver
  readonly proposals: Proposals
  readonly #parts: RaftServerParts
  readonly #waits: AppliedWaits
  readonly #lease = new LeaderLease(leaseMs)
  readonly #backOff: SnapshotBackOff
  readonly #reads = new Map<number, PendingRead>()
  #nextRead = 1
  #leaseUntilMs = 0
  #isPaused = false

  constructor(parts: RaftServerParts) {
    this.#parts = parts
    const { id, random, store, machine, transport, nowMs } = parts
    this.#backOff = new SnapshotBackOff(random)
    this.#waits = new AppliedWaits(() => machine.appliedIndex(), nowMs)
    this.proposals = new Proposals({
      append: (proposals) => this.#append(proposals),
      leader: () => this.#foreignLeader(),
      isLeader: () => this.isLeader,
      forward: parts.forward,
      whenApplied: (index) => this.#waits.wait(index, visibleMs),
      nowMs,
    })
    const limits = { ...defaultLimits, cacheBytesMax, ...parts.limits }
    this.driver = boot(
      { id, random, limits, preVote: true, checkQuorum: true },
      { store, machine, transport: this.#noted(transport), onRead: (read) => this.#onRead(read) },
    )
  }

  get status(): Status {
    return this.driver.raft.status()
  }

  get isLeader(): boolean {
    return this.driver.raft.state.role === 'leader'
  }

  get appliedIndex(): Index {
    return this.#parts.machine.appliedIndex()
  }

  /**
   * As if the process stood still: it neither hears nor says anything, and applies nothing. What it
   * led before finds another leader.
   */
  pause(): void {
    this.#isPaused = true
    this.#leaseUntilMs = 0
    this.#parts.onLease(0)
  }

  resume(): void {
    this.#isPaused = false
    this.turn()
  }

  /** Does all that the inputs since the last turn have made due. */
  turn(): void {
    if (this.#isPaused) return
    this.proposals.pump()
    // Before a hand-over leaves, and again for what this turn brings.
    this.#updateLease()
    this.driver.run()
    if (!this.isLeader) this.#backOff.clear()
    this.#updateLease()
    this.#waits.check()
    this.#parts.onTurn()
  }

  tick(count: number): void {
    if (this.#isPaused) return
    for (let tick = 0; tick < count; tick++) this.driver.raft.tick()
    this.proposals.expire()
    this.#expireReads()
    for (const id of this.#backOff.takeDue(this.#parts.nowMs())) {
      this.driver.raft.snapshotSent(id, false)
    }
    this.turn()
  }

  /** The last connection with that server has closed; a {@link turn} is due. */
  connectionLost(id: NodeId): void {
    this.driver.raft.connectionLost(id)
    this.#backOff.connectionLost(id, this.#parts.nowMs())
  }

  /**
   * The transport's report on a snapshot; a {@link turn} is due. The core hears of a failure when its
   * wait is over, for it sends the next one at once, of whatever the newest snapshot is then.
   */
  snapshotSent(id: NodeId, ok: boolean): void {
    if (!ok) return this.#backOff.failed(id, this.#parts.nowMs())
    this.#backOff.succeeded(id)
    this.driver.raft.snapshotSent(id, true)
  }

  /** The one voter of a cluster need not wait whether another one leads. */
  leadAlone(): void {
    const { config, id } = this.driver.raft.state
    if (!isVoter(config, id) || config.voters.length + config.votersOutgoing.length !== 1) return
    this.driver.raft.election.campaign('election')
    this.turn()
  }

  /** A message of another server; a {@link turn} is due after the last one that came with it. */
  step(message: Message): void {
    if (this.#isPaused) return
    this.driver.raft.step(message)
  }

  /** Settles when the command is applied here, or failed. A {@link turn} is due. */
  propose(json: string, mayForward: boolean, settle: (result: ProposalResult) => void): void {
    const deadlineMs = this.#parts.nowMs() + holdMs
    this.proposals.submit({ json, deadlineMs, mayForward, settle })
  }

  /**
   * Resolves true when a read of the local catalog sees every write acknowledged before the call
   * (ReadIndex, thesis §6.4); false when no leader confirmed it in time.
   */
  async readBarrier(): Promise<boolean> {
    const deadlineMs = this.#parts.nowMs() + holdMs
    while (this.#parts.nowMs() < deadlineMs) {
      if (await this.#readOnce(deadlineMs)) return true
      await this.#nextChance()
    }
    return false
  }

  #readOnce(deadlineMs: number): Promise<boolean> {
    const requestId = this.#nextRead++
    const result = this.driver.raft.readIndex(requestId)
    if (result.kind !== 'pending') return Promise.resolve(false)
    return new Promise((resolve) => {
      this.#reads.set(requestId, { settle: resolve, deadlineMs })
      this.turn()
    })
  }

  /** A tick's length or so: a leader may be known then. */
  #nextChance(): Promise<void> {
    return this.#waits.wait(Number.MAX_SAFE_INTEGER, 50)
  }

  #onRead(read: ReadState): void {
    const pending = this.#reads.get(read.requestId)
    this.#reads.delete(read.requestId)
    pending?.settle(read.kind === 'ready')
  }

  /** One that was confirmed waits for its entry to be applied, and a server that was cut off may not. */
  #expireReads(): void {
    const nowMs = this.#parts.nowMs()
    for (const [id, { settle, deadlineMs }] of this.#reads) {
      if (deadlineMs > nowMs) continue
      this.#reads.delete(id)
      settle(false)
    }
  }

  #noted(transport: Transport): Transport {
    return {
      send: (messages) => {
        if (this.isLeader) this.#lease.note(messages, this.#parts.nowMs())
        for (const { type, to } of messages)
          if (type === 'snapshot-request') this.#backOff.began(to)
        transport.send(messages)
      },
    }
  }

  #updateLease(): void {
    const { state, readIndexes } = this.driver.raft
    const { config, role, term, termStart, transferee, id } = state
    if (role !== 'leader' && this.#leaseUntilMs === 0) return
    const isReady = role === 'leader' && this.appliedIndex >= termStart
    const untilMs = this.#lease.until({
      isLeader: isReady && transferee === undefined,
      isAlone: hasQuorum(config, (voter) => voter === id),
      term,
      confirmedToken: role === 'leader' ? readIndexes.confirmedToken : 0,
    })
    if (untilMs === this.#leaseUntilMs) return
    this.#leaseUntilMs = untilMs
    this.#parts.onLease(untilMs)
  }

  #foreignLeader(): NodeId | undefined {
    const { leader, id } = this.driver.raft.state
    return leader === id ? undefined : leader
  }

  #append(proposals: readonly string[]): ReturnType<ProposalsParts['append']> {
    const timeMs = this.#parts.wallMs()
    return this.driver.raft.propose(proposals.map((proposal) => stampProposal(proposal, timeMs)))
  }
}
