import { must } from '../base/assert.ts'
import { randomBelow } from '../base/random.ts'
import type { Index, NodeId } from './entry.ts'
import type { RaftOptions } from './options.ts'

/** The outcome of a `readIndex` call: once `index` is applied the read may be served, or ask again. */
export type ReadState =
  | { readonly kind: 'ready'; readonly requestId: number; readonly index: Index }
  | { readonly kind: 'dropped'; readonly requestId: number }

/** A read that a leader answers: its own (`id` is then the caller's) or a follower's. */
export interface LeaderRead {
  readonly from: NodeId
  readonly id: number
}

/** Reads that one round of heartbeats confirms together. */
export interface ReadRound {
  readonly token: number
  readonly index: Index
  readonly reads: readonly LeaderRead[]
  readonly acks: Set<NodeId>
}

/** The reads under way on one server: those it has asked its leader for, and, as leader, all. */
export class ReadQueue {
  readonly #id: NodeId
  readonly #max: number
  readonly #timeoutTicks: number
  /** Of a leader: not yet in a round. */
  #waiting: LeaderRead[] = []
  #round: ReadRound | undefined
  #token = 0
  /** Of a follower: the ids sent to the leader, and whose reads they stand for. */
  readonly #asked = new Map<number, { requestId: number; deadline: number }>()
  #nextAskId: number
  #now = 0
  #results: ReadState[] = []

  constructor({ id, random, limits }: RaftOptions) {
    this.#id = id
    this.#max = limits.pendingReadsMax
    this.#timeoutTicks = limits.electionTicks
    // A late answer to a read from before a restart must fit none of the new ids.
    this.#nextAskId = randomBelow(random, 2 ** 31) * 2 ** 21
  }

  get isFull(): boolean {
    return this.#waiting.length + this.#asked.size >= this.#max
  }

  /** The newest token of this leader; each heartbeat carries one that was never sent before. */
  get token(): number {
    return this.#token
  }

  get round(): ReadRound | undefined {
    return this.#round
  }

  get canStartRound(): boolean {
    return this.#round === undefined && this.#waiting.length > 0
  }

  /** Leader: the read joins the next round. */
  wait(read: LeaderRead): void {
    this.#waiting.push(read)
  }

  /**
   * Leader: all waiting reads in one round. The token is the leader's own counter, for an id that a
   * client chose could be used twice, and the old acknowledgement would then confirm the new read.
   */
  startRound(index: Index): void {
    this.#round = {
      token: this.makeToken(),
      index,
      reads: this.#waiting,
      acks: new Set([this.#id]),
    }
    this.#waiting = []
  }

  makeToken(): number {
    return ++this.#token
  }

  finishRound(): ReadRound {
    const round = must(this.#round, 'a round is under way')
    this.#round = undefined
    return round
  }

  /** Follower: returns the id, never used before, under which to ask the leader. */
  ask(requestId: number): number {
    const id = this.#nextAskId++
    this.#asked.set(id, { requestId, deadline: this.#now + this.#timeoutTicks })
    return id
  }

  /** Follower: false when nothing was asked under `id`, or it was given up. */
  answer(id: number, index: Index): boolean {
    const asked = this.#asked.get(id)
    if (asked === undefined) return false
    this.#asked.delete(id)
    this.resolve(asked.requestId, index)
    return true
  }

  resolve(requestId: number, index: Index): void {
    this.#results.push({ kind: 'ready', requestId, index })
  }

  /** Gives up what the leader has not answered within an election time-out. */
  tick(): void {
    this.#now++
    for (const [id, { requestId, deadline }] of this.#asked) {
      if (deadline > this.#now) return
      this.#asked.delete(id)
      this.#drop(requestId)
    }
  }

  /** The term, the role or the leader has changed: no answer can be trusted any more. */
  dropAll(): void {
    for (const { from, id } of [...(this.#round?.reads ?? []), ...this.#waiting]) {
      if (from === this.#id) this.#drop(id)
    }
    for (const { requestId } of this.#asked.values()) this.#drop(requestId)
    this.#asked.clear()
    this.#waiting = []
    this.#round = undefined
    this.#token = 0
  }

  takeResults(): ReadState[] {
    return this.#results.splice(0)
  }

  #drop(requestId: number): void {
    this.#results.push({ kind: 'dropped', requestId })
  }
}
