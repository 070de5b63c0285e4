import type { Rendered } from '../../http/render-cache.ts'
import { eventOf } from './event-stream.ts'
import type { NextEvent } from './event-stream.ts'
import type { FeedSource } from './feed.ts'

/** A state of what is watched, as JSON and as the event that carries it. */
interface Frame {
  readonly index: number
  readonly body: Buffer
  readonly event: Buffer
}

/** The state as it is read. */
export interface Watched extends Pick<FeedSource, 'state' | 'subject'> {
  /** The state now; to be asked with `version()` taken before. */
  render(since: number): Promise<Rendered>
}

/** The latest state of a question. Readers that are slow miss states in between. */
export class LatestState implements FeedSource {
  readonly state: FeedSource['state']
  readonly subject: string
  readonly #watched: Watched
  #latest: Frame
  /** The body that the readers were woken for last. */
  #told: Buffer

  constructor(watched: Watched, first: Rendered) {
    this.state = watched.state
    this.subject = watched.subject
    this.#watched = watched
    this.#latest = frameOf(first.index, first.body)
    this.#told = this.#latest.body
  }

  async look(since: number): Promise<boolean> {
    this.see(await this.#watched.render(since))
    const { body } = this.#latest
    if (body === this.#told) return false
    this.#told = body
    return true
  }

  /** Takes a state that was just read, unless it knows a newer one, and gives the body of what it has then. */
  see({ index, body }: Rendered): Buffer {
    const latest = this.#latest
    // Of two concurrent reads the older may end last.
    const isOld = index < latest.index || (index === latest.index && body === latest.body)
    // The same bytes stay the same object: that is how it is known what a reader has.
    if (!isOld) this.#latest = frameOf(index, body.equals(latest.body) ? latest.body : body)
    return this.#latest.body
  }

  /** For a reader that has the state `known` already. */
  next(known: Buffer | undefined): NextEvent {
    let has = known
    return () => {
      const { body, event } = this.#latest
      if (body === has) return undefined
      has = body
      return event
    }
  }
}

function frameOf(index: number, body: Buffer): Frame {
  return { index, body, event: eventOf(index, body) }
}
