import { assert } from '../../base/assert.ts'
import { svcdError } from '../../base/errors.ts'
import type { ErrorCode, SvcdError } from '../../base/errors.ts'
import type { Outcome, Proposal } from '../../state/machine/command.ts'
import type { Index, NodeId, Term } from '../../raft/entry.ts'
import type { ProposeResult } from '../../raft/verdict.ts'
import { parseProposal } from './log-entry.ts'

/** What a proposal came to; an error is a code of the error table with its text. */
export type ProposalResult =
  | { readonly kind: 'applied'; readonly outcome: Outcome }
  | Failure
  /** Nothing was done with it: this server does not lead, and it must not be passed on again. */
  | { readonly kind: 'not-leader' }

export interface Failure {
  readonly kind: 'failed'
  readonly code: ErrorCode
  readonly message: string
}

/** A proposal as it travels: printed once, where it was asked for. */
export interface PrintedProposal {
  /** JSON, in UTF-8. Its request id makes it safe to be sent again: it is applied once. */
  readonly bytes: Uint8Array
  /** What JSON.parse made of these very bytes, if this server has parsed them already. */
  readonly parsed?: Proposal | undefined
}

export interface Submission extends PrintedProposal {
  /** On the monotonic clock. */
  readonly deadlineMs: number
  /** False: asked for by another server, which will look for the leader itself. */
  readonly mayForward: boolean
  readonly settle: (result: ProposalResult) => void
}

export interface ProposalsParts {
  /** Puts commands into the log, if this server leads. */
  readonly append: (proposals: readonly PrintedProposal[]) => ProposeResult
  /** This server's log has that entry, synced or not, committed or not. */
  readonly isInLog: (index: Index, term: Term) => boolean
  /** Why this server takes no such proposal as leader now; undefined when it does. */
  readonly refusal?: ((read: () => Proposal) => SvcdError | undefined) | undefined
  /** The leader to forward to; undefined while there is none, or it is this server. */
  readonly leader: () => NodeId | undefined
  readonly isLeader: () => boolean
  /** Hands proposals to another server; a rejection means that nothing is known of their fate. */
  readonly forward: (
    to: NodeId,
    proposals: readonly Uint8Array[],
  ) => Promise<readonly ProposalResult[]>
  /** Resolves when this server has applied `index`, or after a while: 200 means visible here. */
  readonly whenApplied: (index: Index) => Promise<void>
  readonly nowMs: () => number
}

interface Logged {
  readonly term: Term
  readonly submission: Submission
}

type Accepted = Extract<ProposeResult, { kind: 'accepted' }>

interface Forwarded {
  readonly to: NodeId
  readonly batch: readonly Submission[]
}

/** Proposals in one forwarded request, and their bytes unless it is a single one. */
const forwardMax = 512
const forwardBytesMax = 2 * 1024 * 1024

/**
 * Every write on its way, on whichever server it was asked for: queued while no leader is known, in
 * the leader's log, or forwarded. A write whose fate is unknown (its leader was lost, its entry was cut from
 * the log, a reply did not come) is proposed again with the same request id, by which the catalog applies
 * it only once.
 */
export class Proposals {
  readonly #parts: ProposalsParts
  #queue: Submission[] = []
  /** By the index of the entry that may become theirs, in the order of the log. */
  readonly #logged = new Map<Index, Logged>()
  /** Of the entry that was logged last. */
  #newest = { index: 0, term: 0 }
  /** Requests that the leader has not answered yet. */
  readonly #forwarded = new Set<Forwarded>()

  #ended: Failure | undefined

  constructor(parts: ProposalsParts) {
    this.#parts = parts
  }

