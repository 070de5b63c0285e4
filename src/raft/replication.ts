import { isVoter } from './config.ts'
import { entryBytes } from './entry.ts'
import type { Entry, Index, NodeId, Term } from './entry.ts'
import type { AppendResponse, HeartbeatResponse, Message } from './message.ts'
import type { Progress } from './progress.ts'
import { committedIndex, hasQuorum } from './quorum.ts'
import type { RaftState } from './state.ts'
import type { Ignored } from './verdict.ts'

/** A leader's side of AppendEntries (§5.3) and InstallSnapshot (§7). */
export class Replication {
  readonly #state: RaftState

  constructor(state: RaftState) {
    this.#state = state
  }

  /**
   * Sends each peer what it may have: entries, or a commit index that it does not know. Called once
   * per batch of input, so that news share a message, and immediately rather than with a heartbeat.
   */
  flush(): void {
    for (const [id, progress] of this.#peers()) {
      while (this.#maybeAppend(id, progress)) {
        // Until the peer has everything, or its limits are reached.
      }
    }
  }

  heartbeat(): void {
    const state = this.#state
    for (const [id, progress] of this.#peers()) {
      state.send({
        type: 'heartbeat',
        to: id,
        term: state.term,
        commit: this.commitFor(progress),
        readToken: state.reads.token,
      })
    }
  }

