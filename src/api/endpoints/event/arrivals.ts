import type { FamilyReads } from '../../../ports/reads.ts'
import type { EventReader, UserEvent } from '../../../state/event/reader.ts'
import { eventOf } from '../../streams/event-stream.ts'
import type { NextEvent } from '../../streams/event-stream.ts'
import type { FeedSource } from '../../streams/feed.ts'
import type { Choice } from './choice.ts'
import { emptyIndex, eventIndex, eventJson } from './event-json.ts'
import { recentOf } from './recent.ts'

/** So many lists are kept for further readers. */
const listsMax = 8

/** The user events of a choice as they arrive: each reader gets each of them once, in lists. */
export class Arrivals implements FeedSource {
  readonly state: FamilyReads<EventReader>
  readonly subject: string
  readonly #choice: Choice
  #events: readonly UserEvent[]
  /** The lists that readers got, by the Lamport time of what they had seen: mostly all have seen the same. */
  readonly #lists = new Map<number, Buffer>()

  constructor(state: FamilyReads<EventReader>, choice: Choice) {
    this.state = state
    this.subject = choice.subject
    this.#choice = choice
    this.#events = recentOf(state).events.filter(choice.has)
  }

  async look(): Promise<boolean> {
    const last = this.#lastTime()
    const { events } = recentOf(this.state)
    await this.#choice.prepare(events)
    this.#events = events.filter(this.#choice.has)
    if (this.#lastTime() === last) return false
    this.#lists.clear()
    return true
  }

  /**
   * For a reader that has seen the events up to this Lamport time. Undefined: it has seen none, and its
   * first list is all that there are, even if that is empty.
   */
  next(upTo: number | undefined): NextEvent {
    let seen = upTo
    return () => {
      if (seen !== undefined && this.#lastTime() <= seen) return undefined
      const list = this.#listAfter(seen ?? 0)
      seen = this.#lastTime()
      return list
    }
  }

  #listAfter(seen: number): Buffer {
    const known = this.#lists.get(seen)
    if (known !== undefined) return known
    const events = this.#events.filter(({ ltime }) => ltime > seen)
    const last = events.at(-1)
    const id = last === undefined ? emptyIndex : eventIndex(last)
    const list = eventOf(id, Buffer.from(JSON.stringify(events.map(eventJson))))
    if (this.#lists.size < listsMax) this.#lists.set(seen, list)
    return list
  }

  #lastTime(): number {
    return this.#events.at(-1)?.ltime ?? 0
  }
}
