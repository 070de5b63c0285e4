import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'

const repeatMs = 60_000
const keysMax = 1000
/** A peer that comes with another name each time must not fill it either. */
const linesPerRepeatMax = 200

/**
 * Lines about peers, each said once a minute for a peer and a reason: a peer that tries again every
 * second must not fill the log.
 */
export class PeerNotices {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #saidMs = new Map<string, number>()
  #beganMs = -repeatMs
  #lines = 0

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  warn(peer: string, reason: string, fields: object, message: string): void {
    if (this.#isNew(peer, reason)) this.#logger.warn(fields, message)
  }

  info(peer: string, reason: string, fields: object, message: string): void {
    if (this.#isNew(peer, reason)) this.#logger.info(fields, message)
  }

  #isNew(peer: string, reason: string): boolean {
    const key = `${reason} ${peer}`
    const nowMs = this.#clock.monotonicMs()
    const saidMs = this.#saidMs.get(key)
    if (saidMs !== undefined && nowMs - saidMs < repeatMs) return false
    if (nowMs - this.#beganMs >= repeatMs) {
      this.#beganMs = nowMs
      this.#lines = 0
    }
    if (++this.#lines > linesPerRepeatMax) return false
    // Deleted first, so that the oldest stands first.
    this.#saidMs.delete(key)
    this.#saidMs.set(key, nowMs)
    if (this.#saidMs.size > keysMax) {
      for (const oldest of this.#saidMs.keys()) {
        this.#saidMs.delete(oldest)
        break
      }
    }
    return true
  }
}
