import { svcdError, type SvcdError } from '../base/errors.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { PeerLimits } from './limits.ts'
import type { PeerSession } from './session.ts'

export interface LinkOptions {
  readonly address: string
  /** The server that must answer there; undefined: any. */
  readonly id: string | undefined
  /** Dials again and again; else once, when asked to. */
  readonly keep: boolean
  readonly limits: PeerLimits
  readonly random: Random
  readonly clock: Clock
  /** Begins a connection; undefined if the address is not valid. */
  readonly dial: (address: string, id: string | undefined) => PeerSession | undefined
  /** A connection is there, or an attempt at one has failed. */
  readonly onAttempt?: ((link: PeerLink, hasOpened: boolean) => void) | undefined
}

interface Waiting {
  readonly resolve: (session: PeerSession) => void
  readonly reject: (error: Error) => void
}

/** The way to one server: a connection, or the next attempt at one. */
export class PeerLink {
  readonly address: string
  readonly id: string | undefined
  /** Why there is no connection; undefined before the first attempt has failed. */
  lastError: string | undefined
  /** By which code the last attempt was refused; undefined when it failed otherwise. */
  refusal: string | undefined
  /** The last attempt has led to no connection. */
  hasFailed = false
  readonly #options: LinkOptions
  #session: PeerSession | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #openedMs: number | undefined
  #waiting: Waiting[] = []
  #isClosed = false

  constructor(options: LinkOptions) {
    this.#options = options
    this.address = options.address
    this.id = options.id
    if (options.keep) this.dial()
  }

  /** Ready for frames; undefined when it is not. */
  get session(): PeerSession | undefined {
    return this.#session?.isOpen === true ? this.#session : undefined
  }

  /** Begins an attempt unless one is under way, or has led to a connection. */
  dial(): void {
    if (this.#isClosed || this.#session !== undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.refusal = undefined
    const session = this.#options.dial(this.address, this.id)
    this.#session = session
    if (session === undefined) return this.#failed('its address is not host:port', true)
    session.onOpened = () => this.#opened(session)
    session.onClosed = (reason) => this.#closed(reason)
  }

  /** The connection as soon as the attempt under way has led to one. */
  ready(): Promise<PeerSession> {
    const { session } = this
    if (session !== undefined) return Promise.resolve(session)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (!this.#options.keep) this.dial()
      // Between two attempts: the caller should ask another server.
      if (this.#session === undefined) this.#rejectAll()
    })
  }

  close(reason: string): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.lastError = reason
    this.#rejectAll()
    this.#session?.connection.part(reason)
  }

  #opened(session: PeerSession): void {
    this.#openedMs = this.#options.clock.monotonicMs()
    this.lastError = undefined
    this.hasFailed = false
    this.#options.onAttempt?.(this, true)
    for (const { resolve } of this.#waiting.splice(0)) resolve(session)
  }

  #closed(reason: string): void {
    this.refusal = this.#session?.refusal
    const { fallsBack } = this.#session ?? {}
    this.#session = undefined
    // All requests that wait for the connection get the next one.
    if (fallsBack === true && !this.#isClosed) return this.dial()
    const openedMs = this.#openedMs
    this.#openedMs = undefined
    // A connection that was closed as soon as it was open counts as a refused one.
    if (openedMs !== undefined && this.#livedLong(openedMs)) this.#failures = 0
    this.#failed(reason, openedMs === undefined)
  }

  #livedLong(openedMs: number): boolean {
    const { clock, limits } = this.#options
    return clock.monotonicMs() - openedMs >= limits.reconnectMsMax
  }

  /** `isAttempt`: no connection came of it; else one was lost. */
  #failed(reason: string, isAttempt: boolean): void {
    this.lastError = reason
    this.#rejectAll()
    if (this.#isClosed || !this.#options.keep) return
    if (isAttempt) {
      this.hasFailed = true
      this.#options.onAttempt?.(this, false)
    }
    const { reconnectMsMin, reconnectMsMax } = this.#options.limits
    // Doubled with each failure, and never the same for two servers that lost a third at the same
    // moment.
    const spread = Math.min(reconnectMsMax, reconnectMsMin * 2 ** ++this.#failures) - reconnectMsMin
    const delayMs = reconnectMsMin + this.#options.random() * spread
    this.#timer = setTimeout(() => this.dial(), delayMs)
  }

  #rejectAll(): void {
    const error = this.#error()
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  #error(): SvcdError {
    const { address, refusal, lastError: reason = 'no connection yet' } = this
    if (refusal === 'self') return svcdError('peer-is-self', { address })
    const code = refusal === undefined ? 'peer-unreachable' : 'peer-refuses-connection'
    return svcdError(code, { peer: address, reason })
  }
}
