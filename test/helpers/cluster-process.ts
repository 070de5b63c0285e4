import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { reasonOf } from '../../src/base/errors.ts'
import { ask } from '../../src/net/dns-client.ts'
import type { DnsReply } from '../../src/net/dns-client.ts'
import { AgentProcess } from './agent-process.ts'
import type { AgentProcessOptions } from './agent-process.ts'
import { freePorts } from './free-ports.ts'
import type { NamespaceHost } from './namespaces.ts'
import { TcpProxy } from './tcp-proxy.ts'
import { until } from './until.ts'

export interface ClusterOptions {
  /** Puts a proxy in front of each server, by which links between them can be cut. */
  readonly hasProxies?: boolean
  /** Gives each an address of its own, with DNS on port 53, as a resolv.conf must have it. For root. */
  readonly isResolvable?: boolean
  /** A host for each, on the ports that are usual. */
  readonly hosts?: readonly NamespaceHost[]
  readonly args?: readonly string[]
  readonly size?: number
  /** False: the servers share no secret; then nobody joins by its own wish. */
  readonly hasSecret?: boolean
}

export interface RaftServerJson {
  readonly ID: string
  readonly Node: string
  readonly Address: string
  readonly Leader: boolean
  readonly Voter: boolean
}

/** One server of a {@link ThreeServers}: a directory and ports, and an agent while it runs. */
export class ClusterServer {
  readonly name: string
  readonly directory: string
  readonly args: readonly string[]
  readonly dnsPort: number
  readonly serverPort: number
  /** Where the others dial it. */
  readonly address: string
  /** Where clients find it. */
  readonly host: string
  readonly #httpPort: number
  readonly #wrapper: readonly string[] | undefined
  #agent: AgentProcess | undefined
  #isPaused = false

  constructor(parts: {
    readonly name: string
    readonly directory: string
    readonly host: string
    readonly clientHost?: string
    readonly bindHost?: string
    readonly wrapper?: readonly string[] | undefined
    readonly ports: readonly [number, number, number]
    readonly args: readonly string[]
  }) {
    const [http, dns, server] = parts.ports
    this.name = parts.name
    this.directory = parts.directory
    this.dnsPort = dns
    this.serverPort = server
    this.#httpPort = http
    this.#wrapper = parts.wrapper
    this.host = parts.clientHost ?? '127.0.0.1'
    this.address = `${parts.host}:${server}`
    this.args = [
      '-server',
      `-node=${this.name}`,
      `-data-dir=${this.directory}`,
      `-bind=${parts.bindHost ?? '127.0.0.1'}`,
      `-advertise=${parts.host}`,
      `-client=${this.host}`,
      `-http-port=${http}`,
      `-dns-port=${dns}`,
      `-server-port=${server}`,
      ...parts.args,
    ]
  }

  /** What it has said since its last start. */
  output = (): string => ''

  /** For the message of a test that fails. */
  lastWords(): string {
    const state = this.#agent === undefined ? 'has ended' : this.#isPaused ? 'is paused' : 'runs'
    return `${this.name} ${state}, and has said: ${this.output().slice(-1500)}`
  }

