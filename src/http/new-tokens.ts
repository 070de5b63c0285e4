import type { Freshness } from '../ports/freshness.ts'

/** Time between two questions to the leader, however many unknown tokens there are. */
const paceMs = 20
/** A leader that does not answer must not hold a request that will be refused. */
const waitMsMax = 1000

export type NewTokensFreshness = Pick<Freshness, 'barrier' | 'leader' | 'isAlone' | 'outOfService'>

/**
 * A token that a client has just created at one server may be unknown at another one for a moment. This waits until
 * this server knows all tokens that were created before the wait. Many requests share one question to the leader, so
 * requests with wrong tokens cost the cluster at most one question per {@link paceMs}.
 */
export class NewTokens {
  readonly #freshness: NewTokensFreshness
  readonly #delay: (ms: number) => Promise<void>
  /** A round that has not begun yet. */
  #next: Promise<void> | undefined
  /** When the next round may begin. */
  #free: Promise<void> = Promise.resolve()

  constructor(freshness: NewTokensFreshness, delay = defaultDelay) {
    this.#freshness = freshness
    this.#delay = delay
  }

  /** False: this server knows all tokens that it can know. */
  get canWait(): boolean {
    const freshness = this.#freshness
    return (
      freshness.leader() !== '' && !freshness.isAlone() && freshness.outOfService() === undefined
    )
  }

  /** Never rejects: without a leader that answers, the copy of this server counts. */
  known(): Promise<void> {
    // A round that has begun may have asked before the token was created.
    return (this.#next ??= this.#free.then(() => this.#begin()))
  }

  #begin(): Promise<void> {
    this.#next = undefined
    const round = this.#ask()
    this.#free = round.then(() => this.#delay(paceMs))
    return round
  }

  async #ask(): Promise<void> {
    const confirmed = this.#freshness.barrier().catch(() => {})
    await Promise.race([confirmed, this.#delay(waitMsMax)])
  }
}

function defaultDelay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
