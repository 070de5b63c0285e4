import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { request } from 'node:http'
import { must } from '../../src/base/assert.ts'
import { httpLoad } from '../bench/http-load.ts'
import { buildQuery } from '../dns/fixture.ts'
import type { ClusterServer, ThreeServers } from './cluster-process.ts'
import { pause } from './until.ts'

export interface ChurnOptions {
  /** Instances that stay, each of a service of its own. */
  readonly services: number
  /** To the whole cluster, through every server in turns. */
  readonly writesPerSecond: number
  readonly questionsPerSecond: number
  /** Blocking queries that wait at any time. */
  readonly watchers: number
}

export const issueChurn: ChurnOptions = {
  services: 1500,
  writesPerSecond: 450,
  questionsPerSecond: 1500,
  watchers: 60,
}

/** Of the writes one in so many begins a service under a name that was never used before. */
const newNameEvery = 20
/** Such services live at once. */
export const jobsMax = 300
/** One in so many comes on a node of its own, and goes with it. */
const ownNodeEvery = 10
const nodes = 100
/** Clients come back on new connections after so long. */
const connectionSeconds = 10
const connectionsEach = 24
const tickMs = 10

/**
 * The life of a registry, for as long as it is to last: services come and go under new names, checks
 * flip, clients ask by DNS and by blocking queries, and come back on new connections.
 */
export class Churn {
  written = 0
  failedWrites = 0
  asked = 0
  answered = 0
  blocked = 0
  /** Median and 99th percentile of the writes of the last seconds, in milliseconds. */
  writeMs: readonly [number, number] = [0, 0]
  readonly #cluster: ThreeServers
  readonly #options: ChurnOptions
  #next = 0
  #isStopped = false
  #running: readonly Promise<void>[] = []
  readonly #sockets: Socket[] = []

  constructor(cluster: ThreeServers, options: ChurnOptions) {
    this.#cluster = cluster
    this.#options = options
  }

