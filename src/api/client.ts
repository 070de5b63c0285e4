import { reasonOf, svcdError, SvcdError } from '../base/errors.ts'
import { readEvents, type WatchEvent } from './event-reader.ts'

// The part of Consul's JSON that the CLI shows; answers hold more.

export interface NodeEntry {
  readonly ID: string
  readonly Node: string
  readonly Address: string
  readonly Datacenter: string
  readonly TaggedAddresses: Readonly<Record<string, string>>
  readonly Meta: Readonly<Record<string, string>>
}

export interface ServiceEntry {
  readonly ID: string
  readonly Service: string
  readonly Tags: readonly string[]
  readonly Address: string
  readonly Port: number
  readonly Meta: Readonly<Record<string, string>>
  readonly Weights: { readonly Passing: number; readonly Warning: number }
}

export interface CheckEntry {
  readonly Node: string
  readonly CheckID: string
  readonly Name: string
  readonly Status: string
  readonly Notes: string
  readonly Output: string
  readonly ServiceID: string
  readonly ServiceName: string
}

/** A row of health/service. */
export interface HealthEntry {
  readonly Node: NodeEntry
  readonly Service: ServiceEntry
  readonly Checks: readonly CheckEntry[]
}

export interface Self {
  readonly Config: {
    readonly Datacenter: string
    readonly NodeName: string
    readonly NodeID: string
    readonly Server: boolean
    readonly SvcdVersion: string
  }
  readonly DebugConfig: { readonly DNSPort: number; readonly DNSDomain: string }
}

export interface Member {
  readonly Name: string
  readonly Addr: string
  readonly Port: number
  readonly Status: number
  readonly Tags: Readonly<Record<string, string>>
}

/** A row of operator/raft/configuration. */
export interface RaftServer {
  readonly ID: string
  readonly Node: string
  readonly Address: string
  readonly Leader: boolean
  readonly ProtocolVersion: string
  readonly Voter: boolean
}

/** The answer of GET snapshot. */
export interface SnapshotDownload {
  readonly index: number
  /** Bytes of the state once it is unpacked. */
  readonly stateBytes: number
  readonly archive: AsyncIterable<Uint8Array>
}

/** The body of agent/service/register; the agent accepts more (docs/http-api.md). */
export interface ServiceRegistration {
  readonly Name: string
  readonly ID?: string | undefined
  readonly Address?: string | undefined
  readonly Port?: number | undefined
  readonly Tags?: readonly string[] | undefined
  readonly Meta?: Readonly<Record<string, string>> | undefined
  readonly Weights?: { readonly Passing: number; readonly Warning: number } | undefined
  readonly Checks?: readonly CheckRegistration[] | undefined
}

/** Durations as text: `10s`. */
export interface CheckRegistration {
  readonly CheckID?: string | undefined
  readonly Name?: string | undefined
  readonly TTL?: string | undefined
  readonly HTTP?: string | undefined
  readonly Method?: string | undefined
  readonly Interval?: string | undefined
  readonly Timeout?: string | undefined
  readonly Status?: string | undefined
  readonly DeregisterCriticalServiceAfter?: string | undefined
}

export interface ClientOptions {
  /** Base URL, `http://127.0.0.1:8500`. */
  readonly address: string
  /** Sent as X-Consul-Token. */
  readonly token?: string | undefined
  /** How long to wait for an answer. Default 30 s. */
  readonly timeoutMs?: number | undefined
}

export interface HealthOptions {
  readonly passing?: boolean
  readonly tags?: readonly string[]
}

/** A stream says that it lives every 15 s. */
const silenceMsMax = 60_000

/**
 * The HTTP API as functions. Each rejects with SvcdError `agent-unreachable` when nobody answers,
 * and with `agent-refused`, which quotes the agent's own words, when the answer is an error.
 */
export class Client {
  readonly #address: string
  readonly #headers: Record<string, string>
  readonly #timeoutMs: number

  constructor({ address, token, timeoutMs }: ClientOptions) {
    this.#address = address.replace(/\/+$/, '')
    this.#headers = token === undefined || token === '' ? {} : { 'X-Consul-Token': token }
    this.#timeoutMs = timeoutMs ?? 30_000
  }

  /** Returns what the agent accepted with a warning, in its words; '' mostly. */
  async registerService(
    service: ServiceRegistration,
    options: { readonly replaceExistingChecks?: boolean } = {},
  ): Promise<string> {
    const query = options.replaceExistingChecks === true ? '?replace-existing-checks=true' : ''
    const response = await this.#put(`agent/service/register${query}`, service)
    return response.headers.get('X-Svcd-Warning') ?? ''
  }

  async deregisterService(id: string): Promise<void> {
    await this.#put(`agent/service/deregister/${encodeURIComponent(id)}`)
  }

  /** Removes a service from a node of the catalog, or (no id given) the whole node. */
  async deregisterFromCatalog(node: string, serviceId?: string): Promise<void> {
    await this.#put('catalog/deregister', { Node: node, ServiceID: serviceId })
  }

  /** Every service name of the datacenter with its tags. */
  services(): Promise<Readonly<Record<string, readonly string[]>>> {
    return this.#get('catalog/services')
  }

  nodes(): Promise<readonly NodeEntry[]> {
    return this.#get('catalog/nodes')
  }