  /** Submissions that have no result yet. */
  get waiting(): number {
    let forwarded = 0
    for (const { batch } of this.#forwarded) forwarded += batch.length
    return this.#queue.length + this.#logged.size + forwarded
  }

  submit(submission: Submission): void {
    if (this.#ended !== undefined) submission.settle(this.#ended)
    else this.#queue.push(submission)
  }

  /** Fails all that waits and all that comes: this server takes no part in its cluster any more. */
  end(refusal: Failure): void {
    this.#ended = refusal
    const all = [
      ...this.#queue,
      ...[...this.#logged.values()].map(({ submission }) => submission),
      ...[...this.#forwarded].flatMap(({ batch }) => batch),
    ]
    this.#queue = []
    this.#logged.clear()
    this.#forwarded.clear()
    for (const { settle } of all) settle(refusal)
  }

  /** Sends what is queued on its way, if there is one; to be called after inputs and new leaders. */
  pump(): void {
    this.#recallCut()
    this.#recall()
    if (this.#queue.length === 0) return
    if (this.#parts.isLeader()) {
      this.#append()
      return
    }
    this.#refuseForeign()
    const leader = this.#parts.leader()
    if (leader === undefined) return
    while (this.#queue.length > 0) void this.#forward(leader, this.#takeBatch())
  }

  /** An entry was applied; `outcome` is undefined when it was not a command. */
  onApplied(index: Index, term: Term, outcome: Outcome | undefined): void {
    const logged = this.#logged.get(index)
    if (logged === undefined) return
    this.#logged.delete(index)
    if (logged.term === term && outcome !== undefined) {
      logged.submission.settle({ kind: 'applied', outcome })
    } else {
      // Another leader's entry took its place: it was never committed there.
      this.#queue.push(logged.submission)
    }
  }

  /** A snapshot replaced the log up to `index`: whether they are in it, their request ids tell. */
  onRestored(index: Index): void {
    for (const [at, { submission }] of this.#logged) {
      if (at > index) continue
      this.#logged.delete(at)
      this.#queue.push(submission)
    }
  }

  /** Fails what has waited too long; to be called every now and then. */
  expire(): void {
    const nowMs = this.#parts.nowMs()
    const expired: Submission[] = []
    for (const [index, { submission }] of this.#logged) {
      if (submission.deadlineMs > nowMs) continue
      this.#logged.delete(index)
      expired.push(submission)
    }
    this.#queue = this.#queue.filter((submission) => {
      if (submission.deadlineMs > nowMs) return true
      expired.push(submission)
      return false
    })
    for (const submission of expired) submission.settle(noLeader)
  }

  #append(): void {
    this.#refuse()
    const batch = this.#queue
    if (batch.length === 0) return
    const result = this.#parts.append(batch)
    switch (result.kind) {
      case 'accepted':
        this.#queue = []
        for (const [at, submission] of batch.entries()) this.#log(result, at, submission)
        return
      case 'busy': {
        this.#queue = []
        const busy = failureBy(svcdError('busy', { waiting: result.waiting }))
        for (const { settle } of batch) settle(busy)
        return
      }
      case 'too-large':
        this.#rejectTooLarge(result)
        return
      case 'not-leader':
      case 'transferring':
      case 'empty':
        // They wait for the next leader.
        return
    }
  }

  #log({ term, firstIndex }: Accepted, at: number, submission: Submission): void {
    const index = firstIndex + at
    assert(!this.#logged.has(index), `no other write waits for entry ${index}`)
    this.#logged.set(index, { term, submission })
    this.#newest = { index, term }
  }

  /** The core takes all or none, so the one that does not fit goes, and the rest tries again. */
  #rejectTooLarge({ bytes, max }: Extract<ProposeResult, { kind: 'too-large' }>): void {
    const tooLarge = failureBy(svcdError('command-too-large', { size: bytes, max }))
    const fits: Submission[] = []
    for (const submission of this.#queue) {
      if (submission.bytes.length + 64 <= max) fits.push(submission)
      else submission.settle(tooLarge)
    }
    const wasHelpful = fits.length < this.#queue.length
    this.#queue = fits
    if (wasHelpful && fits.length > 0) this.#append()
  }

  #refuse(): void {
    const { refusal } = this.#parts
    if (refusal === undefined) return
    const refused: [Submission, SvcdError][] = []
    for (const submission of this.#queue) {
      const error = refusal(() => submission.parsed ?? parseProposal(submission.bytes))
      if (error !== undefined) refused.push([submission, error])
    }
    if (refused.length === 0) return
    const gone = new Set(refused.map(([submission]) => submission))
    this.#queue = this.#queue.filter((submission) => !gone.has(submission))
    for (const [{ settle }, error] of refused) settle(failureBy(error))
  }

  /** What one request may carry. */
  #takeBatch(): readonly Submission[] {
    let count = 0
    let bytes = 0
    for (const submission of this.#queue) {
      bytes += submission.bytes.length
      if (count === forwardMax || (count > 0 && bytes > forwardBytesMax)) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  #refuseForeign(): void {
    const foreign = this.#queue.filter(({ mayForward }) => !mayForward)
    if (foreign.length === 0) return
    this.#queue = this.#queue.filter(({ mayForward }) => mayForward)
    for (const { settle } of foreign) settle({ kind: 'not-leader' })
  }

  /**
   * Entries that another leader cut from this server's log are proposed again immediately. Their
   * index may not be reached for long; and if this server leads again first, another write of its
   * own takes that index. As long as the newest entry is in the log, so are all before it (Log
   * Matching, §5.3).
   */
  #recallCut(): void {
    const { isInLog } = this.#parts
    if (this.#logged.size === 0 || isInLog(this.#newest.index, this.#newest.term)) return
    const cut: Submission[] = []
    for (const [index, { term, submission }] of this.#logged) {
      if (isInLog(index, term)) {
        this.#newest = { index, term }
        continue
      }
      this.#logged.delete(index)
      cut.push(submission)
    }
    this.#queue = [...cut, ...this.#queue]
  }

  /**
   * Writes that were forwarded to a server that lost leadership are sent to its successor: the old
   * leader may have fallen silent, and its reply, if one comes, says nothing new.
   */
  #recall(): void {
    if (this.#forwarded.size === 0) return
    const leader = this.#parts.leader()
    if (leader === undefined && !this.#parts.isLeader()) return
    for (const forwarded of this.#forwarded) {
      if (forwarded.to === leader) continue
      this.#forwarded.delete(forwarded)
      for (const submission of forwarded.batch) this.#retry(submission)
    }
  }

  async #forward(to: NodeId, batch: readonly Submission[]): Promise<void> {
    const forwarded = { to, batch }
    this.#forwarded.add(forwarded)
    let results: readonly ProposalResult[] = []
    try {
      results = await this.#parts.forward(
        to,
        batch.map(({ bytes }) => bytes),
      )
    } catch {
      // The reply is lost, and with it what became of them: they are asked again.
    }
    if (!this.#forwarded.delete(forwarded)) return
    for (const [at, submission] of batch.entries()) this.#take(submission, results[at])
  }

  /** Not beyond its time: forwarded again and again it would be on its way for as long as that fails. */
  #retry(submission: Submission): void {
    if (submission.deadlineMs > this.#parts.nowMs()) this.#queue.push(submission)
    else submission.settle(noLeader)
  }

  #take(submission: Submission, result: ProposalResult | undefined): void {
    if (result === undefined || result.kind === 'not-leader') {
      this.#retry(submission)
    } else if (result.kind === 'applied') {
      void this.#parts.whenApplied(result.outcome.index).then(() => submission.settle(result))
    } else {
      submission.settle(result)
    }
  }
}

/** The result of a write that an error of the table keeps from being done. */
export function failureBy({ code, message }: SvcdError): Failure {
  return { kind: 'failed', code, message }
}

const noLeader = failureBy(svcdError('no-leader', {}))
