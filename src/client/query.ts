import { svcdError } from '../base/errors.ts'
import type { Client } from './client.ts'
import type { QueryEntry, QueryResult } from './rows.ts'

export interface QueryOptions {
  readonly datacenter?: string | undefined
  /** As the agent that is asked has it, also without a leader. */
  readonly stale?: boolean | undefined
}

/** The endpoints of prepared queries as functions, which fail as those of {@link Client} do. */
export class QueryClient {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  list(options: QueryOptions = {}): Promise<readonly QueryEntry[]> {
    return this.#json('GET', `query${asked(options)}`)
  }

  /** By its ID or its name. Rejects with `query-not-found`. */
  async find(idOrName: string, options: QueryOptions = {}): Promise<QueryEntry> {
    const key = idOrName.toLowerCase()
    const all = await this.list(options)
    const found = [
      all.find(({ ID }) => ID === key),
      all.find(({ Name }) => Name !== '' && Name.toLowerCase() === key),
    ].find((query) => query !== undefined)
    if (found === undefined) throw svcdError('query-not-found', { name: idOrName })
    return found
  }

  /** `definition`: JSON. Returns the ID. */
  async create(definition: string, options: QueryOptions = {}): Promise<string> {
    const body = Buffer.from(definition)
    return (await this.#json<{ ID: string }>('POST', `query${asked(options)}`, body)).ID
  }

  async update(id: string, definition: string, options: QueryOptions = {}): Promise<void> {
    await this.#client.text('PUT', pathOf(id, '', options), Buffer.from(definition))
  }

  async delete(id: string, options: QueryOptions = {}): Promise<void> {
    await this.#client.text('DELETE', pathOf(id, '', options))
  }

  execute(
    idOrName: string,
    options: QueryOptions & {
      readonly limit?: string | undefined
      readonly near?: string | undefined
    } = {},
  ): Promise<QueryResult> {
    return this.#json('GET', pathOf(idOrName, '/execute', options))
  }

  /** The query that a name finds, with its template filled in. */
  async explain(idOrName: string, options: QueryOptions = {}): Promise<QueryEntry> {
    const path = pathOf(idOrName, '/explain', options)
    return (await this.#json<{ Query: QueryEntry }>('GET', path)).Query
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

interface Asked extends QueryOptions {
  readonly limit?: string | undefined
  readonly near?: string | undefined
}

function pathOf(idOrName: string, what: string, options: Asked): string {
  return `query/${encodeURIComponent(idOrName)}${what}${asked(options)}`
}

function asked({ datacenter, stale, limit, near }: Asked): string {
  const parameters = new URLSearchParams()
  if (datacenter !== undefined) parameters.set('dc', datacenter)
  if (stale === true) parameters.set('stale', '')
  if (limit !== undefined) parameters.set('limit', limit)
  if (near !== undefined) parameters.set('near', near)
  return parameters.size === 0 ? '' : `?${parameters.toString()}`
}
