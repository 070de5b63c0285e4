import type { FastifyReply } from 'fastify'
import type { Caller } from '../../access/caller.ts'
import type { Clock } from '../../base/clock.ts'
import { reasonOf, svcdError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { EventStream } from './event-stream.ts'
import type { NextEvent } from './event-stream.ts'
import { Feed } from './feed.ts'
import type { FeedSource } from './feed.ts'
import { PerCaller } from '../../http/per-caller.ts'

const heartbeatMsDefault = 15_000
/** A reader that took nothing for so many heartbeats is gone. */
const heartbeatsMissedMax = 4

export interface StreamsOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly logger: Logger
  /** Default 15 s: proxies close what is silent for 30 to 60 s. */
  readonly heartbeatMs?: number | undefined
}

/** What the readers of a feed have in common. */
export interface FeedPlace {
  readonly caller: Caller
  readonly key: string
}

/** The streams of server-sent events that are open, one feed for each URL and caller. */
export class Streams {
  readonly #options: StreamsOptions
  readonly #feeds = new PerCaller<Feed>()
  #heartbeat: ReturnType<typeof setInterval> | undefined
  #stopped = false

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** What a feed that runs already follows. */
  source({ caller, key }: FeedPlace): FeedSource | undefined {
    return this.#feeds.get(caller, key)?.source
  }

  /** Readers of one key share one feed; all who ask for it must make the same source. */
  feed<Source extends FeedSource>(place: FeedPlace, source: () => Source): Feed<Source> {
    if (this.#stopped) throw svcdError('stopping', {})
    const known = this.#feeds.get(place.caller, place.key) as Feed<Source> | undefined
    return known ?? this.#start(place, source())
  }

  /** Streams a feed to a client until that goes away. `next`: what this client gets of it. */
  open(place: FeedPlace, feed: Feed, raw: FastifyReply['raw'], next: NextEvent): void {
    const stream = new EventStream(raw, next)
    feed.add(stream)
    raw.once('close', () => {
      feed.delete(stream)
      if (feed.isUnused) this.#drop(place, feed)
    })
  }

  /** Ends all streams; their clients connect again elsewhere, or later. */
  stop(): void {
    this.#stopped = true
    for (const feed of this.#feeds.values()) feed.end()
    this.#feeds.clear()
    this.#stopBeating()
  }

  #start<Source extends FeedSource>(place: FeedPlace, source: Source): Feed<Source> {
    const { clock, logger } = this.#options
    const { caller, key } = place
    const feed = new Feed(clock, source)
    this.#feeds.set(caller, key, feed)
    feed.run().catch((error: unknown) => {
      logger.error({ key, reason: reasonOf(error) }, 'a stream ended: the state cannot be read')
      this.#drop(place, feed)
    })
    this.#heartbeat ??= setInterval(() => this.#beat(), this.#heartbeatMs).unref()
    return feed
  }

  #drop({ caller, key }: FeedPlace, feed: Feed): void {
    feed.end()
    this.#feeds.delete(caller, key, feed)
    if (this.#feeds.isEmpty) this.#stopBeating()
  }

  #stopBeating(): void {
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
