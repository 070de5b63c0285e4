import { svcdError, SvcdError } from '../base/errors.ts'
import { version } from '../base/version.ts'
import { asError, failureReason, isUntrusted, refusal, type Refusal } from './failure.ts'
import type {
  AgentDebug,
  CheckEntry,
  HealthEntry,
  Member,
  NodeEntry,
  RaftServer,
  Reloaded,
  ChangeTimes,
  Self,
  ServiceEntry,
  ServiceNode,
  ServiceRegistration,
  ServiceSummary,
  SnapshotDownload,
} from './rows.ts'
import { parsed, readEvents, withEach } from './event-reader.ts'
import type { StreamEvent, WatchEvent } from './event-reader.ts'
import { warningsOf } from './ask-options.ts'
import type { AskOptions, RequestLimits, WholeAnswer } from './ask-options.ts'
import type { HttpAnswer } from './http-answer.ts'
import { httpRequest, isStreamBody, type ClientTls, type HttpRequest } from './http-request.ts'

/** The choices of a list. */
export interface ListOptions {
  /** `key:value` pairs, all of which a node must have. */
  readonly nodeMeta?: readonly string[] | undefined
  /** An expression over the fields of a row. */
  readonly filter?: string | undefined
  /** Order by the distance from this node. */
  readonly near?: string | undefined
  readonly datacenter?: string | undefined
  /** As the agent that is asked has it, also without a leader. */
  readonly stale?: boolean | undefined
}

export interface ClientOptions {
  /** Base URL, `http://127.0.0.1:8500`. */
  readonly address: string
  /** Sent as X-Consul-Token. */
  readonly token?: string | undefined
  /** For an address that begins with https://. */
  readonly tls?: ClientTls | undefined
  /** How long to wait for an answer. Default 30 s. */
  readonly timeoutMs?: number | undefined
  /** Called when no answer arrives, soon or ever. Left out: no cause is looked for. */
  readonly diagnose?: Diagnose | undefined
}

/**
 * Finds out what is at an address where an agent should be. `failure` is why the request failed, or
 * undefined while it is only slow. Resolves with an error that explains it, or undefined: an agent is
 * there, or nothing is known.
 */
export type Diagnose = (
  address: string,
  failure: Error | undefined,
) => Promise<SvcdError | undefined>

/** An agent answers most requests in milliseconds. */
const slowMs = 500

/** The HTTP status of an `agent-refused`; undefined for any other error. */
export function refusedStatus(error: unknown): number | undefined {
  return refusalOf(error)?.status
}

/** The agent's own text of an `agent-refused`; undefined for any other error. */
export function refusedReason(error: unknown): string | undefined {
  return refusalOf(error)?.reason
}

function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof SvcdError) || error.code !== 'agent-refused') return undefined
  return error.cause as Refusal
}

export interface HealthOptions extends ListOptions {
  readonly passing?: boolean | undefined
  readonly tags?: readonly string[] | undefined
}

/** A stream says that it lives every 15 s. */
const silenceMsMax = 60_000

const jsonType = { 'Content-Type': 'application/json' }

/**
 * The HTTP API as functions. Each rejects with SvcdError `agent-unreachable` when no agent answers,
 * with `agent-untrusted` when its certificate is not to be trusted, and with `agent-refused`, which
 * quotes the agent's own words, when the answer is an error.
 */
export class Client {
  readonly #address: string
  readonly #headers: Record<string, string>
  readonly #timeoutMs: number
  readonly #tls: ClientTls | undefined
  readonly #diagnose: Diagnose | undefined

  constructor({ address, token, timeoutMs, diagnose, tls }: ClientOptions) {
    this.#tls = tls
    this.#address = address.replace(/\/+$/, '')
    // The agent's log says by it that somebody typed this.
    const own = { 'User-Agent': `svcd/${version}` }
    this.#headers = token === undefined || token === '' ? own : { ...own, 'X-Consul-Token': token }
    this.#timeoutMs = timeoutMs ?? 30_000
    this.#diagnose = diagnose
  }

