import { assert, must } from '../base/assert.ts'
import { randomBelow } from '../base/random.ts'
import { ConfigHistory, emptyConfig, isMember, isVoter, members } from './config.ts'
import type { Config } from './config.ts'
import { RaftLog } from './log.ts'
import { entryBytes } from './entry.ts'
import { waitsForDisk } from './message.ts'
import type { Entry, EntryKind, Index, NodeId, Term } from './entry.ts'
import type { Message, Outgoing } from './message.ts'
import type { RaftOptions } from './options.ts'
import { Inflights, Progress } from './progress.ts'
import { ReadQueue } from './read-queue.ts'
import type { HardState, LogReader } from './storage.ts'

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader'

/**
 * What one server knows, and the changes of role (figure 4), which touch all of it. The parts beside
 * it (election, replication, …) hold the rules; each acts on this state and keeps nothing itself.
 */
export class RaftState {
  readonly id: NodeId
  readonly options: RaftOptions
  readonly log: RaftLog
  readonly configs: ConfigHistory
  /** Servers that are in none of them, but that a member has named as members (see sender-check.ts). */
  readonly vouched = new Set<NodeId>()
  readonly reads: ReadQueue
  /** Never falls. */
  term: Term
  /** Given at most once in a term. */
  vote: NodeId | undefined
  role: Role = 'follower'
  leader: NodeId | undefined
  /** The hard state on disk. */
  durable: HardState
  /** Ticks since the leader was heard, or since this role began. */
  electionElapsed = 0
  heartbeatElapsed = 0
  /** Drawn again with every change of role (§5.2). */
  electionTimeout = 0
  /** The connection to the leader has closed and it was not heard since. */
  leaderLost = false
  /** The answers in this server's own election. */
  readonly votes = new Map<NodeId, boolean>()
  /** A leader's peers and itself, in sorted order. */
  readonly progress = new Map<NodeId, Progress>()
  /** To whom leadership is being transferred. */
  transferee: NodeId | undefined
  /** Index of the no-op that opened this leader's term. */
  termStart: Index = 0
  /** Ticks for which the write under way has taken. */
  writeTicks = 0
  #outbox: Message[] = []
  #outboxAfterWrite: Message[] = []
  readonly #uncommitted = new Inflights({ maxCount: Infinity, maxBytes: Infinity })

  constructor(options: RaftOptions, reader: LogReader, applied: Index) {
    const { hardState, snapshot } = reader.state()
    this.id = options.id
    this.options = options
    this.log = new RaftLog(reader, { applied, cacheBytesMax: options.limits.cacheBytesMax })
    this.configs = readConfigs(reader)
    this.reads = new ReadQueue(options)
    this.term = hardState.term
    this.vote = hardState.vote
    this.durable = hardState
    assert(snapshot === undefined || snapshot.index <= applied, 'a snapshot is restored at start')
    this.#drawTimeout()
  }

  get config(): Config {
    return this.configs.latest.config
  }

  get uncommittedBytes(): number {
    return this.#uncommitted.bytes
  }

  /** A server campaigns while any configuration that may still come into force has it as voter. */
  get mayCampaign(): boolean {
    if (this.log.isRestoring) return false
    // Not only the latest one: a leader that removes itself may be needed to commit that (thesis §4.2.2).
    return this.configs.since(this.log.commit).some(({ config }) => isVoter(config, this.id))
  }

  /** This server hears, or is, a live leader: a server that asks for votes now would only disrupt (§6). */
  get hasLiveLeader(): boolean {
    return (
      this.options.checkQuorum &&
      this.leader !== undefined &&
      !this.leaderLost &&
      this.electionElapsed < this.options.limits.electionTicks
    )
  }

  /** A configuration has come: of those in it, itself speaks from now on. */
  settleVouched(): void {
    for (const id of this.vouched) if (isMember(this.config, id)) this.vouched.delete(id)
  }

  send(message: Outgoing): void {
    assert(message.to !== this.id, 'a server sends nothing to itself')
    const full: Message = { ...message, from: this.id }
    if (waitsForDisk(full.type)) this.#outboxAfterWrite.push(full)
    else this.#outbox.push(full)
  }

  takeMessages(): Message[] {
    const messages = this.#outbox
    this.#outbox = []
    return messages
  }

  takeMessagesAfterWrite(): Message[] {
    return this.#outboxAfterWrite.splice(0)
  }

  get hasMessagesAfterWrite(): boolean {
    return this.#outboxAfterWrite.length > 0
  }

  hearLeader(leader: NodeId): void {
    if (this.leader !== leader) this.reads.dropAll()
    this.leader = leader
    this.electionElapsed = 0
    // The shortened time-out goes with the reason for it.
    if (this.leaderLost) this.#drawTimeout()
    this.leaderLost = false
  }

