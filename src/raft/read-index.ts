import type { HeartbeatResponse, ReadRequest, ReadResponse } from './message.ts'
import { hasQuorum } from './quorum.ts'
import type { LeaderRead } from './read-queue.ts'
import type { RaftState } from './state.ts'
import type { Ignored, ReadIndexResult } from './verdict.ts'

/** Linearizable reads without the log: ReadIndex (§8, thesis §6.4). */
export class ReadIndex {
  readonly #state: RaftState

  constructor(state: RaftState) {
    this.#state = state
  }

  read(requestId: number): ReadIndexResult {
    const { id, role, leader, reads, term } = this.#state
    if (leader === undefined) return { kind: 'not-leader', leader }
    if (reads.isFull) return { kind: 'busy', waiting: this.#state.options.limits.pendingReadsMax }
    if (role === 'leader') reads.wait({ from: id, id: requestId })
    else this.#state.send({ type: 'read-request', to: leader, term, id: reads.ask(requestId) })
    return { kind: 'pending' }
  }

  handleRequest({ from, id }: ReadRequest): Ignored | undefined {
    const { role, progress, reads } = this.#state
    if (role !== 'leader') return 'out-of-date'
    if (!progress.has(from)) return 'unknown-peer'
    // A full queue drops the read; the follower gives up after an election time-out.
    if (!reads.isFull) reads.wait({ from, id })
    return undefined
  }

  handleResponse({ id, index }: ReadResponse): Ignored | undefined {
    return this.#state.reads.answer(id, index) ? undefined : 'out-of-date'
  }

  /**
   * Begins a round for all waiting reads. Returns true when heartbeats must go out for it. Rounds
   * follow one another, so a read waits for at most two.
   */
  startRound(): boolean {
    const { reads, log } = this.#state
    // A quorum can also come about because who has not answered was removed.
    this.finishIfConfirmed()
    if (!reads.canStartRound || !this.knowsCommit()) return false
    reads.startRound(log.commit)
    this.finishIfConfirmed()
    return reads.round !== undefined
  }

  /** §8: until it has committed an entry of its own term, a leader's commit index may lag behind. */
  knowsCommit(): boolean {
    return this.#state.log.commit >= this.#state.termStart
  }

  /** A quorum has acknowledged this leader since the round began: no other was elected before. */
  handleAck({ from, readToken }: HeartbeatResponse): void {
    const { round } = this.#state.reads
    if (round === undefined || readToken < round.token) return
    round.acks.add(from)
    this.finishIfConfirmed()
  }

  finishIfConfirmed(): void {
    const { config, reads } = this.#state
    const acks = reads.round?.acks
    if (acks === undefined || !hasQuorum(config, (id) => acks.has(id))) return
    const { reads: confirmed, index } = reads.finishRound()
    for (const read of confirmed) this.#answer(read, index)
  }

  #answer(read: LeaderRead, index: number): void {
    const { id, term, reads } = this.#state
    if (read.from === id) reads.resolve(read.id, index)
    else this.#state.send({ type: 'read-response', to: read.from, term, id: read.id, index })
  }
}
