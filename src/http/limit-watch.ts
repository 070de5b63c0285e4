import type { FastifyReply, FastifyRequest } from 'fastify'
import { clientGroup } from '../base/client-group.ts'
import type { Clock } from '../base/clock.ts'
import { svcdError } from '../base/errors.ts'
import type { SvcdError } from '../base/errors.ts'
import { CallerCounts } from './caller-counts.ts'
import { isChange } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import type { LongAnswers } from './long-answers.ts'
import { addressOf } from './origin.ts'
import { parametersOf } from './parameters.ts'
import type { RowWatch } from './row-watch.ts'
import { eventStream } from './schemas.ts'
import { TokenBuckets } from './token-buckets.ts'
import type { Rate } from './token-buckets.ts'
import { secretOf } from './secret-of.ts'

export interface RequestLimits {
  /** Changes per second of one address, and of one token; undefined: no limit. */
  readonly writes?: Rate | undefined
  /** Blocking queries and streams of one token or address at a time; 0: no limit. */
  readonly waitingMax: number
  /** Long answers that are made for one token or address at a time; 0: no limit. */
  readonly longMax?: number
}

/** Requests with unknown tokens from one machine. Further ones are answered with 429. */
const wrongTokens: Rate = { perSecond: 50, burst: 500 }

/** Refuses requests that are too many, before their bodies are read. */
export class LimitWatch implements RowWatch, LongAnswers {
  readonly #limits: RequestLimits
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #writes: TokenBuckets | undefined
  readonly #wrongTokens = new TokenBuckets(wrongTokens)
  readonly #waiting = new CallerCounts()
  readonly #long = new CallerCounts()

  constructor(limits: RequestLimits, clock: Pick<Clock, 'monotonicMs'>) {
    this.#limits = limits
    this.#clock = clock
    this.#writes = limits.writes === undefined ? undefined : new TokenBuckets(limits.writes)
  }

  /** False: {@link before} refuses nothing. */
  get hasLimits(): boolean {
    return this.#writes !== undefined || this.#limits.waitingMax > 0
  }

  /** Throws `too-many-writes`, `too-many-waiting`. */
  before(row: Endpoint<never>, request: FastifyRequest, reply: FastifyReply): void {
    if (isChange(row, request.method)) this.#countWrite(request, reply)
    else if (this.#limits.waitingMax > 0 && mayWait(row, request)) {
      this.#countWaiting(request, reply)
    }
  }

  /**
   * A request had an unknown token. Returns what to answer instead once there were too many from its address, or from
   * its /64 of IPv6. A valid token from the same address is not affected.
   */
  wrongToken(request: FastifyRequest, reply: FastifyReply): SvcdError | undefined {
    const who = clientGroup(addressOf(request))
    const waitMs = this.#wrongTokens.take(who, this.#clock.monotonicMs())
    if (waitMs === 0) return undefined
    const seconds = retryAfter(reply, waitMs)
    return svcdError('too-many-wrong-tokens', { who, seconds })
  }

  begin(request: FastifyRequest, reply: FastifyReply): () => void {
    const max = this.#limits.longMax ?? 0
    if (max === 0) return () => {}
    const who = callerOf(request)
    const end = this.#long.begin(who, max)
    if (end !== undefined) return end
    retryAfter(reply, 1000)
    throw svcdError('too-many-long-answers', { who, max })
  }

  #countWrite(request: FastifyRequest, reply: FastifyReply): void {
    const { writes } = this.#limits
    if (this.#writes === undefined || writes === undefined) return
    const nowMs = this.#clock.monotonicMs()
    for (const who of namesOf(request)) {
      const waitMs = this.#writes.take(who, nowMs)
      if (waitMs === 0) continue
      const seconds = retryAfter(reply, waitMs)
      const { perSecond: rate, burst } = writes
      throw svcdError('too-many-writes', { who, rate, burst, seconds })
    }
  }

  #countWaiting(request: FastifyRequest, reply: FastifyReply): void {
    const max = this.#limits.waitingMax
    const who = callerOf(request)
    const end = this.#waiting.begin(who, max)
    if (end === undefined) {
      retryAfter(reply, 1000)
      throw svcdError('too-many-waiting', { who, max })
    }
    // Also when its client hangs up.
    reply.raw.once('close', end)
  }
}

/** The token that a request bears, or else its address. */
function callerOf(request: FastifyRequest): string {
  return namesOf(request).at(-1) ?? ''
}

/**
 * The names under which a request is counted: its address, and the token that was sent. All who send none share the
 * anonymous token, and must not use up each other's share.
 */
function namesOf(request: FastifyRequest): readonly string[] {
  const address = addressOf(request)
  const accessorId = request.requester?.accessorId ?? ''
  const hasToken = accessorId !== '' && secretOf(request) !== undefined
  return hasToken ? [address, `token ${accessorId}`] : [address]
}

/** A blocking query names an index or a hash. Rows for programs only, such as the log, are streams. */
function mayWait({ isForPages, media }: Endpoint<never>, request: FastifyRequest): boolean {
  if (isForPages === false || media === eventStream) return true
  const parameters = parametersOf(request)
  return parameters['index'] !== undefined || parameters['hash'] !== undefined
}

/** RFC 9110 §10.2.3: in whole seconds. */
function retryAfter(reply: FastifyReply, waitMs: number): number {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  reply.header('Retry-After', String(seconds))
  return seconds
}
