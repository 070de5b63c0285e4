import { svcdError } from '../base/errors.ts'
import type { Client } from './client.ts'

/** An intention, as the API writes it. */
export interface IntentionEntry {
  readonly ID: string
  readonly Description: string
  readonly SourceNS: string
  readonly SourceName: string
  readonly DestinationNS: string
  readonly DestinationName: string
  readonly Action: string
  readonly Meta: Readonly<Record<string, string>>
  readonly Precedence: number
  readonly CreatedAt: string
  readonly UpdatedAt: string
}

/** Whether one service may call another, and what says so. */
export interface IntentionCheck {
  readonly Allowed: boolean
  /** `intention`, `default`, or '' if the token may not know. */
  readonly DecidedBy: string
  readonly Intention: IntentionEntry | null
}

export interface IntentionOptions {
  readonly datacenter?: string | undefined
  /** As the agent that is asked has it, also without a leader. */
  readonly stale?: boolean | undefined
}

/** The endpoints of intentions as functions, which fail as those of {@link Client} do. */
export class IntentionClient {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  list(options: IntentionOptions = {}): Promise<readonly IntentionEntry[]> {
    return this.#json('GET', pathOf('', options))
  }

  read(id: string, options: IntentionOptions = {}): Promise<IntentionEntry> {
    return this.#json('GET', pathOf(`/${encodeURIComponent(id)}`, options))
  }

  /** Rejects with what the agent says if there is none. */
  between(
    source: string,
    destination: string,
    options: IntentionOptions = {},
  ): Promise<IntentionEntry> {
    return this.#json('GET', pathOf('/exact', options, { source, destination }))
  }

  /** `definition`: JSON. Returns the ID. */
  async create(definition: string, options: IntentionOptions = {}): Promise<string> {
    const body = Buffer.from(definition)
    return (await this.#json<{ ID: string }>('POST', pathOf('', options), body)).ID
  }

  /** Creates the intention with these names, or replaces it. */
  async replace(
    source: string,
    destination: string,
    definition: string,
    options: IntentionOptions = {},
  ): Promise<void> {
    const path = pathOf('/exact', options, { source, destination })
    await this.#client.text('PUT', path, Buffer.from(definition))
  }

  async delete(id: string, options: IntentionOptions = {}): Promise<void> {
    await this.#client.text('DELETE', pathOf(`/${encodeURIComponent(id)}`, options))
  }

  /** Those about a name on one side, in the order in which they decide. */
  async match(
    by: 'source' | 'destination',
    name: string,
    options: IntentionOptions = {},
  ): Promise<readonly IntentionEntry[]> {
    const found = await this.#json<Readonly<Record<string, readonly IntentionEntry[] | null>>>(
      'GET',
      pathOf('/match', options, { by, name }),
    )
    return found[name] ?? []
  }

  check(
    source: string,
    destination: string,
    options: IntentionOptions = {},
  ): Promise<IntentionCheck> {
    return this.#json('GET', pathOf('/check', options, { source, destination, explain: '' }))
  }

  async #json<T>(method: string, path: string, body?: Uint8Array): Promise<T> {
    const text = await this.#client.text(method, path, body)
    try {
      return JSON.parse(text) as T
    } catch (error) {
      throw svcdError('agent-refused', { agent: '', reason: 'The answer is not JSON.' }, error)
    }
  }
}

function pathOf(
  below: string,
  { datacenter, stale }: IntentionOptions,
  asked: Readonly<Record<string, string>> = {},
): string {
  const parameters = new URLSearchParams(asked)
  if (datacenter !== undefined) parameters.set('dc', datacenter)
  if (stale === true) parameters.set('stale', '')
  return `connect/intentions${below}${parameters.size === 0 ? '' : `?${parameters.toString()}`}`
}
