import type { Random } from '../base/random.ts'
import type { Command } from '../state/machine/command.ts'
import { boot } from '../raft/driver.ts'
import type { Driver } from '../raft/driver.ts'
import { isVoter } from '../raft/config.ts'
import type { Index, NodeId, Term } from '../raft/entry.ts'
import type { Message } from '../raft/message.ts'
import { hasQuorum } from '../raft/quorum.ts'
import { defaultLimits } from '../raft/options.ts'
import type { RaftLimits } from '../raft/options.ts'
import type { ReadState } from '../raft/read-queue.ts'
import type { Status } from '../raft/status.ts'
import type { Ignored } from '../raft/verdict.ts'
import type { LogStore, StateMachine } from '../raft/storage.ts'
import type { Transport } from '../raft/driver.ts'
import { AppliedWaits } from './writes/applied-waits.ts'
import { Proposals } from './writes/proposals.ts'
import type {
  Failure,
  PrintedProposal,
  ProposalResult,
  ProposalsParts,
} from './writes/proposals.ts'
import { stampAll, stamped } from './writes/log-entry.ts'
import { ParsedCommands } from './writes/parsed-commands.ts'
import { SnapshotBackOff } from './state/snapshot-back-off.ts'

export interface RaftServerParts {
  readonly id: NodeId
  readonly store: LogStore
  readonly machine: StateMachine
  readonly transport: Transport
  readonly forward: ProposalsParts['forward']
  readonly random: Random
  readonly nowMs: () => number
  readonly wallMs: () => number
  /** After a whole turn: everything that it sent, wrote and applied is out. */
  readonly onTurn: () => void
  /** Whether this server leads and is a quorum by itself; see {@link RaftServer.isAlone}. */
  readonly onAlone: (isAlone: boolean) => void
  /**
   * A turn failed, most often because the disk did. The state that it left is unknown, so the
   * process must end. In a promise (an operation, a request of another server) the error alone
   * would only be its rejection.
   */
  readonly onFatal?: (error: unknown) => void
  readonly limits?: Partial<RaftLimits>
  /** How long a write or a read waits for a leader and a quorum; the simulator waits for less. */
  readonly holdMs?: number
  readonly refusal?: ProposalsParts['refusal']
}

interface PendingRead {
  readonly settle: (isReady: boolean) => void
  readonly deadlineMs: number
}

/** Why a server waits: it may have been left behind by a recovery; its state is being rebuilt. */
export type Hold = 'epoch' | 'state'

