import type { Client } from './client.ts'
import type { EventEntry } from './rows.ts'

/** Which events are listed. */
export interface EventChoice {
  readonly name?: string | undefined
  // Regular expressions.
  readonly node?: string | undefined
  readonly service?: string | undefined
  readonly tag?: string | undefined
  readonly datacenter?: string | undefined
}

export interface EventToFire extends EventChoice {
  readonly name: string
  readonly payload?: Uint8Array | undefined
}

/** The endpoints of user events as functions, which fail as those of {@link Client} do. */
export class EventClient {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** Resolves with the event when it is in the log. */
  async fire({ name, payload, ...choice }: EventToFire): Promise<EventEntry> {
    const path = `event/fire/${encodeURIComponent(name)}${eventQuery(choice)}`
    return JSON.parse(await this.#client.text('PUT', path, payload)) as EventEntry
  }

  /** The last 256 events for the agent that is asked, the oldest first. */
  async list(choice: EventChoice = {}): Promise<readonly EventEntry[]> {
    const path = `event/list${eventQuery(choice)}`
    return JSON.parse(await this.#client.text('GET', path)) as readonly EventEntry[]
  }
}

/** A choice as a URL's query; '' when nothing is chosen. */
export function eventQuery({ name, node, service, tag, datacenter }: EventChoice): string {
  const given = Object.entries({ name, node, service, tag, dc: datacenter })
  const query = new URLSearchParams()
  for (const [key, value] of given) if (value !== undefined && value !== '') query.set(key, value)
  return query.size === 0 ? '' : `?${query.toString()}`
}

/** The payload of an event as text. */
export function payloadText({ Payload }: Pick<EventEntry, 'Payload'>): string {
  return Buffer.from(Payload ?? '', 'base64').toString()
}
