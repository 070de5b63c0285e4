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
  #lossReason = ''
  #expiry: NodeJS.Timeout | undefined

  private constructor(sessions: SessionClient, id: string, ttlMs: number) {
    this.#sessions = sessions
    this.id = id
    this.#ttlMs = ttlMs
  }

  static async create(sessions: SessionClient, options: HeldSessionOptions): Promise<HeldSession> {
    const { name, ttlMs, lockDelayMs, behavior } = options
    const sentMs = performance.now()
    const ttl = formatDuration(ttlMs)
    const lockDelay = formatDuration(lockDelayMs)
    const id = await sessions.create({ name, ttl, lockDelay, behavior, nodeChecks: [] })
    const session = new HeldSession(sessions, id, ttlMs)
    session.#expireAfter(sentMs)
    void session.#renew()
    return session
  }

  /** It ends with the session, unless {@link end} ended that. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  get lossReason(): string {
    return this.#lossReason
  }

  /** Stops renewing, and destroys the session. */
  async end(): Promise<void> {
    clearTimeout(this.#expiry)
    this.#ended.abort()
    await this.#sessions.destroy(this.id)
  }

  async #renew(): Promise<void> {
    const { signal } = this.#ended
    const either = AbortSignal.any([signal, this.#lost.signal])
    await pause(this.#ttlMs / 2, either)
    while (!either.aborted) {
      const sentMs = performance.now()
      try {
        const entry = await this.#sessions.renew(this.id, { signal: either })
        if (entry === undefined) return this.#lose('the session has ended')
        this.#ttlMs = ttlMsOf(entry) ?? this.#ttlMs
        this.#expireAfter(sentMs)
        await pause(this.#ttlMs / 2 - (performance.now() - sentMs), either)
      } catch (error) {
        if (!isPassing(error) && !either.aborted) return this.#lose(reasonOf(error))
        await pauseForRetry(either)
      }
    }
  }

  /** The servers count the TTL from when they have received a renewal, so never from before it was sent. */
  #expireAfter(sentMs: number): void {
    clearTimeout(this.#expiry)
    const leftMs = this.#ttlMs - (performance.now() - sentMs)
    const reason = `the session was not renewed for its TTL of ${formatDuration(this.#ttlMs)}`
    this.#expiry = setTimeout(() => this.#lose(reason), leftMs)
  }

  #lose(reason: string): void {
    clearTimeout(this.#expiry)
    if (this.#ended.signal.aborted) return
    this.#lossReason = reason
    this.#lost.abort()
  }
}
