import type { Caller } from '../../../access/caller.ts'
import type { FamilyReads } from '../../../ports/reads.ts'
import type { EventReader, UserEvent } from '../../../state/event/reader.ts'
import { RenderCache, Rendered } from '../../../http/render-cache.ts'
import { renderJson } from '../../../http/reply.ts'
import { eventIndex, eventJson } from './event-json.ts'

/** The events of one version of the state, and the lists made of them: all who wait ask at one moment. */
export class Recent {
  readonly version: number
  /** The oldest first. */
  readonly events: readonly UserEvent[]
  readonly #lists = new RenderCache()
  #indexes: ReadonlyMap<string, UserEvent> | undefined

  constructor(version: number, events: readonly UserEvent[]) {
    this.version = version
    this.events = events
  }

  /** The event that a client saw last, by the index that it got; undefined: it is not known here. */
  withIndex(index: string): UserEvent | undefined {
    this.#indexes ??= new Map(this.events.map((event) => [eventIndex(event), event]))
    return this.#indexes.get(index)
  }

  /** `events` as JSON; two calls of one caller with the same key must have the same. */
  list(caller: Caller, key: string, events: readonly UserEvent[], pretty: boolean): Rendered {
    const known = this.#lists.get(this.version, caller, key)
    if (known !== undefined) return known
    const body = renderJson(events.map(eventJson), pretty)
    const rendered = new Rendered(events.at(-1)?.ltime ?? 0, body)
    this.#lists.put(this.version, caller, key, rendered)
    return rendered
  }
}

const recents = new WeakMap<FamilyReads<EventReader>, Recent>()

/** The events that there are. Read once for each change, because there are few, and many may wait for the next. */
export function recentOf(state: FamilyReads<EventReader>): Recent {
  // Taken before the read, so that the read is at least as new.
  const version = state.version()
  const known = recents.get(state)
  if (known?.version === version) return known
  const recent = new Recent(
    version,
    state.read((reader) => reader.all()),
  )
  recents.set(state, recent)
  return recent
}