  /** The next election comes sooner; the pre-vote guards it, if the leader is alive for others. */
  loseLeader(): void {
    const { lostLeaderTicksMin: min, lostLeaderTicksMax: max } = this.options.limits
    const soon = min + randomBelow(this.options.random, max - min + 1)
    this.electionTimeout = Math.min(this.electionTimeout, this.electionElapsed + soon)
    this.leaderLost = true
  }

  becomeFollower(term: Term, leader: NodeId | undefined): void {
    assert(term >= this.term, 'the term never falls (§5.1)')
    if (term > this.term) {
      this.term = term
      this.vote = undefined
    }
    this.#reset('follower')
    this.leader = leader
  }

  /** Neither the term nor the vote changes: this is a question only (thesis §9.6). */
  becomePreCandidate(): void {
    assert(this.role !== 'leader', 'a leader does not campaign')
    this.#reset('pre-candidate')
  }

  becomeCandidate(): void {
    assert(this.role !== 'leader', 'a leader does not campaign')
    assert(this.term < Number.MAX_SAFE_INTEGER, 'terms do not run out')
    this.term++
    this.vote = this.id
    this.#reset('candidate')
  }

  becomeLeader(): void {
    assert(this.role === 'candidate', 'only a candidate becomes leader (figure 4)')
    this.#reset('leader')
    this.leader = this.id
    this.#countUncommitted()
    // Figure 2: nextIndex begins behind the last entry of the leader's log.
    this.trackMembers(this.log.lastIndex + 1)
    // A server that it has not heard as leader does not count for its quorum.
    for (const progress of this.progress.values()) progress.recentActive = false
    this.openTerm()
  }

  /** A new leader commits what is before it by committing an entry of its own term (§5.4.2, §8). */
  openTerm(): void {
    this.termStart = this.log.lastIndex + 1
    this.appendOwn('noop', [new Uint8Array(0)])
  }

  /** Appends entries of this leader's term and returns the first index. */
  appendOwn(kind: EntryKind, data: readonly Uint8Array[]): Index {
    assert(this.role === 'leader', 'only a leader makes entries')
    const first = this.log.lastIndex + 1
    let bytes = 0
    const entries: Entry[] = []
    for (const [at, one] of data.entries()) {
      const entry: Entry = { index: first + at, term: this.term, kind, data: one }
      bytes += entryBytes(entry)
      entries.push(entry)
    }
    this.log.append(entries)
    this.#uncommitted.add(first + data.length - 1, bytes)
    return first
  }

  /** Returns true when `index` is news. */
  commitTo(index: Index): boolean {
    if (!this.log.commitTo(index)) return false
    this.#uncommitted.freeTo(index)
    return true
  }

  /**
   * Makes `progress` follow the latest configuration, in force as soon as it is in the log (§6).
   * `next` is the entry to begin with for who was not a member before.
   */
  trackMembers(next: Index): void {
    const known = new Map(this.progress)
    const { inflightMessagesMax: maxCount, inflightBytesMax: maxBytes } = this.options.limits
    this.progress.clear()
    for (const id of members(this.config)) {
      const fresh = () => new Progress(next, { maxCount, maxBytes })
      this.progress.set(id, known.get(id) ?? fresh())
    }
  }

  #reset(role: Role): void {
    this.role = role
    this.leader = undefined
    this.leaderLost = false
    this.transferee = undefined
    this.electionElapsed = 0
    this.heartbeatElapsed = 0
    this.votes.clear()
    this.progress.clear()
    this.#uncommitted.clear()
    this.reads.dropAll()
    this.#drawTimeout()
  }

  #drawTimeout(): void {
    const { electionTicks } = this.options.limits
    this.electionTimeout = electionTicks + randomBelow(this.options.random, electionTicks)
  }

  #countUncommitted(): void {
    const { lastIndex, commit } = this.log
    let bytes = 0
    for (let from = commit + 1; from <= lastIndex;) {
      const some = this.log.entries(from, lastIndex, 1024 * 1024)
      for (const entry of some) bytes += entryBytes(entry)
      from = must(some.at(-1)).index + 1
    }
    if (lastIndex > commit) this.#uncommitted.add(lastIndex, bytes)
  }
}

/** The configuration of the snapshot, and those that the log behind it brings. */
function readConfigs(reader: LogReader): ConfigHistory {
  const { snapshot, base, lastIndex } = reader.state()
  const history = new ConfigHistory(
    snapshot === undefined
      ? { index: 0, config: emptyConfig }
      : { index: snapshot.confIndex, config: snapshot.config },
  )
  let from = Math.max(base.index, snapshot?.index ?? 0) + 1
  while (from <= lastIndex) {
    const some = reader.entries(from, lastIndex, 1024 * 1024)
    for (const entry of some) if (entry.kind === 'config') history.append(entry)
    from = must(some.at(-1)).index + 1
  }
  return history
}
