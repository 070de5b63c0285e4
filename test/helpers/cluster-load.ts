import { must } from '../../src/base/assert.ts'
import type { ClusterServer, ThreeServers } from './cluster-process.ts'
import { pause, until } from './until.ts'

/** The body of `catalog/register` for an instance that no agent owns. */
export function instance(node: string, id: string, service = 'web'): object {
  return {
    Node: node,
    Address: '10.1.0.1',
    Service: { ID: id, Service: service, Port: 80 },
    SkipNodeUpdate: true,
  }
}

/**
 * Writers on every server that register one new instance after the other, whatever dies meanwhile:
 * on even numbers with that server's agent, on odd ones in the catalog only.
 */
export class RegistrationLoad {
  /** Ids that were answered with 200. */
  readonly acknowledged: string[] = []
  /** Requests that came to nothing or to an error: their fate is unknown. */
  failed = 0
  readonly #tag: string
  readonly #writers: readonly Promise<void>[]
  #next = 0
  #isStopped = false

  constructor(cluster: ThreeServers, writersEach: number, tag = 'w') {
    this.#tag = tag
    this.#writers = cluster.servers.flatMap((server) =>
      Array.from({ length: writersEach }, () => this.#write(server)),
    )
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#writers)
  }

  async #write(server: ClusterServer): Promise<void> {
    while (!this.#isStopped) {
      const number = this.#next++
      const id = `${this.#tag}${number}`
      try {
        if (number % 2 === 0) {
          await server.put('agent/service/register', { Name: 'web', ID: id, Port: 80 })
        } else await server.put('catalog/register', instance('outside', id))
        this.acknowledged.push(id)
      } catch {
        this.failed++
        if (!server.isLive) await pause(20)
      }
    }
  }
}

/** What is said of a look-up that no server should have failed. */
export interface FailedLookup {
  readonly server: string
  readonly problem: string
  readonly afterMs: number
}

/** Asks every server that runs the same question all the time, and keeps what was not answered. */
export class DnsPollers {
  readonly failed: FailedLookup[] = []
  asked = 0
  readonly #pollers: readonly Promise<void>[]
  #isStopped = false

  constructor(servers: readonly ClusterServer[], name: string, everyMs = 50) {
    this.#pollers = servers.map((server) => this.#poll(server, name, everyMs))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#pollers)
  }

  async #poll(server: ClusterServer, name: string, everyMs: number): Promise<void> {
    while (!this.#isStopped) {
      await pause(everyMs)
      if (!server.isLive) continue
      const { agent } = server
      const startedMs = performance.now()
      // Patient: whatever else runs on this machine must not count as a failure.
      const problem = await server.ask(name, 'A', 2000, 2).then(
        ({ rcode, answer }) => (rcode === 'NOERROR' && answer.length > 0 ? '' : rcode),
        (error: unknown) => String(error),
      )
      // A server that was killed while it was asked owes no answer.
      if (!server.isLive || server.agent !== agent) continue
      this.asked++
      if (problem === '') continue
      this.failed.push({ server: server.name, problem, afterMs: performance.now() - startedMs })
    }
  }
}

/** Milliseconds until every one of `servers` answers `name` as `isRight` says. */
export async function answeredWithin(
  servers: readonly ClusterServer[],
  name: string,
  timeoutMs: number,
  isRight: (addresses: readonly string[], rcode: string) => boolean,
): Promise<number> {
  const startedMs = performance.now()
  await until(
    `${name} as expected on ${servers.map((s) => s.name).join()}`,
    timeoutMs,
    async () => {
      const replies = await Promise.all(servers.map((server) => server.ask(name)))
      return replies.every(({ answer, rcode }) =>
        isRight(
          answer.map(({ data }) => data),
          rcode,
        ),
      )
    },
  )
  return performance.now() - startedMs
}

/** Registers something that any of the servers must always answer for. */
export async function registerAlways(cluster: ThreeServers): Promise<string> {
  const server = must(cluster.live[0])
  const outside = { Node: 'outside', Address: '10.1.0.1' }
  await server.put('catalog/register', outside)
  await server.put('catalog/register', instance('outside', 'always', 'always'))
  const name = 'always.service.consul'
  await answeredWithin(cluster.live, name, 5000, (found) => found.length > 0)
  return name
}
