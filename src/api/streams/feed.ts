import type { Clock } from '../../base/clock.ts'
import type { FamilyReads } from '../../ports/reads.ts'
import type { Wait } from '../../ports/waits.ts'
import type { EventStream } from './event-stream.ts'

/** Each wait has a limit. A wait that ends without a change starts again. */
const waitMs = 600_000
/** A feed rests this many times as long as its last look took: it never takes a whole core. */
const restFactor = 4
/** Readers served before others get their turn. */
const batch = 256

/** What the readers of a feed follow. */
export interface FeedSource {
  readonly state: Pick<FamilyReads<never>, 'version' | 'waitForChange'>
  readonly subject: string
  /** How long a feed rests after a change at least; default 0. */
  readonly restMs?: number
  /** Looks at the state, with `version()` taken before. Tells whether there is something new for readers. */
  look(since: number): Promise<boolean>
}

/**
 * One URL that callers with the same rights watch: one wait for its changes and one look at each, however many
 * read it.
 */
export class Feed<Source extends FeedSource = FeedSource> {
  readonly source: Source
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #streams = new Set<EventStream>()
  #hasEnded = false
  #wait: Wait | undefined

  constructor(clock: Pick<Clock, 'monotonicMs'>, source: Source) {
    this.#clock = clock
    this.source = source
  }

  get isUnused(): boolean {
    return this.#streams.size === 0
  }

  add(stream: EventStream): void {
    this.#streams.add(stream)
    stream.wake()
  }

  delete(stream: EventStream): void {
    this.#streams.delete(stream)
  }

  /** Wakes all readers at every change until `end`. Rejects when the state cannot be read. */
  async run(): Promise<void> {
    const { state, subject } = this.source
    while (!this.#hasEnded) {
      // Taken before the look, so that a change between the look and the wait ends the wait.
      const since = state.version()
      const startMs = this.#clock.monotonicMs()
      if (await this.source.look(since)) {
        const tookMs = this.#clock.monotonicMs() - startMs
        await this.#wakeAll()
        await rest(Math.max(tookMs * restFactor, this.source.restMs ?? 0))
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

  async #wakeAll(): Promise<void> {
    let woken = 0
    for (const stream of this.#streams) {
      stream.wake()
      if (++woken % batch === 0) await rest(0)
    }
  }
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (ms < 1) setImmediate(resolve)
    else setTimeout(resolve, ms)
  })
}
