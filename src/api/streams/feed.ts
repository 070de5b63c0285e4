import type { Clock } from '../../base/clock.ts'
import type { FamilyReads } from '../../ports/reads.ts'
import type { Wait } from '../../ports/waits.ts'
import { EventStream, frameOf } from './event-stream.ts'
import type { Frame } from './event-stream.ts'
import type { Rendered } from '../http/render-cache.ts'

/** Each wait has a limit. A wait that ends without a change starts again. */
const waitMs = 600_000
/** A feed rests this many times as long as its last event took to make: it never takes a whole core. */
const restFactor = 4
/** Readers served before others get their turn. */
const batch = 256

/** The state as one feed sees it. */
export interface FeedSource {
  readonly state: Pick<FamilyReads<never>, 'version' | 'waitForChange'>
  readonly subject: string
  /** The state now; to be asked with `version()` taken before. */
  render(since: number): Promise<Rendered>
}

/**
 * One URL that callers with the same rights watch: one wait for its changes and one serialisation of each, however many
 * read it.
 */
export class Feed {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #source: FeedSource
  readonly #streams = new Set<EventStream>()
  #hasEnded = false
  #wait: Wait | undefined
  #latest: Frame

  constructor(clock: Pick<Clock, 'monotonicMs'>, source: FeedSource, first: Rendered) {
    this.#clock = clock
    this.#source = source
    this.#latest = frameOf(first.index, first.body)
  }

  get isUnused(): boolean {
    return this.#streams.size === 0
  }

  /** Takes a state that was just read, unless it knows a newer one, and gives what it has then. */
  see({ index, body }: Rendered): Frame {
    const latest = this.#latest
    // Of two concurrent reads the older may end last.
    if (index < latest.index || (index === latest.index && body === latest.body)) return latest
    // The same bytes stay the same object: that is how a stream knows what its reader has.
    this.#latest = frameOf(index, body.equals(latest.body) ? latest.body : body)
    return this.#latest
  }

  add(stream: EventStream): void {
    this.#streams.add(stream)
    stream.offer(this.#latest)
  }

  delete(stream: EventStream): void {
    this.#streams.delete(stream)
  }

  /** Offers every change to all readers until `end`. Rejects when the state cannot be read. */
  async run(): Promise<void> {
    const { state, subject } = this.#source
    let offered = this.#latest
    while (!this.#hasEnded) {
      // Taken before the read, so that a change between the read and the wait ends the wait.
      const since = state.version()
      const startMs = this.#clock.monotonicMs()
      this.see(await this.#source.render(since))
      if (this.#latest.body !== offered.body) {
        const tookMs = this.#clock.monotonicMs() - startMs
        offered = this.#latest
        await this.#offerAll()
        await rest(tookMs * restFactor)
      }
      this.#wait = state.waitForChange(subject, since, waitMs)
      if (this.#hasEnded) this.#wait.end()
      await this.#wait.ended
    }
  }

  beat(nowMs: number, limitMs: number): void {
    for (const stream of this.#streams) stream.beat(nowMs, limitMs)
  }

  end(): void {
    this.#hasEnded = true
    this.#wait?.end()
    for (const stream of this.#streams) stream.end()
  }

  async #offerAll(): Promise<void> {
    let offered = 0
    for (const stream of this.#streams) {
      stream.offer(this.#latest)
      if (++offered % batch === 0) await rest(0)
    }
  }
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (ms < 1) setImmediate(resolve)
    else setTimeout(resolve, ms)
  })
}
