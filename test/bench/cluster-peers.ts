import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { until } from '../helpers/until.ts'

/** Three servers of one product, as the benches see them. */
export interface BenchCluster {
  readonly name: string
  /** A registration as its users make it. */
  readonly request: Registration
  /** A write that is acknowledged only when it is committed. */
  readonly write: Registration
  /** A new key with a value of 256 bytes. */
  readonly put: Registration
  readonly pids: () => readonly number[]
  /** HTTP ports; of those that live. */
  readonly leaderPort: () => Promise<number>
  readonly followerPort: () => Promise<number>
  readonly livePorts: () => readonly number[]
  /** kill -9 of the leader; resolves with a function that brings it back. */
  readonly killLeader: () => Promise<() => Promise<void>>
  /** SIGSTOP of the leader: it falls silent, and nothing is closed. Resolves with what ends it. */
  readonly stopLeader: () => Promise<() => Promise<void>>
  readonly stop: () => Promise<void>
}

/** The n-th write of one new instance. */
export type Registration = (n: number) => {
  readonly method: string
  readonly path: string
  readonly body: string
}

function service(n: number): object {
  return { ID: `web-${n}`, Name: `web${n % 100}`, Address: '10.9.0.1', Port: 8080, Tags: ['v1'] }
}

const register: Registration = (n) => ({
  method: 'PUT',
  path: '/v1/agent/service/register',
  body: JSON.stringify(service(n)),
})

/** Consul's agents acknowledge what they have only noted; its catalog does not. */
const record: Registration = (n) => ({
  method: 'PUT',
  path: '/v1/catalog/register',
  body: JSON.stringify({
    Node: 'outside',
    Address: '10.9.0.1',
    Service: { ID: `web-${n}`, Service: `web${n % 100}`, Port: 8080, Tags: ['v1'] },
    SkipNodeUpdate: true,
  }),
})

/** The same text under a key of its own, by etcd's JSON gateway. */
const putKey: Registration = (n) => ({
  method: 'POST',
  path: '/v3/kv/put',
  body: JSON.stringify({
    key: Buffer.from(`/services/web${n % 100}/web-${n}`).toString('base64'),
    value: Buffer.from(JSON.stringify(service(n))).toString('base64'),
  }),
})

const value = 'v'.repeat(256)

const putPlain: Registration = (n) => ({ method: 'PUT', path: `/v1/kv/bench/${n}`, body: value })

const putEncoded: Registration = (n) => ({
  method: 'POST',
  path: '/v3/kv/put',
  body: JSON.stringify({
    key: Buffer.from(`bench/${n}`).toString('base64'),
    value: Buffer.from(value).toString('base64'),
  }),
})

export function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'svcd-bench-cluster-'))
}

