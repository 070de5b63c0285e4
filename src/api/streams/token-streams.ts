import type { FastifyReply, FastifyRequest } from 'fastify'
import { anonymous } from '../../access/caller.ts'
import type { Caller } from '../../access/caller.ts'
import { SvcdError } from '../../base/errors.ts'
import { secretOf } from '../../http/secret-of.ts'
import type { Tokens } from '../../ports/tokens.ts'
import type { NextEvent } from './event-stream.ts'

type Raw = FastifyReply['raw']

interface Followed {
  readonly raw: Raw
  /** Undefined: the request had none. */
  readonly secret: string | undefined
  readonly caller: Caller
}

/** How often tokens are looked at that expire without a change. */
const lookMs = 5000

/**
 * The streams that are open, by whose rights. A stream ends when its token is deleted, expires or gets other rights;
 * the client connects again, with the rights that it has then.
 */
export class TokenStreams {
  readonly #tokens: Tokens
  readonly #streams = new Set<Followed>()
  #stopFollowing: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(tokens: Tokens) {
    this.#tokens = tokens
  }

  /** Follows the token of a request that is answered by a stream. Gives `next` with a check of the token before each event. */
  follow(request: FastifyRequest, raw: Raw, next: NextEvent): NextEvent {
    const stream = this.#add(request, raw)
    if (stream === undefined) return next
    return () => {
      // Not after the first event of a new state: that one would already tell too much.
      if (!this.#holds(stream)) {
        this.#end(stream)
        return undefined
      }
      return next()
    }
  }

  /** Follows the token of a request that is answered by a stream of lines. */
  followLines(request: FastifyRequest, raw: Raw): void {
    this.#add(request, raw)
  }

  stop(): void {
    this.#streams.clear()
    this.#rest()
  }

  #add(request: FastifyRequest, raw: Raw): Followed | undefined {
    const { requester } = request
    if (requester === undefined) return undefined
    const stream = { raw, secret: secretOf(request), caller: requester.caller }
    this.#streams.add(stream)
    raw.once('close', () => {
      this.#streams.delete(stream)
      if (this.#streams.size === 0) this.#rest()
    })
    this.#stopFollowing ??= this.#tokens.onChange(() => this.#look())
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref()
    return stream
  }

  #rest(): void {
    this.#stopFollowing?.()
    this.#stopFollowing = undefined
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    // Most streams have few secrets in common: each is resolved once.
    const known = new Map<string | undefined, Caller | undefined>()
    for (const stream of this.#streams) {
      const { secret } = stream
      if (!known.has(secret)) known.set(secret, this.#callerOf(secret))
      if (known.get(secret) !== stream.caller) this.#end(stream)
    }
  }

  #holds({ secret, caller }: Followed): boolean {
    return this.#callerOf(secret) === caller
  }

  /** Undefined: no token has this secret any more. */
  #callerOf(secret: string | undefined): Caller | undefined {
    if (!this.#tokens.isEnabled) return anonymous
    try {
      return this.#tokens.requester(secret).caller
    } catch (error) {
      if (!(error instanceof SvcdError)) throw error
      return undefined
    }
  }

  /** After what was sent; a reader that takes nothing is cut off. */
  #end(stream: Followed): void {
    const { raw } = stream
    if (!this.#streams.delete(stream)) return
    if (raw.writableNeedDrain) raw.destroy()
    else raw.end()
  }
}
