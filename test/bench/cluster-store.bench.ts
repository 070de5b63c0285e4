import { rmSync } from 'node:fs'
import { must } from '../../src/base/assert.ts'
import { Client } from '../../src/client/client.ts'
import { KvClient } from '../../src/client/kv.ts'
import { HeldSession } from '../../src/client/locks/held-session.ts'
import { Mutex } from '../../src/client/locks/mutex.ts'
import { SessionClient } from '../../src/client/session.ts'
import { ThreeServers, type ClusterServer } from '../helpers/cluster-process.ts'
import { pause } from '../helpers/until.ts'
import { temporary } from './cluster-peers.ts'
import { cpuMicros } from './dnsperf.ts'
import { httpLoad } from './http-load.ts'
import { spread, table } from './report.ts'

// What sessions, locks and transactions cost three servers.

const sessions = 1000
/** Of their TTL of 10 s, as clients do. */
const renewEveryS = 5
const renewSeconds = 20
/** So that V8 has compiled what a renewal runs, as in a server that has been up for some minutes. */
const warmSeconds = 60
const handovers = 200
const rounds = Number(process.env['SVCD_ROUNDS'] ?? 5)
const setsPerTransaction = 64
const txnSeconds = 5

async function withServers(use: (cluster: ThreeServers) => Promise<string>): Promise<string> {
  const directory = temporary()
  const cluster = await ThreeServers.prepare(directory, { args: ['-log-level=error'] })
  try {
    await cluster.startAll()
    return await use(cluster)
  } finally {
    await cluster.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** 1,000 sessions that are renewed in time: through the leader, and through another server. */
export function benchSessions(): Promise<string> {
  return withServers(async (cluster) => {
    const leader = await cluster.leader()
    const follower = must((await cluster.followers())[0], 'there are followers')
    const ids = await createSessions(leader)
    const rows: string[][] = []
    for (const [name, server] of [
      ['the leader', leader] as const,
      ['a follower', follower] as const,
    ]) {
      await renew(server, ids, warmSeconds)
      const before = await usage(cluster, leader)
      const { failed, p50Ms, p99Ms } = await renew(server, ids, renewSeconds)
      const after = await usage(cluster, leader)
      const percent = after.cpu.map((micros, at) => {
        const share = (micros - must(before.cpu[at])) / (renewSeconds * 1e4)
        return `${cluster.servers[at] === leader ? 'leader ' : ''}${share.toFixed(1)}`
      })
      const entries = after.index - before.index
      rows.push([
        name,
        String(failed),
        `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)}`,
        String(entries),
        percent.join(', '),
      ])
    }
    const before = await usage(cluster, leader)
    await pause(renewSeconds * 500)
    const after = await usage(cluster, leader)
    const idle = after.cpu.map((micros, at) =>
      ((micros - must(before.cpu[at])) / (renewSeconds * 5e3)).toFixed(1),
    )
    rows.push(['no renewals', '', '', String(after.index - before.index), idle.join(', ')])
    return table(
      `${sessions} sessions with a TTL of 10 s on three servers, each renewed every ${renewEveryS} s, for ${renewSeconds} s after ${warmSeconds} s of it`,
      ['renewed through', 'failed', 'p50 / p99 ms', 'log entries', '% of a core, by server'],
      rows,
    )
  })
}

async function createSessions(leader: ClusterServer): Promise<readonly string[]> {
  const client = new SessionClient(new Client({ address: leader.httpUrl }))
  const ids: string[] = []
  while (ids.length < sessions) {
    const some = Array.from({ length: 50 }, () => client.create({ ttl: '10s', nodeChecks: [] }))
    ids.push(...(await Promise.all(some)))
  }
  return ids
}

function renew(server: ClusterServer, ids: readonly string[], seconds: number) {
  const request = (n: number) => ({
    method: 'PUT',
    path: `/v1/session/renew/${must(ids[n % ids.length])}`,
    body: '',
  })
  const perSecond = ids.length / renewEveryS
  return httpLoad({ port: server.httpPort, connections: 64, seconds, perSecond, request })
}

async function usage(cluster: ThreeServers, leader: ClusterServer) {
  const response = await fetch(`${leader.httpUrl}/v1/agent/self`)
  const { Stats } = (await response.json()) as { Stats: { raft: { last_log_index: string } } }
  const cpu = cluster.servers.map(({ pid }) => cpuMicros([pid]))
  return { index: Number(Stats.raft.last_log_index), cpu }
}

/** A lock that goes back and forth between two programs at one server. */
export function benchHandover(): Promise<string> {
  return withServers(async (cluster) => {
    const follower = must((await cluster.followers())[0], 'there are followers')
    const servers = [
      ['the leader', await cluster.leader()] as const,
      ['a follower', follower] as const,
    ]
    const rows: string[][] = []
    for (const [name, server] of servers) {
      const times = (await handOver(server.httpUrl)).toSorted((a, b) => a - b)
      const at = (q: number): string => must(times[Math.floor(q * (times.length - 1))]).toFixed(1)
      rows.push([name, at(0.5), at(0.99), at(1)])
    }
    return table(
      `A lock handed over ${handovers} times after a clean release: from the release to the other's token`,
      ['both programs at', 'p50 ms', 'p99 ms', 'slowest ms'],
      rows,
    )
  })
}

async function handOver(address: string): Promise<readonly number[]> {
  const never = new AbortController().signal
  let [holder, next] = [await contender(address), await contender(address)]
  await holder.lock.acquire(never)
  const times: number[] = []
  let last = 0
  for (let n = 0; n < handovers; n++) {
    const got = next.lock.acquire(never)
    // It waits for the lock by then.
    await pause(30)
    const startedMs = performance.now()
    const released = holder.lock.release()
    const token = must(await got, 'the lock is held')
    times.push(performance.now() - startedMs)
    if (token <= last) throw new Error(`token ${token} after ${last}`)
    last = token
    await released
    ;[holder, next] = [next, holder]
  }
  await holder.lock.release()
  await Promise.all([holder.session.end(), next.session.end()])
  return times
}

async function contender(address: string): Promise<{ session: HeldSession; lock: Mutex }> {
  const client = new Client({ address })
  const options = { name: 'bench', ttlMs: 15_000, lockDelayMs: 0, behavior: 'release' } as const
  const session = await HeldSession.create(new SessionClient(client), options)
  return { session, lock: new Mutex(new KvClient(client), 'bench/.lock', session, 3) }
}

/** Transactions of 64 sets through the leader. */
export function benchTransactions(): Promise<string> {
  return withServers(async (cluster) => {
    const { httpPort: port } = await cluster.leader()
    const value = Buffer.from('v'.repeat(32)).toString('base64')
    const request = (n: number) => ({
      method: 'PUT',
      path: '/v1/txn',
      body: JSON.stringify(
        Array.from({ length: setsPerTransaction }, (_, at) => ({
          KV: { Verb: 'set', Key: `bench/${(n * setsPerTransaction + at) % 20_000}`, Value: value },
        })),
      ),
    })
    const rates: number[] = []
    const p99: number[] = []
    const cpu: number[] = []
    let failures = 0
    for (let round = 0; round <= rounds; round++) {
      const before = cpuMicros(cluster.live.map(({ pid }) => pid))
      const result = await httpLoad({ port, connections: 16, seconds: txnSeconds, request })
      const used = cpuMicros(cluster.live.map(({ pid }) => pid)) - before
      failures += result.failed
      // The first one warms up.
      if (round === 0) continue
      rates.push(result.perSecond)
      p99.push(result.p99Ms)
      cpu.push(used / result.ok)
    }
    return table(
      `Three servers: transactions of ${setsPerTransaction} sets through the leader, 16 connections, ${rounds} × ${txnSeconds} s, median (quartiles)`,
      ['transactions/s', 'p99 ms', 'µs CPU each, all servers', 'failed'],
      [[spread(rates, 0), spread(p99, 1), spread(cpu, 0), String(failures)]],
    )
  })
}
