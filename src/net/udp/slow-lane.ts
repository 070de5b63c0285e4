/** The lane is bounded. A client that is turned away asks again, as for a lost packet. */
const waitingMax = 1024
/** What the slow may take of each round in which the fast are many. */
const grantMs = 1

/**
 * Where questions wait whose answers are not in the cache, so that cached ones never wait for them
 * long. A round of packets comes with a grant of time for the slow ones. If one of them takes
 * longer, the following rounds pay it back. When no packet waits they need no grant.
 */
export class SlowLane<T> {
  #waiting: T[] = []
  /** Of {@link #waiting}, so many are gone. */
  #gone = 0
  #balanceMs = grantMs

  get length(): number {
    return this.#waiting.length - this.#gone
  }

  get first(): T | undefined {
    return this.#waiting[this.#gone]
  }

  /** False: there is no room. */
  push(question: T): boolean {
    if (this.length >= waitingMax) return false
    this.#waiting.push(question)
    return true
  }

  shift(): T | undefined {
    const { first } = this
    if (first === undefined) return undefined
    this.#gone++
    // Moved rarely, not with each: the front of an array is expensive to take away.
    if (this.#gone === waitingMax || this.#gone === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#gone)
      this.#gone = 0
    }
    return first
  }

  /** To be called after each round; `isDrained`: no packet waits in the sockets. */
  grant(isDrained: boolean): void {
    this.#balanceMs = isDrained ? grantMs : Math.min(grantMs, this.#balanceMs + grantMs)
  }

  get mayWork(): boolean {
    return this.#balanceMs > 0
  }

  spend(ms: number): void {
    this.#balanceMs -= ms
  }
}