  /** Registers what stays. Resolves when the churn has begun. */
  async start(): Promise<void> {
    const { services, watchers } = this.#options
    const { servers } = this.#cluster
    for (let n = 0; n < nodes; n++) {
      await must(servers[0]).put('catalog/register', { Node: nodeOf(n), Address: addressOf(n) })
    }
    await httpLoad({
      port: must(servers[0]).httpPort,
      connections: 16,
      seconds: 600,
      total: services,
      request: (n) => registration(nodeOf(n), `svc-${n}`, 'passing'),
    })
    this.#running = [
      ...servers.map((server) => this.#write(server)),
      ...servers.map((server) => this.#ask(server)),
      ...Array.from({ length: watchers }, (_, at) => this.#watch(at)),
    ]
  }

  /** Rejects when one of the loads has failed altogether. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#running)
    for (const socket of this.#sockets) socket.close()
  }

  async #write(server: ClusterServer): Promise<void> {
    const perSecond = this.#options.writesPerSecond / this.#cluster.servers.length
    while (!this.#isStopped) {
      try {
        const { failed, p50Ms, p99Ms } = await httpLoad({
          port: server.httpPort,
          connections: connectionsEach,
          seconds: connectionSeconds,
          perSecond,
          request: () => this.#request(this.#next++),
          onOk: () => this.written++,
        })
        this.failedWrites += failed
        this.writeMs = [p50Ms, p99Ms]
      } catch {
        // A connection was refused or broke.
        this.failedWrites++
        await pause(1000)
      }
    }
  }

  #request(n: number): ReturnType<typeof registration> {
    const job = Math.floor(n / newNameEvery)
    const isOwn = job % ownNodeEvery === 0
    const node = isOwn ? `job-host-${job}` : nodeOf(job)
    if (n % newNameEvery === 0) return registration(node, `job-${job}`, 'passing', isOwn)
    if (n % newNameEvery === 1 && job >= jobsMax) return removal(job - jobsMax)
    const flipped = n % this.#options.services
    const status = Math.floor(n / this.#options.services) % 2 === 0 ? 'critical' : 'passing'
    return checkUpdate(nodeOf(flipped), `svc-${flipped}`, status, n)
  }

  /** Names that are there, that were, and that never were. */
  async #ask(server: ClusterServer): Promise<void> {
    const socket = createSocket('udp4')
    this.#sockets.push(socket)
    socket.on('message', () => this.answered++)
    socket.on('error', () => {})
    await new Promise<void>((resolve) => {
      socket.connect(server.dnsPort, server.host, resolve)
    })
    const perTick = (this.#options.questionsPerSecond / this.#cluster.servers.length) * tickMs
    const startMs = performance.now()
    let sent = 0
    while (!this.#isStopped) {
      const due = ((performance.now() - startMs) / tickMs) * (perTick / 1000)
      // What this process could not send in time is not sent all at once.
      if (due - sent > 1000) sent = due - 1000
      for (; sent < due; sent++) socket.send(this.#question(this.asked++))
      await pause(tickMs)
    }
  }

  #question(n: number): Buffer {
    const job = Math.floor(this.#next / newNameEvery) - (n % (3 * jobsMax))
    const isJob = n % 10 === 0 && job > 0
    const name = isJob ? `job-${job}` : `svc-${(n * 7919) % this.#options.services}`
    const type = n % 4 === 0 ? 'SRV' : 'A'
    return buildQuery(`${name}.service.consul`, type, { id: n & 0xffff, edns: 1232 })
  }

  /** A client that follows one service after the other, and sometimes hangs up. */
  async #watch(at: number): Promise<void> {
    const { servers } = this.#cluster
    for (let n = at; !this.#isStopped; n += this.#options.watchers) {
      const server = must(servers[n % servers.length])
      const path = `/v1/health/service/svc-${(n * 31) % this.#options.services}`
      const hangUpMs = n % 3 === 0 ? 500 : 10_000
      try {
        const index = await get(server.httpPort, path, 10_000)
        await get(server.httpPort, `${path}?index=${index}&wait=5s`, hangUpMs)
      } catch {
        // It hung up, or the server did.
      }
      this.blocked++
      await pause(50)
    }
  }
}

function nodeOf(n: number): string {
  return `host-${n % nodes}`
}

function addressOf(n: number): string {
  return `10.1.${Math.floor(n / 250) % 250}.${(n % 250) + 1}`
}

const put = (path: string, body: object) => ({
  method: 'PUT',
  path: `/v1/catalog/${path}`,
  body: JSON.stringify(body),
})

function registration(node: string, name: string, status: string, isOwn = false) {
  return put('register', {
    Node: node,
    Address: '10.1.0.1',
    SkipNodeUpdate: !isOwn,
    Service: { ID: name, Service: name, Port: 8080, Tags: ['v1', 'blue'] },
    Check: { CheckID: `service:${name}`, Name: 'alive', ServiceID: name, Status: status },
  })
}

function checkUpdate(node: string, service: string, status: string, n: number) {
  const Output = `round ${n}`
  return put('register', {
    Node: node,
    SkipNodeUpdate: true,
    Check: {
      CheckID: `service:${service}`,
      Name: 'alive',
      ServiceID: service,
      Status: status,
      Output,
    },
  })
}

function removal(job: number) {
  if (job % ownNodeEvery === 0) return put('deregister', { Node: `job-host-${job}` })
  return put('deregister', { Node: nodeOf(job), ServiceID: `job-${job}` })
}

/** Resolves with the answer's index; each on a connection of its own. */
function get(port: number, path: string, hangUpMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path, agent: false }, (answer) => {
      const index = String(answer.headers['x-consul-index'] ?? '0')
      answer.on('end', () => resolve(index))
      answer.on('error', reject)
      answer.resume()
    })
    asked.setTimeout(hangUpMs, () => asked.destroy(new Error('hung up')))
    asked.on('error', reject)
    asked.end()
  })
}
