import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { must } from '../../src/base/assert.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { buildQuery } from '../dns/fixture.ts'
import { instance } from './cluster-load.ts'
import type { ClusterServer, ThreeServers } from './cluster-process.ts'
import { pause } from './until.ts'

const tickMs = 10

/** Calls `each` so many times a second until `isStopped`, late ones immediately. Resolves when all calls have ended. */
async function atRate(
  perSecond: number,
  isStopped: () => boolean,
  each: (n: number) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  const startMs = performance.now()
  for (let n = 0; !isStopped();) {
    const due = ((performance.now() - startMs) / 1000) * perSecond
    for (; n < due; n++) {
      const one = each(n).finally(() => running.delete(one))
      running.add(one)
    }
    await pause(tickMs)
  }
  await Promise.all(running)
}

const writeTimeoutMs = 20_000

/**
 * A client that registers one new instance after the other at a steady rate. A server that is away, or that says
 * "later" with a status of 500 or more, makes it try the next server with the same instance.
 */
export class SteadyWrites {
  /** Ids that were answered with 200. */
  readonly acknowledged: string[] = []
  /** Why writes were given up. */
  readonly failed: string[] = []
  /** Answers of servers that were away or without a leader. */
  retried = 0
  slowestMs = 0
  /** The secret of its token; '': it sends none. */
  secret = ''
  readonly #cluster: ThreeServers
  readonly #running: Promise<void>
  #isStopped = false

  constructor(cluster: ThreeServers, perSecond: number) {
    this.#cluster = cluster
    this.#running = atRate(
      perSecond,
      () => this.#isStopped,
      (n) => this.#write(n),
    )
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #write(n: number): Promise<void> {
    const startMs = performance.now()
    const { servers } = this.#cluster
    let problem = ''
    for (let at = n; performance.now() - startMs < writeTimeoutMs; at++) {
      try {
        const status = await this.#ask(must(servers[at % servers.length]), `w${n}`)
        if (status === 200) {
          this.acknowledged.push(`w${n}`)
          this.slowestMs = Math.max(this.slowestMs, performance.now() - startMs)
          return
        }
        problem = `w${n}: ${status}`
        if (status < 500) break
      } catch (error) {
        problem = `w${n}: ${String(error)}`
      }
      this.retried++
      await pause(50)
    }
    this.failed.push(problem)
  }

  async #ask(server: ClusterServer, id: string): Promise<number> {
    const response = await server.fetch('catalog/register', {
      method: 'PUT',
      body: JSON.stringify(instance('outside', id)),
      headers: this.secret === '' ? {} : { 'X-Consul-Token': this.secret },
    })
    await response.text()
    return response.status
  }
}

interface Waiting {
  readonly id: number
  readonly settle: (isRight: boolean) => void
}

/** A server's DNS port, and who waits for its answers. */
class Asked {
  readonly socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  #id = 0

  private constructor() {
    this.socket = createSocket('udp4')
    this.socket.on('message', (answer) => {
      const { rcode, answer: records } = decodeReply(answer)
      this.#waiting.get(answer.readUInt16BE())?.settle(rcode === 'NOERROR' && records.length > 0)
    })
    // Nobody listens there at the moment: a resolver hears of it and goes to the next server.
    this.socket.on('error', () => {
      for (const { settle } of this.#waiting.values()) settle(false)
    })
  }

  static async open(server: ClusterServer): Promise<Asked> {
    const asked = new Asked()
    await new Promise<void>((resolve) => {
      asked.socket.connect(server.dnsPort, server.host, resolve)
    })
    return asked
  }

  /** False: no answer, a failure, or no record. */
  ask(name: string, timeoutMs: number): Promise<boolean> {
    this.#id = (this.#id + 1) & 0xffff
    const id = this.#id
    return new Promise((resolve) => {
      const settle = (isRight: boolean): void => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        resolve(isRight)
      }
      const timer = setTimeout(() => settle(false), timeoutMs)
      this.#waiting.set(id, { id, settle })
      this.socket.send(buildQuery(name, 'A', { id, edns: 1232 }))
    })
  }
}

/** As with `options timeout:2 attempts:2` in a resolv.conf with three servers. */
const timeoutMs = 2000
const attempts = 2

/** Looks names up at a steady rate, as a resolver with all servers in its resolv.conf does. */
export class SteadyLookups {
  asked = 0
  /** Look-ups to which no server gave an answer with records. */
  readonly failed: string[] = []
  /** Questions that went to the next server. */
  nextServer = 0
  slowestMs = 0
  readonly #servers: readonly Asked[]
  readonly #running: Promise<void>
  #isStopped = false

  private constructor(servers: readonly Asked[], names: readonly string[], perSecond: number) {
    this.#servers = servers
    this.#running = atRate(
      perSecond,
      () => this.#isStopped,
      (n) => this.#look(n, must(names[n % names.length])),
    )
  }

  static async start(
    cluster: ThreeServers,
    names: readonly string[],
    perSecond: number,
  ): Promise<SteadyLookups> {
    const servers = await Promise.all(cluster.servers.map((server) => Asked.open(server)))
    return new SteadyLookups(servers, names, perSecond)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
    for (const { socket } of this.#servers) socket.close()
  }

  async #look(n: number, name: string): Promise<void> {
    const startMs = performance.now()
    this.asked++
    for (let at = 0; at < attempts * this.#servers.length; at++) {
      const server = must(this.#servers[(n + at) % this.#servers.length])
      if (at > 0) this.nextServer++
      if (await server.ask(name, timeoutMs)) {
        this.slowestMs = Math.max(this.slowestMs, performance.now() - startMs)
        return
      }
    }
    this.failed.push(`${name} ${(performance.now() - startMs).toFixed(0)} ms`)
  }
}