  /** The instances of a service with their checks; empty when there is no such service. */
  health(service: string, options: HealthOptions = {}): Promise<readonly HealthEntry[]> {
    const query = new URLSearchParams()
    for (const tag of options.tags ?? []) query.append('tag', tag)
    if (options.passing === true) query.set('passing', 'true')
    return this.#get(`health/service/${encodeURIComponent(service)}?${query.toString()}`)
  }

  /**
   * The state of `path` (`service/web`, `services`, `nodes`, `checks`) and every later one. It ends
   * with the stream, and rejects with `agent-unreachable` when that breaks off or falls silent.
   */
  async *watch(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
    const silence = new AbortController()
    const onSilence = (): void => silence.abort(new Error('the stream fell silent'))
    const timer = setTimeout(onSilence, silenceMsMax).unref()
    try {
      const either = AbortSignal.any([signal, silence.signal])
      const { body } = await this.#request('GET', `watch/${path}`, null, either)
      yield* readEvents(withEach(body ?? new ReadableStream(), () => timer.refresh()))
    } catch (error) {
      throw error instanceof SvcdError ? error : this.#unreachable(fetchReason(error), error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** The agent's own services, by id. */
  agentServices(): Promise<Readonly<Record<string, ServiceEntry>>> {
    return this.#get('agent/services')
  }

  self(): Promise<Self> {
    return this.#get('agent/self')
  }

  members(): Promise<readonly Member[]> {
    return this.#get('agent/members')
  }

  /** `host:port` of the leader, '' while there is none. */
  leader(): Promise<string> {
    return this.#get('status/leader')
  }

  /** The servers of the cluster. `stale`: as the agent that is asked sees them, also without a leader. */
  async raftServers(options: { readonly stale?: boolean } = {}): Promise<readonly RaftServer[]> {
    const query = options.stale === true ? '?stale' : ''
    const path = `operator/raft/configuration${query}`
    return (await this.#get<{ readonly Servers: readonly RaftServer[] }>(path)).Servers
  }

  /** To the server of this id, or to the one that holds the most of the log. */
  async transferLeader(id?: string): Promise<void> {
    const query = id === undefined ? '' : `?${new URLSearchParams({ id }).toString()}`
    await this.#put(`operator/raft/transfer-leader${query}`)
  }

  async addPeer(server: { readonly id: string; readonly address: string }): Promise<void> {
    await this.#put(`operator/raft/peer?${new URLSearchParams(server).toString()}`)
  }

  async removePeer(server: { readonly id: string } | { readonly address: string }): Promise<void> {
    await this.#request('DELETE', `operator/raft/peer?${new URLSearchParams(server).toString()}`)
  }

  /** The agent leaves its cluster for good, and stops. */
  async leave(): Promise<void> {
    await this.#put('agent/leave')
  }

  /** The state of the cluster as an archive. An archive that breaks off rejects while it is read. */
  async snapshot(options: { readonly stale?: boolean } = {}): Promise<SnapshotDownload> {
    const response = await this.#request('GET', `snapshot${options.stale === true ? '?stale' : ''}`)
    const header = (name: string): number => Number(response.headers.get(name) ?? 0)
    return {
      index: header('X-Consul-Index'),
      stateBytes: header('X-Svcd-State-Bytes'),
      archive: response.body ?? new ReadableStream<Uint8Array>(),
    }
  }

  /** Makes the catalog what an archive says. Resolves when all of it is written. */
  async restore(archive: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#request('PUT', 'snapshot', archive)
  }

  async #get<T>(path: string): Promise<T> {
    const response = await this.#request('GET', path)
    try {
      return (await response.json()) as T
    } catch (error) {
      throw this.#unreachable(`its answer is not an agent's: ${reasonOf(error)}`, error)
    }
  }

  #put(path: string, body?: unknown): Promise<Response> {
    return this.#request('PUT', path, body === undefined ? null : JSON.stringify(body))
  }

  async #request(
    method: string,
    path: string,
    body: string | AsyncIterable<Uint8Array> | null = null,
    signal?: AbortSignal,
  ): Promise<Response> {
    const isShort = typeof body === 'string' || body === null
    let response: Response
    try {
      response = await fetch(`${this.#address}/v1/${path}`, {
        method,
        body,
        headers: this.#headers,
        // What is streamed takes as long as it takes.
        ...(isShort && !path.startsWith('snapshot')
          ? { signal: signal ?? AbortSignal.timeout(this.#timeoutMs) }
          : { duplex: 'half' as const }),
      })
      if (response.ok) return response
    } catch (error) {
      throw this.#unreachable(fetchReason(error), error)
    }
    const reason = (await response.text().catch(reasonOf)).trim()
    throw svcdError('agent-refused', {
      address: this.#address,
      status: response.status,
      reason: reason === '' ? response.statusText : reason,
    })
  }

  #unreachable(reason: string, error: unknown): Error {
    return svcdError('agent-unreachable', { address: this.#address, reason }, error)
  }
}

/** fetch says "fetch failed" and keeps the reason in the cause, once for each address tried. */
function fetchReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const first = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause
  return reasonOf(first ?? error)
}

async function* withEach<T>(items: AsyncIterable<T>, before: () => void): AsyncGenerator<T, void> {
  for await (const item of items) {
    before()
    yield item
  }
}