  /** Returns what the agent warns of, in its words; most often nothing. */
  async registerService(
    service: ServiceRegistration,
    options: { readonly replaceExistingChecks?: boolean } = {},
  ): Promise<readonly string[]> {
    const query = options.replaceExistingChecks === true ? '?replace-existing-checks=true' : ''
    return warningsOf(await this.#put(`agent/service/register${query}`, service))
  }

  async deregisterService(id: string): Promise<void> {
    await this.#put(`agent/service/deregister/${encodeURIComponent(id)}`)
  }

  /** Removes a service from a node of the catalog, or (no id given) the whole node. */
  async deregisterFromCatalog(node: string, serviceId?: string): Promise<void> {
    await this.#put('catalog/deregister', { Node: node, ServiceID: serviceId })
  }

  /** Every service name of the datacenter with its tags. */
  services(options: ListOptions = {}): Promise<Readonly<Record<string, readonly string[]>>> {
    return this.#get(`catalog/services${queryOf(options)}`)
  }

  /** Every service with how many of its instances are in which health; `tags` and `node` choose instances. */
  summary(
    options: ListOptions & {
      readonly tags?: readonly string[] | undefined
      readonly node?: string | undefined
    } = {},
  ): Promise<readonly ServiceSummary[]> {
    const query = new URLSearchParams(queryOf(options))
    if (options.node !== undefined) query.set('node', options.node)
    for (const tag of options.tags ?? []) query.append('tag', tag)
    return this.#get(`health/summary${query.size === 0 ? '' : `?${query.toString()}`}`)
  }

  /** When the entries of the log with these indexes were written. */
  times(entries: readonly number[]): Promise<ChangeTimes> {
    return this.#get(`status/times?${entries.map((entry) => `entry=${entry}`).join('&')}`)
  }

  /** A TTL check of the agent reports. */
  async reportCheck(verb: 'pass' | 'warn' | 'fail', id: string, note = ''): Promise<void> {
    const query = note === '' ? '' : `?${new URLSearchParams({ note }).toString()}`
    await this.#put(`agent/check/${verb}/${encodeURIComponent(id)}${query}`)
  }

  nodes(options: ListOptions = {}): Promise<readonly NodeEntry[]> {
    return this.#get(`catalog/nodes${queryOf(options)}`)
  }

  /** The names of the nodes that an instance of a service is on, however it fares. */
  async nodesOfService(service: string, options: ListOptions = {}): Promise<ReadonlySet<string>> {
    const path = `catalog/service/${encodeURIComponent(service)}${queryOf(options)}`
    return new Set((await this.#get<readonly ServiceNode[]>(path)).map(({ Node }) => Node))
  }

  /** A node's services by id; undefined when there is no such node. */
  async servicesOfNode(
    node: string,
    options: ListOptions = {},
  ): Promise<Readonly<Record<string, ServiceEntry>> | undefined> {
    const path = `catalog/node/${encodeURIComponent(node)}${queryOf(options)}`
    type Answer = { readonly Services: Readonly<Record<string, ServiceEntry>> } | null
    return (await this.#get<Answer>(path))?.Services
  }

  datacenters(): Promise<readonly string[]> {
    return this.#get('catalog/datacenters')
  }

  /** The checks of a service, of a node, or all in a state (`any`). */
  checks(
    of: { readonly service: string } | { readonly node: string } | { readonly state: string },
    options: ListOptions = {},
  ): Promise<readonly CheckEntry[]> {
    const [path, name] =
      'service' in of
        ? (['checks', of.service] as const)
        : 'node' in of
          ? (['node', of.node] as const)
          : (['state', of.state] as const)
    return this.#get(`health/${path}/${encodeURIComponent(name)}${queryOf(options)}`)
  }

  /** The instances of a service with their checks; empty when there is no such service. */
  health(service: string, options: HealthOptions = {}): Promise<readonly HealthEntry[]> {
    return this.#get(`health/service/${encodeURIComponent(service)}${queryOf(options)}`)
  }

  /** The state of `path` (`service/web`, `nodes`) and every later one; as {@link stream}. */
  async *watch(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
    yield* parsed(this.stream(`watch/${path}`, signal))
  }

  /** The server-sent events of `path`. Rejects with `agent-unreachable` when they break off or fall silent. */
  async *stream(
    path: string,
    signal: AbortSignal,
    opened?: () => void,
  ): AsyncGenerator<StreamEvent, void> {
    yield* readEvents(this.#stream(path, signal, opened))
  }

  /**
   * The log of the agent from now on, as text that holds whole lines. It ends with the stream, as `watch`
   * does, and rejects with `agent-unreachable` when that falls silent.
   */
  async *monitor(
    options: { readonly level?: string; readonly json?: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<string, void> {
    const query = new URLSearchParams({ heartbeat: '' })
    if (options.level !== undefined) query.set('loglevel', options.level)
    if (options.json === true) query.set('logjson', '')
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of this.#stream(`agent/monitor?${query.toString()}`, signal)) {
      text += decoder.decode(chunk, { stream: true })
      const end = text.lastIndexOf('\n') + 1
      // An empty line says only that the stream lives.
      const lines = text.slice(0, end).replaceAll(/^\n/gm, '')
      text = text.slice(end)
      if (lines !== '') yield lines
    }
  }

  /** The agent's own services, by id. */
  agentServices(): Promise<Readonly<Record<string, ServiceEntry>>> {
    return this.#get('agent/services')
  }

  /** The agent's own service of this id; undefined when there is none. */
  async agentService(id: string): Promise<ServiceEntry | undefined> {
    try {
      return await this.#get(`agent/service/${encodeURIComponent(id)}`)
    } catch (error) {
      if (refusedStatus(error) === 404) return undefined
      throw error
    }
  }

  /** The agent's own checks, by id. */
  agentChecks(): Promise<Readonly<Record<string, CheckEntry>>> {
    return this.#get('agent/checks')
  }

  /** Maintenance mode of a service of the agent, or of its whole node. */
  async setMaintenance(
    enable: boolean,
    options: { readonly serviceId?: string | undefined; readonly reason?: string | undefined },
  ): Promise<void> {
    const { serviceId, reason } = options
    const of = serviceId === undefined ? '' : `service/`
    const id = serviceId === undefined ? '' : `/${encodeURIComponent(serviceId)}`
    const query = new URLSearchParams({ enable: String(enable) })
    if (reason !== undefined) query.set('reason', reason)
    await this.#put(`agent/${of}maintenance${id}?${query.toString()}`)
  }

  /** Has the agent read its configuration again. Of an agent that does not say what came of it, nothing. */
  async reload(): Promise<Reloaded> {
    const { text } = await this.#put('agent/reload')
    const nothing = { Taken: [], LeftOut: [], HeldBack: [], RestartNeeded: [] }
    return text === '' ? nothing : { ...nothing, ...(JSON.parse(text) as Partial<Reloaded>) }
  }

  /** What helps to find out what is wrong with the agent. */
  debug(): Promise<AgentDebug> {
    return this.#get('agent/debug')
  }

  /** In Prometheus' format. */
  async metrics(): Promise<string> {
    return (await this.#whole('GET', 'agent/metrics?format=prometheus')).text
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

  /** The time of the agent's machine to the second, in milliseconds since 1970; undefined: it does not say. */
  async clockMs(): Promise<number | undefined> {
    const answer = await this.#whole('GET', 'status/leader')
    const dateMs = Date.parse(answer.header('Date') ?? '')
    return Number.isNaN(dateMs) ? undefined : dateMs
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
    await this.#whole('DELETE', `operator/raft/peer?${new URLSearchParams(server).toString()}`)
  }

  /** The agent leaves its cluster permanently, and stops. */
  async leave(): Promise<void> {
    await this.#put('agent/leave')
  }

  /** Has an agent without a cluster look for one at `address`. */
  async join(address: string): Promise<void> {
    await this.#put(`agent/join/${encodeURIComponent(address)}`)
  }

  /** Takes a dead server out, by its name or id. Returns what the agent says of a server that lives, and stays. */
  async forceLeave(node: string): Promise<readonly string[]> {
    return warningsOf(await this.#put(`agent/force-leave/${encodeURIComponent(node)}`))
  }

  /** The state of the cluster as an archive. An archive that breaks off rejects while it is read. */
  async snapshot(options: { readonly stale?: boolean } = {}): Promise<SnapshotDownload> {
    const answer = await this.#request('GET', `snapshot${options.stale === true ? '?stale' : ''}`)
    const header = (name: string): number => Number(answer.header(name) ?? 0)
    return {
      index: header('X-Consul-Index'),
      stateBytes: header('X-Svcd-State-Bytes'),
      archive: answer.body(),
    }
  }

  /** Makes the catalog what an archive says. Resolves when all of it is written. */
  async restore(archive: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#whole('PUT', 'snapshot', archive)
  }

  /** The text of an answer, for the families of endpoints that have a client of their own. */
  async text(method: string, path: string, body?: Uint8Array): Promise<string> {
    return (await this.#whole(method, path, body)).text
  }

  /** As {@link text}, with the header fields. */
  ask(method: string, path: string, options: AskOptions = {}): Promise<WholeAnswer> {
    const { body, signal, waitMs = 0 } = options
    // An agent adds up to a sixteenth to the wait.
    const inTime = AbortSignal.timeout(this.#timeoutMs + Math.ceil(waitMs * 1.0625))
    const either = signal === undefined ? inTime : AbortSignal.any([signal, inTime])
    return this.#whole(method, path, body, { signal: either, waitMs })
  }

  async #get<T>(path: string): Promise<T> {
    const { text } = await this.#whole('GET', path)
    try {
      return JSON.parse(text) as T
    } catch (error) {
      const parameters = { address: this.#address, reason: 'its answer is not JSON' }
      throw svcdError('not-an-agent', parameters, error)
    }
  }

  #put(path: string, body?: unknown): Promise<WholeAnswer> {
    return this.#whole('PUT', path, body === undefined ? undefined : JSON.stringify(body))
  }

  /**
   * An answer with all of its text. An unread answer holds its connection, and a process that is
   * done.
   */
  async #whole(
    method: string,
    path: string,
    body?: HttpRequest['body'],
    limits?: RequestLimits,
  ): Promise<WholeAnswer> {
    const answer = await this.#request(method, path, body, limits)
    try {
      return { text: await answer.text(), header: (name) => answer.header(name) }
    } catch (error) {
      throw this.#unreachable(error)
    }
  }

  /**
   * The lines of a streaming path until it ends. A stream that is silent for a minute counts as
   * broken.
   */
  async *#stream(
    path: string,
    signal: AbortSignal,
    opened?: () => void,
  ): AsyncGenerator<Uint8Array, void> {
    const silence = new AbortController()
    const onSilence = (): void =>
      silence.abort(new Error(`the stream sent nothing for ${silenceMsMax / 1000} s`))
    const timer = setTimeout(onSilence, silenceMsMax).unref()
    try {
      const either = AbortSignal.any([signal, silence.signal])
      const answer = await this.#request('GET', path, undefined, { signal: either })
      opened?.()
      yield* withEach(answer.body(), () => timer.refresh())
    } catch (error) {
      throw error instanceof SvcdError ? error : this.#unreachable(error)
    } finally {
      clearTimeout(timer)
    }
  }

  async #request(
    method: string,
    path: string,
    body?: HttpRequest['body'],
    { signal, waitMs = 0 }: RequestLimits = {},
  ): Promise<HttpAnswer> {
    // A stream takes as long as it takes.
    const isTimed = !isStreamBody(body) && !path.startsWith('snapshot')
    let answer: HttpAnswer
    try {
      const headers = typeof body === 'string' ? { ...this.#headers, ...jsonType } : this.#headers
      const timed = isTimed ? (signal ?? AbortSignal.timeout(this.#timeoutMs)) : undefined
      const request = { method, body, headers, signal: timed }
      answer = await this.#answer(`${this.#address}/v1/${path}`, request, slowMs + waitMs)
    } catch (error) {
      throw error instanceof SvcdError ? error : this.#unreachable(error)
    }
    if (answer.isOk) return answer
    throw await refusal(this.#address, answer, 'X-Consul-Token' in this.#headers)
  }

  /** As httpRequest, but it rejects with what is wrong with the address as soon as that is known. */
  async #answer(url: string, asked: HttpRequest, slowAfterMs: number): Promise<HttpAnswer> {
    const diagnose = this.#diagnose
    const request = { ...asked, tls: this.#tls }
    if (diagnose === undefined) return httpRequest(url, request)
    const given = new AbortController()
    const { signal } = request
    const signals = signal === undefined ? [given.signal] : [signal, given.signal]
    let timer: NodeJS.Timeout | undefined
    const fault = new Promise<never>((_resolve, reject) => {
      const look = async (): Promise<void> => {
        const found = await diagnose(this.#address, undefined)
        if (found !== undefined) reject(found)
      }
      timer = setTimeout(() => void look().catch(() => {}), slowAfterMs)
    })
    try {
      const answer = httpRequest(url, { ...request, signal: AbortSignal.any(signals) })
      return await Promise.race([answer, fault])
    } catch (error) {
      given.abort()
      if (error instanceof SvcdError || signal?.aborted === true) throw error
      throw (await diagnose(this.#address, asError(error))) ?? error
    } finally {
      clearTimeout(timer)
    }
  }

  #unreachable(error: unknown): Error {
    const facts = { address: this.#address, reason: failureReason(error) }
    return svcdError(isUntrusted(error) ? 'agent-untrusted' : 'agent-unreachable', facts, error)
  }
}

/** A question as a URL's query; '' when nothing is chosen. */
export function queryOf(options: HealthOptions): string {
  const query = new URLSearchParams()
  for (const tag of options.tags ?? []) query.append('tag', tag)
  for (const pair of options.nodeMeta ?? []) query.append('node-meta', pair)
  if (options.passing === true) query.set('passing', 'true')
  if (options.filter !== undefined) query.set('filter', options.filter)
  if (options.near !== undefined) query.set('near', options.near)
  if (options.datacenter !== undefined) query.set('dc', options.datacenter)
  if (options.stale === true) query.set('stale', 'true')
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
