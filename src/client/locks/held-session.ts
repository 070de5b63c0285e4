import { formatDuration } from '../../base/duration.ts'
import { reasonOf } from '../../base/errors.ts'
import { ttlMsOf } from '../session.ts'
import type { SessionClient } from '../session.ts'
import { isPassing, pause, pauseForRetry } from './retry.ts'

export interface HeldSessionOptions {
  readonly name: string
  readonly ttlMs: number
  readonly lockDelayMs: number
  /** What happens to the keys that it holds when it ends. */
  readonly behavior: 'release' | 'delete'
}

/**
 * A session that lives as long as this process renews it. It has no health checks, so the restart of a
 * server does not end it.
 */
export class HeldSession {
  readonly id: string
  readonly #sessions: SessionClient
  readonly #lost = new AbortController()
  readonly #ended = new AbortController()
  #ttlMs: number
  /** When the last renewal was sent that succeeded, on the monotonic clock. */
  #provenMs: number
  #isGuarded = false
  #lossReason = ''
  #expiry: NodeJS.Timeout | undefined

  private constructor(sessions: SessionClient, id: string, ttlMs: number, provenMs: number) {
    this.#sessions = sessions
    this.id = id
    this.#ttlMs = ttlMs
    this.#provenMs = provenMs
  }

  static async create(sessions: SessionClient, options: HeldSessionOptions): Promise<HeldSession> {
    const { name, ttlMs, lockDelayMs, behavior } = options
    const sentMs = performance.now()
    const ttl = formatDuration(ttlMs)
    const lockDelay = formatDuration(lockDelayMs)
    const id = await sessions.create({ name, ttl, lockDelay, behavior, nodeChecks: [] })
    const session = new HeldSession(sessions, id, ttlMs, sentMs)
    void session.#keep()
    return session
  }

  /** It ends with the session, unless {@link end} ended that. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  get lossReason(): string {
    return this.#lossReason
  }

  /**
   * To be called when the session has locked something. From now on it counts as lost when it could not be renewed
   * for its TTL. Before, it does not: only the servers can tell, and after a change of the leader they grant more.
   * Resolves when the session has been renewed so lately that this is true, or `signal` ends.
   */
  async guard(signal: AbortSignal): Promise<void> {
    const isLate = performance.now() - this.#provenMs > this.#ttlMs / 2
    if (isLate) await this.#renew(AbortSignal.any([signal, this.#lost.signal]))
    if (signal.aborted) return
    this.#isGuarded = true
    this.#expireInTime()
  }

  /** Stops renewing, and destroys the session. */
  async end(): Promise<void> {
    clearTimeout(this.#expiry)
    this.#ended.abort()
    await this.#sessions.destroy(this.id)
  }

  async #keep(): Promise<void> {
    const either = AbortSignal.any([this.#ended.signal, this.#lost.signal])
    while (!either.aborted) {
      await pause(this.#ttlMs / 2 - (performance.now() - this.#provenMs), either)
      await this.#renew(either)
    }
  }

  /** Repeats it until it has succeeded, the session is lost or the signal ends. */
  async #renew(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const sentMs = performance.now()
      try {
        const entry = await this.#sessions.renew(this.id, { signal })
        if (entry === undefined) return this.#lose('the session has ended')
        this.#ttlMs = ttlMsOf(entry) ?? this.#ttlMs
        this.#provenMs = Math.max(this.#provenMs, sentMs)
        if (this.#isGuarded) this.#expireInTime()
        return
      } catch (error) {
        if (!isPassing(error) && !signal.aborted) return this.#lose(reasonOf(error))
        await pauseForRetry(signal, this.#isGuarded ? this.#leftMs / 4 : undefined)
      }
    }
  }

  /** The servers count the TTL from when they have received a renewal, so never from before it was sent. */
  get #leftMs(): number {
    return this.#ttlMs - (performance.now() - this.#provenMs)
  }

  #expireInTime(): void {
    clearTimeout(this.#expiry)
    if (this.#ended.signal.aborted) return
    const reason = `the session was not renewed for its TTL of ${formatDuration(this.#ttlMs)}`
    this.#expiry = setTimeout(() => this.#lose(reason), this.#leftMs)
  }

  #lose(reason: string): void {
    clearTimeout(this.#expiry)
    if (this.#ended.signal.aborted) return
    this.#lossReason = reason
    this.#lost.abort()
  }
}
