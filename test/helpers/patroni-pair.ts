import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import type { ClusterServer, ThreeServers } from './cluster-process.ts'
import { freePorts } from './free-ports.ts'
import { PatroniMember } from './patroni-member.ts'
import type { PatroniTimes } from './patroni-member.ts'
import { TcpProxy } from './tcp-proxy.ts'
import { until } from './until.ts'

/** The leader key of Patroni, as the API of svcd shows it. */
export interface LeaderKey {
  readonly holder: string
  readonly session: string
  readonly createIndex: number
}

/** Two members of a Patroni cluster, each of which asks a server of its own. Either can be cut off. */
export class PatroniPair {
  readonly members: readonly [PatroniMember, PatroniMember]
  readonly #cluster: ThreeServers
  readonly #servers: readonly ClusterServer[]
  readonly #proxies: readonly TcpProxy[]
  readonly #cutOff: Set<string>

  private constructor(
    cluster: ThreeServers,
    servers: readonly ClusterServer[],
    members: readonly [PatroniMember, PatroniMember],
    proxies: readonly TcpProxy[],
    cutOff: Set<string>,
  ) {
    this.#cluster = cluster
    this.#servers = servers
    this.members = members
    this.#proxies = proxies
    this.#cutOff = cutOff
  }

  /** Starts the first member, then the second, and resolves when the second follows the first. */
  static async start(
    t: Test,
    cluster: ThreeServers,
    servers: readonly [ClusterServer, ClusterServer],
    times: PatroniTimes,
  ): Promise<PatroniPair> {
    // Below .tap another user could not get to it: the repository may be in a home directory.
    const directory = mkdtempSync(join(tmpdir(), 'svcd-patroni-'))
    t.teardown(() => rmSync(directory, { recursive: true, force: true }))
    chmodSync(directory, 0o755)
    const ports = await freePorts(8)
    const cutOff = new Set<string>()
    const proxies: TcpProxy[] = []
    const members: PatroniMember[] = []
    for (const [at, server] of servers.entries()) {
      const [postgresPort, restPort, restSeen, registry] = ports
        .slice(4 * at, 4 * at + 4)
        .map((port) => must(port)) as [number, number, number, number]
      const name = `m${at + 1}`
      const address = `127.21.0.${at + 1}`
      // Two doors of each member: to its server, and to whoever asks how it is.
      const door = (port: number, target: { address: string; port: number }): Promise<TcpProxy> =>
        TcpProxy.start({
          listen: { address, port },
          target,
          owner: name,
          dialler: () => '',
          passes: () => !cutOff.has(name),
        })
      proxies.push(await door(registry, { address: server.host, port: server.httpPort }))
      proxies.push(await door(restSeen, { address, port: restPort }))
      members.push(
        new PatroniMember({
          name,
          directory: join(directory, name),
          address,
          postgresPort,
          restPort,
          restSeenAt: `${address}:${restSeen}`,
          registry: `${address}:${registry}`,
          times,
        }),
      )
    }
    const [first, second] = members as [PatroniMember, PatroniMember]
    const pair = new PatroniPair(cluster, servers, [first, second], proxies, cutOff)
    t.teardown(() => pair.#stop(t))
    first.start()
    await until('the first member is the primary', 60_000, () => first.isPrimary(), 200)
    second.start()
    await until('the second follows', 60_000, () => second.isReplica(), 200)
    return pair
  }

  other(member: PatroniMember): PatroniMember {
    return this.members[member === this.members[0] ? 1 : 0]
  }

  /** The server that a member asks. */
  serverOf(member: PatroniMember): ClusterServer {
    return must(this.#servers[this.members.indexOf(member)])
  }

  /** From now on its Patroni reaches no server, and nobody its Patroni. */
  cutOff(member: PatroniMember): void {
    this.#cutOff.add(member.name)
  }

  heal(): void {
    this.#cutOff.clear()
    for (const proxy of this.#proxies) proxy.update()
  }

  /** The member that has the leader key and takes writes. */
  async primary(): Promise<PatroniMember> {
    const are = await Promise.all(this.members.map((member) => member.isPrimary()))
    return must(this.members[are.indexOf(true)], 'there is a primary')
  }

  /** Undefined: nobody holds it. */
  async leaderKey(server?: ClusterServer): Promise<LeaderKey | undefined> {
    const asked = must(server ?? this.#cluster.live[0])
    const answer = await asked.fetch('kv/service/pg/leader')
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
    const [key] = (await answer.json()) as {
      Session?: string
      Value: string
      CreateIndex: number
    }[]
    const { Session, Value, CreateIndex } = must(key)
    if (Session === undefined) return undefined
    const holder = Buffer.from(Value, 'base64').toString()
    return { holder, session: Session, createIndex: CreateIndex }
  }

  /** The addresses that each live server answers for a tag of the service. */
  async addresses(tag: string): Promise<readonly string[]> {
    const name = `${tag}.pg.service.consul`
    const replies = await Promise.all(this.#cluster.live.map((server) => server.ask(name)))
    return replies.map(({ answer }) =>
      answer
        .map(({ data }) => data)
        .toSorted()
        .join(' '),
    )
  }

  async #stop(t: Test): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()))
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()))
    if (t.passing()) return
    for (const { name, log } of this.members) t.comment(`${name}:\n${log.slice(-8000)}`)
  }
}