  get agent(): AgentProcess {
    return must(this.#agent, `${this.name} runs`)
  }

  /** Its process is there and goes on: it can be asked. */
  get isLive(): boolean {
    return this.#agent !== undefined && this.#agent.httpPort !== 0 && !this.#isPaused
  }

  get pid(): number {
    return must(this.agent.child.pid)
  }

  get httpUrl(): string {
    return `http://${this.host}:${this.#httpPort}`
  }

  get httpPort(): number {
    return this.#httpPort
  }

  async start(
    more: readonly string[] = [],
    options: Omit<AgentProcessOptions, 'args'> = {},
  ): Promise<void> {
    mkdirSync(this.directory, { recursive: true })
    const wrapper = options.wrapper ?? this.#wrapper ?? []
    const agent = AgentProcess.spawn({ ...options, wrapper, args: [...this.args, ...more] })
    this.#agent = agent
    this.output = () => agent.output
    void agent.exited.then(() => {
      if (this.#agent === agent) this.#agent = undefined
    })
    await agent.running
  }

  /** kill -9; resolves when the process is gone. */
  async kill(): Promise<void> {
    const agent = this.#agent
    this.#agent = undefined
    this.#isPaused = false
    await agent?.kill()
  }

  /** As an operator would. */
  async stop(): Promise<number | null> {
    const agent = this.#agent
    this.#agent = undefined
    return (await agent?.stop()) ?? null
  }

  pause(): void {
    this.#isPaused = true
    this.agent.child.kill('SIGSTOP')
  }

  resume(): void {
    this.agent.child.kill('SIGCONT')
    this.#isPaused = false
  }

  /** Removes its data, so that it comes back as another server. */
  wipe(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  fetch(path: string, init: RequestInit = {}, timeoutMs = 15_000): Promise<Response> {
    return fetch(`${this.httpUrl}/v1/${path}`, {
      ...init,
      signal: AbortSignal.timeout(timeoutMs),
    })
  }

  /** Throws with the answer's text unless it is 200. */
  async get<T>(path: string, timeoutMs?: number): Promise<T> {
    return JSON.parse(await this.#text(await this.fetch(path, {}, timeoutMs))) as T
  }

  async put(path: string, body?: unknown, method = 'PUT', timeoutMs?: number): Promise<string> {
    const text = body === undefined ? null : JSON.stringify(body)
    return this.#text(await this.fetch(path, { method, body: text }, timeoutMs))
  }

  ask(name: string, type = 'A', timeoutMs = 1000, attempts = 1): Promise<DnsReply> {
    return ask({ address: this.host, port: this.dnsPort }, name, type, { timeoutMs, attempts })
  }

  async #text(response: Response): Promise<string> {
    const text = await response.text()
    if (response.status !== 200) throw new Error(`${this.name}: ${response.status} ${text}`)
    return text
  }
}

/** Three servers, each in a process of its own, on ports of 127.0.0.1. */
export class ThreeServers {
  readonly servers: readonly ClusterServer[]
  readonly directory: string
  /** What a server needs to be one of these. */
  readonly secretArgs: readonly string[]
  readonly #cut = new Set<string>()
  readonly #closed = new Set<string>()
  #proxies: readonly TcpProxy[] = []

  private constructor(
    directory: string,
    servers: readonly ClusterServer[],
    secretArgs: readonly string[],
  ) {
    this.directory = directory
    this.servers = servers
    this.secretArgs = secretArgs
  }

  /** Starts them together, and stops them when the test is over. Resolves when they have a leader. */
  static async start(t: Test, options: ClusterOptions = {}): Promise<ThreeServers> {
    const cluster = await ThreeServers.prepare(t.testdir(), options)
    t.teardown(() => cluster.stop())
    await cluster.startAll()
    return cluster
  }

  /** For those who have no test: benches. Nothing runs yet but the proxies. */
  static async prepare(directory: string, options: ClusterOptions = {}): Promise<ThreeServers> {
    const size = options.size ?? 3
    const numbers = Array.from({ length: size }, (_, at) => at)
    const usual = numbers.flatMap(() => [8500, 8600, 8300])
    const ports = options.hosts === undefined ? await freePorts(3 * size) : usual
    // The whole of 127/8 is the loopback's: a proxy stands on the same port of another address.
    const hosts = numbers.map(
      (at) =>
        options.hosts?.[at]?.address ??
        (options.hasProxies === true ? `127.0.1.${at + 1}` : '127.0.0.1'),
    )
    const addresses = numbers.map((at) => `${must(hosts[at])}:${must(ports[3 * at + 2])}`)
    const key = randomBytes(32).toString('base64')
    const secretArgs = options.hasSecret === false ? [] : [`-encrypt=${key}`]
    const isResolvable = options.isResolvable === true
    const servers = numbers.map((at) => {
      const [http, free, server] = ports.slice(3 * at, 3 * at + 3).map((port) => must(port))
      const dns = isResolvable ? 53 : free
      const own = options.hosts?.[at]
      return new ClusterServer({
        name: `n${at + 1}`,
        directory: join(directory, `n${at + 1}`),
        host: must(hosts[at]),
        clientHost: own?.address ?? (isResolvable ? `127.0.2.${at + 1}` : '127.0.0.1'),
        bindHost: own?.address ?? '127.0.0.1',
        wrapper: own?.wrapper,
        ports: [must(http), must(dns), must(server)],
        args: [
          `-bootstrap-expect=${size}`,
          ...addresses.map((address) => `-retry-join=${address}`),
          ...secretArgs,
          ...(options.args ?? ['-log-level=warn']),
        ],
      })
    })
    const cluster = new ThreeServers(directory, servers, secretArgs)
    if (options.hasProxies === true) await cluster.#startProxies()
    return cluster
  }

  get live(): readonly ClusterServer[] {
    return this.servers.filter(({ isLive }) => isLive)
  }

  async startAll(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()))
    await this.leader()
  }

  /** The one of `servers` that all of them take for the leader, once they agree. */
  async leader(servers = this.live, timeoutMs = 15_000): Promise<ClusterServer> {
    try {
      return await until('a leader that all agree on', timeoutMs, async () => {
        const said = await Promise.all(servers.map((s) => s.get<string>('status/leader', 1000)))
        const leader = servers.find(({ address }) => address === said[0])
        return said.every((address) => address === leader?.address) && leader
      })
    } catch (error) {
      const lines = servers.map((server) => server.lastWords())
      throw new Error([reasonOf(error), ...lines].join('\n'), { cause: error })
    }
  }

  async followers(): Promise<readonly ClusterServer[]> {
    const leader = await this.leader()
    return this.live.filter((server) => server !== leader)
  }

  others(server: ClusterServer): readonly ClusterServer[] {
    return this.servers.filter((other) => other !== server)
  }

  raftServers(server = this.live[0]): Promise<readonly RaftServerJson[]> {
    return must(server)
      .get<{ Servers: RaftServerJson[] }>('operator/raft/configuration?stale')
      .then(({ Servers }) => Servers)
  }

  /** What `from` sends does not arrive at `to`; connections stay open. */
  cutOneWay(from: ClusterServer, to: ClusterServer): void {
    this.#cut.add(`${from.name} ${to.name}`)
    this.#update()
  }

  cut(one: ClusterServer, other: ClusterServer): void {
    this.cutOneWay(one, other)
    this.cutOneWay(other, one)
  }

  /** Its host falls silent for the others, and they for it. */
  isolate(server: ClusterServer): void {
    for (const other of this.others(server)) this.cut(server, other)
  }

  /** Connections between the two are reset, and new ones come to nothing. */
  sever(one: ClusterServer, other: ClusterServer): void {
    this.#closed.add(`${one.name} ${other.name}`)
    this.#closed.add(`${other.name} ${one.name}`)
    this.#resetClosed()
    this.cut(one, other)
  }

  heal(): void {
    this.#resetClosed()
    this.#closed.clear()
    this.#cut.clear()
    this.#update()
  }

  /** Kills all that still runs. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()))
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()))
  }

  async #startProxies(): Promise<void> {
    const passes = (from: string, to: string): boolean => !this.#cut.has(`${from} ${to}`)
    this.#proxies = await Promise.all(
      this.servers.map((server) => {
        const [address = '', port] = server.address.split(':')
        return TcpProxy.start({
          listen: { address, port: Number(port) },
          target: { address: '127.0.0.1', port: server.serverPort },
          owner: server.name,
          passes,
          dialler: (greeting) => this.#nameIn(greeting),
        })
      }),
    )
  }

  /** A greeting holds the name of who dials, behind its length; ids hold no such text. */
  #nameIn(greeting: Buffer): string {
    const named = this.servers.find(({ name }) =>
      greeting.includes(Buffer.from(`\0${String.fromCodePoint(name.length)}${name}`, 'latin1')),
    )
    return named?.name ?? ''
  }

  #update(): void {
    for (const proxy of this.#proxies) proxy.update()
  }

  #resetClosed(): void {
    for (const [at, server] of this.servers.entries()) {
      for (const other of this.others(server)) {
        if (this.#closed.has(`${server.name} ${other.name}`)) this.#proxies[at]?.reset(other.name)
      }
    }
  }
}
