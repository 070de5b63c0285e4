import type { Index } from './entry.ts'

/** The messages that have been sent and not yet answered: bounded in number and in bytes. */
export class Inflights {
  readonly #maxCount: number
  readonly #maxBytes: number
  #queue: { index: Index; bytes: number }[] = []
  #head = 0
  #bytes = 0

  constructor(limits: { maxCount: number; maxBytes: number }) {
    this.#maxCount = limits.maxCount
    this.#maxBytes = limits.maxBytes
  }

  get count(): number {
    return this.#queue.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  get isFull(): boolean {
    return this.count >= this.#maxCount || this.#bytes >= this.#maxBytes
  }

  /** `index` is the last entry of what was sent. */
  add(index: Index, bytes: number): void {
    this.#queue.push({ index, bytes })
    this.#bytes += bytes
  }

  /** Everything up to `index` has been answered. */
  freeTo(index: Index): void {
    let first = this.#queue[this.#head]
    while (first !== undefined && first.index <= index) {
      this.#bytes -= first.bytes
      first = this.#queue[++this.#head]
    }
    if (this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head)
      this.#head = 0
    }
  }

  clear(): void {
    this.#queue = []
    this.#head = 0
    this.#bytes = 0
  }
}

/**
 * `probe`: one append at a time until the logs are known to match; `replicate`: appends are sent
 * ahead of their answers; `snapshot`: nothing is sent until the snapshot has arrived or failed.
 */
export type ProgressState = 'probe' | 'replicate' | 'snapshot'

/** How a learner keeps up (thesis §4.2.1): a round ends when it holds what the log held at its start. */
export interface CatchUp {
  readonly target: Index
  ticks: number
}

/** A leader's view of one peer: `match` and `next` are the paper's matchIndex and nextIndex. */
export class Progress {
  /** Highest entry known to be on the peer's disk. */
  match: Index = 0
  /** The next entry to send; always above `match`. */
  next: Index
  state: ProgressState = 'probe'
  /** Index of the snapshot under way, in state `snapshot`. */
  pendingSnapshot: Index = 0
  /** The peer has answered since the last check of the quorum. */
  recentActive = true
  /** Nothing more may be sent until the peer answers. */
  paused = false
  /** An empty append is due, to find out what the peer holds. */
  nudge = false
  /** The highest commit index that was sent to the peer. */
  sentCommit: Index = 0
  catchUp: CatchUp
  /** The last finished round took less than an election timeout. */
  caughtUp = false
  readonly inflights: Inflights

  constructor(next: Index, limits: { maxCount: number; maxBytes: number }) {
    this.next = next
    this.inflights = new Inflights(limits)
    this.catchUp = { target: next - 1, ticks: 0 }
  }

  /** Notes that the peer holds everything up to `index`. False when that was known. */
  update(index: Index): boolean {
    if (index <= this.match) return false
    this.match = index
    this.next = Math.max(this.next, index + 1)
    return true
  }

  /**
   * The peer refused the append behind `rejected`, and its log can match at `hint` at best. False
   * when the refusal is out of date: answered since, or not the probe that is under way.
   */
  backOff(rejected: Index, hint: Index): boolean {
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false
      this.becomeProbe()
      return true
    }
    if (this.next - 1 !== rejected) return false
    this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1)
    this.paused = false
    return true
  }

  becomeProbe(): void {
    // A snapshot that arrived is the only news of the peer since; begin behind it.
    const arrived = this.pendingSnapshot
    this.#become('probe')
    this.next = Math.max(this.match, arrived) + 1
  }

  becomeReplicate(): void {
    this.#become('replicate')
    this.next = this.match + 1
  }

  becomeSnapshot(index: Index): void {
    this.#become('snapshot')
    this.pendingSnapshot = index
  }

  /** The stream broke: its messages have not arrived. */
  failSnapshot(): void {
    this.pendingSnapshot = 0
  }

  /** Once per tick of the leader: `lastIndex` is where its log ends. */
  tickCatchUp(lastIndex: Index, electionTicks: number): void {
    if (this.match >= this.catchUp.target) {
      this.caughtUp = this.catchUp.ticks < electionTicks
      this.catchUp = { target: lastIndex, ticks: 0 }
    } else if (++this.catchUp.ticks >= electionTicks) {
      this.caughtUp = false
    }
  }

  #become(state: ProgressState): void {
    this.state = state
    this.pendingSnapshot = 0
    this.paused = false
    this.nudge = false
    this.sentCommit = 0
    this.inflights.clear()
  }
}