export async function svcdCluster(): Promise<BenchCluster & { readonly cluster: ThreeServers }> {
  const directory = temporary()
  const cluster = await ThreeServers.prepare(directory, { args: ['-log-level=error'] })
  await cluster.startAll()
  return {
    name: 'svcd',
    request: register,
    write: record,
    put: putPlain,
    pids: () => cluster.live.map(({ pid }) => pid),
    cluster,
    leaderPort: async () => (await cluster.leader()).httpPort,
    followerPort: async () => must((await cluster.followers())[0]).httpPort,
    livePorts: () => cluster.live.map(({ httpPort }) => httpPort),
    killLeader: async () => {
      const leader = await cluster.leader()
      await leader.kill()
      return () => leader.start()
    },
    stopLeader: async () => {
      const leader = await cluster.leader()
      leader.pause()
      return async () => leader.resume()
    },
    stop: async () => {
      await cluster.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** One process of a peer, with what it was started by, so that it can be started again. */
class Member {
  readonly httpPort: number
  readonly #words: readonly string[]
  #child: ChildProcess | undefined
  #isPaused = false

  constructor(httpPort: number, words: readonly string[]) {
    this.httpPort = httpPort
    this.#words = words
  }

  get pid(): number {
    return must(this.#child?.pid, 'it runs')
  }

  get isLive(): boolean {
    return this.#child !== undefined && !this.#isPaused
  }

  pause(): void {
    this.#isPaused = true
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
    this.#isPaused = false
  }

  start(): void {
    const [command = '', ...words] = this.#words
    this.#child = spawn(command, words, {
      stdio: 'ignore',
      env: { ...process.env, CHECKPOINT_DISABLE: '1', ETCD_UNSUPPORTED_ARCH: process.arch },
    })
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined) return
    const ended = new Promise((resolve) => {
      child.once('exit', resolve)
    })
    child.kill('SIGKILL')
    await ended
  }
}

/** Which of the members leads, by what each says of itself. */
function peerCluster(
  name: string,
  directory: string,
  members: readonly Member[],
  requests: Pick<BenchCluster, 'request' | 'write' | 'put'>,
  leads: (port: number) => Promise<boolean>,
): BenchCluster {
  const live = (): readonly Member[] => members.filter(({ isLive }) => isLive)
  const leader = (): Promise<Member> =>
    until(`a leader of ${name}`, 30_000, async () => {
      for (const member of live()) if (await leads(member.httpPort)) return member
      return undefined
    })
  return {
    name,
    ...requests,
    pids: () => live().map(({ pid }) => pid),
    leaderPort: async () => (await leader()).httpPort,
    followerPort: async () => {
      const first = await leader()
      return must(live().find((member) => member !== first)).httpPort
    },
    livePorts: () => live().map(({ httpPort }) => httpPort),
    killLeader: async () => {
      const first = await leader()
      await first.kill()
      return async () => first.start()
    },
    stopLeader: async () => {
      const first = await leader()
      first.pause()
      return async () => first.resume()
    },
    stop: async () => {
      await Promise.all(members.map((member) => member.kill()))
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function json(port: number, path: string, body?: object): Promise<unknown> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const signal = AbortSignal.timeout(1000)
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, signal })
  return response.json()
}

export async function etcdCluster(): Promise<BenchCluster> {
  const directory = temporary()
  const ports = await freePorts(6)
  const url = (at: number): string => `http://127.0.0.1:${must(ports[at])}`
  const initial = [0, 1, 2].map((at) => `n${at}=${url(at + 3)}`).join(',')
  const members = [0, 1, 2].map(
    (at) =>
      new Member(must(ports[at]), [
        'etcd',
        `--name=n${at}`,
        `--data-dir=${directory}/n${at}`,
        `--listen-client-urls=${url(at)}`,
        `--advertise-client-urls=${url(at)}`,
        `--listen-peer-urls=${url(at + 3)}`,
        `--initial-advertise-peer-urls=${url(at + 3)}`,
        `--initial-cluster=${initial}`,
      ]),
  )
  for (const member of members) member.start()
  const cluster = peerCluster(
    'etcd',
    directory,
    members,
    { request: putKey, write: putKey, put: putEncoded },
    async (port) => {
      const status = (await json(port, '/v3/maintenance/status', {}).catch(() => ({}))) as {
        readonly leader?: string
        readonly header?: { readonly member_id?: string }
      }
      return status.leader !== undefined && status.leader === status.header?.member_id
    },
  )
  await cluster.leaderPort()
  return cluster
}

export async function consulCluster(): Promise<BenchCluster> {
  const directory = temporary()
  const ports = await freePorts(12)
  const port = (at: number, of: number): number => must(ports[at * 4 + of])
  const members = [0, 1, 2].map(
    (at) =>
      new Member(port(at, 0), [
        'consul',
        'agent',
        '-server',
        '-bootstrap-expect=3',
        `-node=n${at}`,
        `-data-dir=${directory}/n${at}`,
        '-bind=127.0.0.1',
        '-log-level=err',
        '-dns-port=-1',
        `-http-port=${port(at, 0)}`,
        `-server-port=${port(at, 1)}`,
        `-serf-lan-port=${port(at, 2)}`,
        `-serf-wan-port=${port(at, 3)}`,
        '-hcl=performance { raft_multiplier = 1 }',
        ...[0, 1, 2].map((other) => `-retry-join=127.0.0.1:${port(other, 2)}`),
      ]),
  )
  for (const member of members) member.start()
  const cluster = peerCluster(
    'consul',
    directory,
    members,
    { request: register, write: record, put: putPlain },
    async (httpPort) => {
      const address = await json(httpPort, '/v1/status/leader').catch(() => '')
      const at = members.findIndex((member) => member.httpPort === httpPort)
      return address === `127.0.0.1:${port(at, 1)}`
    },
  )
  await cluster.leaderPort()
  return cluster
}
