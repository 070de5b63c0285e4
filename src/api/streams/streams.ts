import type { FastifyReply } from 'fastify'
import type { Clock } from '../../base/clock.ts'
import { reasonOf, svcdError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Backend } from '../../ports/backend.ts'
import { EventStream } from './event-stream.ts'
import { Feed } from './feed.ts'
import type { FeedSource } from './feed.ts'
import type { Rendered } from '../http/render-cache.ts'

const heartbeatMsDefault = 15_000
/** A reader that took nothing for so many heartbeats is gone. */
const heartbeatsMissedMax = 4

export interface StreamsOptions {
  readonly backend: Backend
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly logger: Logger
  /** Default 15 s: proxies close what is silent for 30 to 60 s. */
  readonly heartbeatMs?: number | undefined
}

/** The streams of server-sent events that are open, one feed for each URL. */
export class Streams {
  readonly #options: StreamsOptions
  readonly #feeds = new Map<string, Feed>()
  #heartbeat: ReturnType<typeof setInterval> | undefined
  #stopped = false

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** Readers of one `key` share one feed. `first`: the state as it was just read. */
  feed(key: string, source: FeedSource, first: Rendered): Feed {
    if (this.#stopped) throw svcdError('stopping', {})
    return this.#feeds.get(key) ?? this.#start(key, source, first)
  }

  /** Streams a feed to a client until that goes away. `known`: the state that the client has. */
  open(key: string, feed: Feed, raw: FastifyReply['raw'], known: Buffer | undefined): void {
    const stream = new EventStream(raw, known)
    feed.add(stream)
    raw.once('close', () => {
      feed.delete(stream)
      if (feed.isUnused) this.#drop(key, feed)
    })
  }

  /** Ends all streams; their clients connect again elsewhere, or later. */
  stop(): void {
    this.#stopped = true
    for (const [key, feed] of this.#feeds) this.#drop(key, feed)
  }

  #start(key: string, source: FeedSource, first: Rendered): Feed {
    const { backend, clock, logger } = this.#options
    const feed = new Feed(backend, clock, source, first)
    this.#feeds.set(key, feed)
    feed.run().catch((error: unknown) => {
      logger.error({ key, reason: reasonOf(error) }, 'a stream ended: the catalog cannot be read')
      this.#drop(key, feed)
    })
    this.#heartbeat ??= setInterval(() => this.#beat(), this.#heartbeatMs).unref()
    return feed
  }

  #drop(key: string, feed: Feed): void {
    feed.end()
    if (this.#feeds.get(key) === feed) this.#feeds.delete(key)
    if (this.#feeds.size > 0) return
    clearInterval(this.#heartbeat)
    this.#heartbeat = undefined
  }

  #beat(): void {
    const nowMs = this.#options.clock.monotonicMs()
    const limitMs = heartbeatsMissedMax * this.#heartbeatMs
    for (const feed of this.#feeds.values()) feed.beat(nowMs, limitMs)
  }

  get #heartbeatMs(): number {
    return this.#options.heartbeatMs ?? heartbeatMsDefault
  }
}