  /** A heartbeat proves nothing about a log, so it only commits what is known to match. */
  commitFor(progress: Progress): Index {
    return Math.min(progress.match, this.#state.log.commit)
  }

  handleAppendResponse(message: AppendResponse): Ignored | undefined {
    const progress = this.#state.progress.get(message.from)
    if (progress === undefined) return 'unknown-peer'
    if (!message.rejected && message.index > this.#state.log.lastIndex) return 'malformed'
    progress.recentActive = true
    if (message.rejected) this.#backOff(progress, message)
    else this.#accept(progress, message.index)
    return undefined
  }

  handleHeartbeatResponse(message: HeartbeatResponse): Ignored | undefined {
    const progress = this.#state.progress.get(message.from)
    if (progress === undefined) return 'unknown-peer'
    progress.recentActive = true
    if (progress.state === 'snapshot') return undefined
    progress.paused = false
    // It may have lost what was sent: an append, if only an empty one, will tell.
    if (progress.match < this.#state.log.lastIndex || progress.state === 'probe') {
      progress.nudge = true
    }
    return undefined
  }

  /** The messages sent to `id` may be lost. */
  unreachable(id: NodeId): void {
    const progress = this.#state.progress.get(id)
    if (progress?.state === 'replicate') progress.becomeProbe()
  }

  /** The stream of a snapshot to `id` has ended; `ok` when the receiver has all of it. */
  snapshotSent(id: NodeId, ok: boolean): void {
    const progress = this.#state.progress.get(id)
    if (progress?.state !== 'snapshot') return
    if (!ok) progress.failSnapshot()
    progress.becomeProbe()
    // Its answer, or the next heartbeat's, says where to continue.
    progress.paused = true
  }

  /** Commits what a quorum holds on disk, this server's own disk included (thesis §10.2.1). */
  maybeCommit(): void {
    const state = this.#state
    const index = this.quorumIndex()
    // §5.4.2: an entry of an earlier term is never committed by counting its copies.
    if (index <= state.log.commit || !this.isOwnTerm(index)) return
    state.commitTo(index)
    if (!isVoter(state.config, state.id) && state.configs.latest.index <= index) this.#leave()
  }

  quorumIndex(): Index {
    return committedIndex(this.#state.config, (id) => this.matchOf(id))
  }

  matchOf(id: NodeId): Index {
    const { id: self, log, progress } = this.#state
    return id === self ? log.persisted : (progress.get(id)?.match ?? 0)
  }

  isOwnTerm(index: Index): boolean {
    return this.#state.log.term(index) === this.#state.term
  }

  /** True when a quorum has answered since this was asked last. */
  isQuorumActive(): boolean {
    return hasQuorum(this.#state.config, (id) => this.isActive(id))
  }

  isActive(id: NodeId): boolean {
    return id === this.#state.id || this.#state.progress.get(id)?.recentActive === true
  }

  forgetActive(): void {
    for (const progress of this.#state.progress.values()) progress.recentActive = false
  }

  /** Behind its snapshot for a peer that is being sent one, behind its match for the others. */
  neededFrom(): Index {
    let from = Infinity
    for (const [, { recentActive, match, pendingSnapshot }] of this.#peers()) {
      if (recentActive) from = Math.min(from, Math.max(match, pendingSnapshot) + 1)
    }
    return from
  }

  tickCatchUp(): void {
    const { log, options, progress } = this.#state
    for (const peer of progress.values()) {
      peer.tickCatchUp(log.lastIndex, options.limits.electionTicks)
    }
  }

  *#peers(): Iterable<[NodeId, Progress]> {
    for (const peer of this.#state.progress) if (peer[0] !== this.#state.id) yield peer
  }

  #accept(progress: Progress, index: Index): void {
    const isNews = progress.update(index)
    if (!isNews && !(progress.state === 'probe' && index === progress.match)) return
    const reachesLog = progress.match + 1 >= this.#state.log.firstIndex
    if (progress.state === 'replicate') {
      progress.inflights.freeTo(index)
      progress.paused = false
    } else if (progress.state === 'probe' || reachesLog) {
      progress.becomeReplicate()
    }
    this.maybeCommit()
  }

  /** §5.3: skips back a whole term at a time, on either side's knowledge. */
  #backOff(progress: Progress, { index, hintIndex, hintTerm }: AppendResponse): void {
    const { log } = this.#state
    const hint = hintTerm > 0 ? log.findConflictByTerm(hintIndex, hintTerm).index : hintIndex
    progress.backOff(index, hint)
  }

  /** Returns true when it sent entries, so that there may be more to send. */
  #maybeAppend(id: NodeId, progress: Progress): boolean {
    if (progress.paused || progress.state === 'snapshot') return false
    const { log, options } = this.#state
    const prevIndex = progress.next - 1
    const prevTerm = log.term(prevIndex)
    if (prevTerm === undefined) {
      this.#sendSnapshot(id, progress)
      return false
    }
    // A peer whose window is full still learns the commit index, from an append without entries.
    const isOpen = progress.state === 'probe' || !progress.inflights.isFull
    const entries = isOpen
      ? log.entries(progress.next, log.lastIndex, options.limits.appendBytesMax)
      : []
    if (entries.length === 0 && !progress.nudge && !this.#hasCommitNews(progress)) return false
    this.#append({ id, progress, prevIndex, prevTerm, entries })
    return entries.length > 0
  }

  #hasCommitNews(progress: Progress): boolean {
    const { commit } = this.#state.log
    return (
      progress.state === 'replicate' && progress.sentCommit < Math.min(commit, progress.next - 1)
    )
  }

  #append(append: {
    id: NodeId
    progress: Progress
    prevIndex: Index
    prevTerm: Term
    entries: readonly Entry[]
  }): void {
    const { id, progress, prevIndex, prevTerm, entries } = append
    const { term, log } = this.#state
    const { commit } = log
    this.#state.send({ type: 'append-request', to: id, term, prevIndex, prevTerm, entries, commit })
    const last = prevIndex + entries.length
    progress.sentCommit = Math.min(commit, last)
    progress.nudge = false
    if (progress.state === 'probe') {
      progress.paused = true
      return
    }
    if (entries.length > 0) {
      progress.next = last + 1
      progress.inflights.add(
        last,
        entries.reduce((sum, entry) => sum + entryBytes(entry), 0),
      )
    }
    progress.paused = progress.inflights.isFull
  }

  #sendSnapshot(id: NodeId, progress: Progress): void {
    // To stream a large file to a peer that does not answer would be waste.
    if (!progress.recentActive) return
    const snapshot = this.#state.log.snapshot()
    progress.becomeSnapshot(snapshot.index)
    this.#state.send({ type: 'snapshot-request', to: id, term: this.#state.term, snapshot })
  }

  /** §6: a leader that has committed its own removal tells the others, and steps down. */
  #leave(): void {
    const state = this.#state
    this.flush()
    const heir = state.config.voters.find((id) => this.matchOf(id) === state.log.lastIndex)
    if (heir !== undefined) state.send({ type: 'timeout-now', to: heir, term: state.term })
    state.becomeFollower(state.term, undefined)
  }
}

/** True for what only a leader sends. */
export function isFromLeader(message: Message): boolean {
  return (
    message.type === 'append-request' ||
    message.type === 'heartbeat' ||
    message.type === 'snapshot-request' ||
    message.type === 'timeout-now'
  )
}
