import { parseDuration } from '../base/duration.ts'
import { svcdError } from '../base/errors.ts'
import { refusedStatus } from './client.ts'
import type { Client } from './client.ts'
import type { SessionEntry } from './rows.ts'

/** The fields of a new session. A field without a value has the default of the agent. Durations as text: `10s`. */
export interface NewSession {
  readonly name?: string | undefined
  readonly node?: string | undefined
  readonly ttl?: string | undefined
  readonly lockDelay?: string | undefined
  readonly behavior?: string | undefined
  /** IDs of checks of the node; an empty list for none. */
  readonly nodeChecks?: readonly string[] | undefined
  /** IDs of checks of services. */
  readonly serviceChecks?: readonly string[] | undefined
}

export interface SessionOptions {
  readonly datacenter?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface SessionListOptions extends SessionOptions {
  /** Only the sessions of this node. */
  readonly node?: string | undefined
  /** As the agent that is asked has it, also without a leader. */
  readonly stale?: boolean | undefined
}

/** The session endpoints as functions, which fail as those of {@link Client} do. */
export class SessionClient {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** Returns the ID of the new session. */
  async create(session: NewSession, options: SessionOptions = {}): Promise<string> {
    const { name, node, ttl, lockDelay, behavior, nodeChecks, serviceChecks } = session
    const body = JSON.stringify({
      Name: name,
      Node: node,
      TTL: ttl,
      LockDelay: lockDelay,
      Behavior: behavior,
      NodeChecks: nodeChecks,
      ServiceChecks: serviceChecks?.map((ID) => ({ ID })),
    })
    const text = await this.#text('PUT', `create${query(options)}`, options, Buffer.from(body))
    return (parsed(text) as { readonly ID: string }).ID
  }

  /** It also succeeds when there is no such session. */
  async destroy(id: string, options: SessionOptions = {}): Promise<void> {
    await this.#text('PUT', `destroy/${encodeURIComponent(id)}${query(options)}`, options)
  }

  /** The session, whose TTL begins again; undefined when there is none. */
  async renew(id: string, options: SessionOptions = {}): Promise<SessionEntry | undefined> {
    const path = `renew/${encodeURIComponent(id)}${query(options)}`
    try {
      return (parsed(await this.#text('PUT', path, options)) as readonly SessionEntry[])[0]
    } catch (error) {
      if (refusedStatus(error) === 404) return undefined
      throw error
    }
  }

  /** Undefined when there is no such session. */
  async info(id: string, options: SessionListOptions = {}): Promise<SessionEntry | undefined> {
    const path = `info/${encodeURIComponent(id)}${query(options)}`
    return (parsed(await this.#text('GET', path, options)) as readonly SessionEntry[] | null)?.[0]
  }

  async list(options: SessionListOptions = {}): Promise<readonly SessionEntry[]> {
    const { node } = options
    const path = node === undefined ? 'list' : `node/${encodeURIComponent(node)}`
    const text = await this.#text('GET', `${path}${query(options)}`, options)
    return (parsed(text) as readonly SessionEntry[] | null) ?? []
  }

  async #text(
    method: string,
    path: string,
    { signal }: SessionOptions,
    body?: Uint8Array,
  ): Promise<string> {
    return (await this.#client.ask(method, `session/${path}`, { signal, body })).text
  }
}

/** The TTL of a session in milliseconds; undefined for none. */
export function ttlMsOf({ TTL }: Pick<SessionEntry, 'TTL'>): number | undefined {
  const ttlMs = parseDuration(TTL)
  return ttlMs === undefined || ttlMs <= 0 ? undefined : ttlMs
}

function query({ datacenter, stale }: SessionListOptions): string {
  const asked = new URLSearchParams()
  if (datacenter !== undefined) asked.set('dc', datacenter)
  if (stale === true) asked.set('stale', '')
  return asked.size === 0 ? '' : `?${asked.toString()}`
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw svcdError('agent-refused', { agent: '', reason: 'The answer is not JSON.' }, error)
  }
}