/** Written entries kept in memory: what followers that keep up are sent. Others are read from disk. */
const cacheBytesMax = 2 * 1024 * 1024
/** How long a write waits for a leader and a quorum, as Consul's rpc_hold_timeout. */
const defaultHoldMs = 7000
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
  readonly #backOff: SnapshotBackOff
  readonly #reads = new Map<number, PendingRead>()
  readonly #parsed = new ParsedCommands()
  #nextRead = 1
  #wasAlone = false
  readonly #holds = new Set<Hold>()
  /** Why it takes no part in its cluster any more, in this process. */
  fencedWith: Failure | undefined

  constructor(parts: RaftServerParts) {
    this.#parts = parts
    const { id, random, store, machine, transport, nowMs } = parts
    this.#backOff = new SnapshotBackOff(random)
    this.#waits = new AppliedWaits(() => machine.appliedIndex(), nowMs)
    this.proposals = new Proposals({
      append: (proposals) => this.#append(proposals),
      leader: () => this.#foreignLeader(),
      isLeader: () => this.isLeader,
      isInLog: (index, term) => this.isInLog(index, term),
      refusal: parts.refusal,
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

  get #holdMs(): number {
    return this.#parts.holdMs ?? defaultHoldMs
  }

  get status(): Status {
    return this.driver.raft.status()
  }

  get isLeader(): boolean {
    return this.driver.raft.state.role === 'leader'
  }

  /** Synced or not, committed or not; false for what was compacted. */
  isInLog(index: Index, term: Term): boolean {
    return this.driver.raft.state.log.matches(index, term)
  }

  get appliedIndex(): Index {
    return this.#parts.machine.appliedIndex()
  }

  /**
   * It leads, has applied an entry of its own term, and is a quorum by itself. No other server can be
   * elected without it, so that its own copy holds all that was acknowledged.
   */
  get isAlone(): boolean {
    const { config, termStart, id } = this.driver.raft.state
    return (
      this.isLeader &&
      this.appliedIndex >= termStart &&
      !this.#holds.has('state') &&
      hasQuorum(config, (voter) => voter === id)
    )
  }

  get #takesPart(): boolean {
    return this.#holds.size === 0 && this.fencedWith === undefined
  }

  /** Does all that the inputs since the last turn have made due. */
  turn(): void {
    if (!this.#holds.has('state')) this.#run()
    this.#waits.check()
    this.#parts.onTurn()
  }

  #run(): void {
    try {
      this.proposals.pump()
      // Before a change of the members leaves, and again for what this turn brings.
      this.#noteAlone()
      this.driver.run()
      if (!this.isLeader) this.#backOff.clear()
      this.#noteAlone()
    } catch (error) {
      this.#parts.onFatal?.(error)
      throw error
    }
  }

  tick(count: number): void {
    for (let tick = 0; tick < count && this.#takesPart; tick++) this.driver.raft.tick()
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
   * The transport's report on a snapshot; a {@link turn} is due. The core learns of a failure when
   * its wait is over, because it sends the next one immediately, of the newest snapshot at that
   * time.
   */
  snapshotSent(id: NodeId, ok: boolean): void {
    if (!ok) return this.#backOff.failed(id, this.#parts.nowMs())
    this.#backOff.succeeded(id)
    this.driver.raft.snapshotSent(id, true)
  }

  /**
   * Neither votes, leads nor follows until {@link takePart} for the same reason. With a damaged
   * state it applies and sends nothing either: as if the process were stopped. A {@link turn} is
   * due after takePart.
   */
  holdBack(hold: Hold): void {
    this.#holds.add(hold)
    if (hold !== 'state') return
    this.#noteAlone()
    this.#endReads()
  }

  takePart(hold: Hold): void {
    this.#holds.delete(hold)
  }

  /** Leads, votes and follows no more; `refusal` is the result of every write. */
  fence(refusal: Failure): void {
    this.fencedWith = refusal
    this.driver.raft.stepDown()
    this.proposals.end(refusal)
    this.#endReads()
    this.turn()
  }

  /** It is given up, for another one on a new state; `refusal` is the result of what waits. */
  end(refusal: Failure): void {
    this.holdBack('state')
    this.proposals.end(refusal)
  }

  /** The one voter of a cluster need not wait whether another one leads. */
  leadAlone(): void {
    const { config, id } = this.driver.raft.state
    if (!this.#takesPart) return
    if (!isVoter(config, id) || config.voters.length + config.votersOutgoing.length !== 1) return
    this.driver.raft.election.campaign('election')
    this.turn()
  }

  /**
   * A message of another server; a {@link turn} is due after the last one that came with it. Returns why it
   * had no effect, if it had none.
   */
  step(message: Message): Ignored | undefined {
    return this.#takesPart ? this.driver.raft.step(message) : undefined
  }

  /** Settles when the command is applied here, or failed. A {@link turn} is due. */
  propose(
    { bytes, parsed }: PrintedProposal,
    mayForward: boolean,
    settle: (result: ProposalResult) => void,
  ): void {
    const deadlineMs = this.#parts.nowMs() + this.#holdMs
    this.proposals.submit({ bytes, parsed, deadlineMs, mayForward, settle })
  }

  /**
   * Resolves true when a read of the local catalog sees every write acknowledged before the call
   * (ReadIndex, thesis §6.4); false when no leader confirmed it in time. A {@link turn} is due: all
   * that ask before it share one round.
   */
  async readBarrier(): Promise<boolean> {
    const deadlineMs = this.#parts.nowMs() + this.#holdMs
    for (let tries = 0; this.#parts.nowMs() < deadlineMs && this.#canRead; tries++) {
      const isHeld = this.#readOnce(deadlineMs)
      // Of the first one the caller takes care.
      if (tries > 0) this.turn()
      if (await isHeld) return true
      await this.#nextChance()
    }
    return false
  }

  get #canRead(): boolean {
    return this.fencedWith === undefined && !this.#holds.has('state')
  }

  #endReads(): void {
    for (const { settle } of this.#reads.values()) settle(false)
    this.#reads.clear()
  }

  #readOnce(deadlineMs: number): Promise<boolean> {
    const requestId = this.#nextRead++
    const result = this.driver.raft.readIndex(requestId)
    if (result.kind !== 'pending') return Promise.resolve(false)
    return new Promise((resolve) => {
      this.#reads.set(requestId, { settle: resolve, deadlineMs })
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

  /**
   * A confirmed read waits for its entry to be applied, which a server that was cut off may never
   * do.
   */
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
        for (const { type, to } of messages)
          if (type === 'snapshot-request') this.#backOff.began(to)
        transport.send(messages)
      },
    }
  }

  #noteAlone(): void {
    const { isAlone } = this
    if (isAlone === this.#wasAlone) return
    this.#wasAlone = isAlone
    this.#parts.onAlone(isAlone)
  }

  #foreignLeader(): NodeId | undefined {
    const { leader, id } = this.driver.raft.state
    return leader === id ? undefined : leader
  }

  /** The command of an entry that is applied, if this server has parsed it before. */
  takeParsed(index: Index, term: Term): Command | undefined {
    return this.#parsed.take(index, term)
  }

  /** A snapshot has replaced the state and the log up to `index`. */
  onRestored(index: Index): void {
    this.#parsed.dropTo(index)
    this.proposals.onRestored(index)
  }

  #append(proposals: readonly PrintedProposal[]): ReturnType<ProposalsParts['append']> {
    const timeMs = this.#parts.wallMs()
    const entries = stampAll(
      proposals.map(({ bytes }) => bytes),
      timeMs,
    )
    const result = this.driver.raft.propose(entries)
    if (result.kind !== 'accepted') return result
    for (const [at, { parsed }] of proposals.entries()) {
      if (parsed === undefined) continue
      this.#parsed.note(result.firstIndex + at, result.term, stamped(parsed, timeMs))
    }
    return result
  }
}
