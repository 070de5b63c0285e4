import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { must } from '../../src/base/assert.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { instance } from '../helpers/cluster-load.ts'
import { until } from '../helpers/until.ts'
import { consulCluster, etcdCluster, svcdCluster, temporary } from './cluster-peers.ts'
import type { BenchCluster } from './cluster-peers.ts'
import { httpLoad } from './http-load.ts'
import type { HttpLoadResult } from './http-load.ts'
import { residentMb, versionOf } from './peers.ts'
import { median, table } from './report.ts'

// Three servers on one machine: what a cluster adds to the figures of one node.

const seconds = 5
const rounds = Number(process.env['SVCD_ROUNDS'] ?? 3)
const connections = 64
/** A cluster that takes no write for so long will not take one. */
const noWriteMs = 30_000
const trials = Number(process.env['SVCD_TRIALS'] ?? 20)
export const instances = 100_000

/** svcd, and of the peers those that are on PATH. */
function clusters(): readonly (() => Promise<BenchCluster>)[] {
  return [
    svcdCluster,
    ...(versionOf('etcd', '--version') === undefined ? [] : [etcdCluster]),
    ...(versionOf('consul') === undefined ? [] : [consulCluster]),
  ]
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN
}

function quantiles(name: string, values: readonly number[]): string[] {
  const shown = [0.5, 0.99, 1].map((q) => quantile(values, q).toFixed(values.length > 0 ? 0 : 1))
  return [name, String(values.length), ...shown]
}

/** Durable registrations through the leader and through a follower, the products in turns. */
export async function benchClusterWrites(): Promise<string> {
  const results = new Map<string, HttpLoadResult[]>()
  for (let round = 0; round < rounds; round++) {
    for (const start of clusters()) {
      const cluster = await start()
      try {
        for (const through of ['leader', 'follower'] as const) {
          const port = await (through === 'leader' ? cluster.leaderPort() : cluster.followerPort())
          const offset = through === 'leader' ? 0 : 10_000_000
          const request = (n: number) => cluster.request(n + offset)
          const result = await httpLoad({ port, connections, seconds, request })
          const name = `${cluster.name}, ${through}`
          results.set(name, [...(results.get(name) ?? []), result])
        }
      } finally {
        await cluster.stop()
      }
    }
  }
  return table(
    `Three servers: durable registrations, ${connections} connections, ${rounds} × ${seconds} s, medians`,
    ['through', 'registrations/s', 'p50 ms', 'p99 ms', 'failed'],
    [...results].map(([name, of]) => [
      name,
      median(of.map((r) => r.perSecond)).toFixed(0),
      median(of.map((r) => r.p50Ms)).toFixed(1),
      median(of.map((r) => r.p99Ms)).toFixed(1),
      String(of.reduce((sum, r) => sum + r.failed, 0)),
    ]),
  )
}

/** Milliseconds until one of `ports` acknowledges a write; each is sent a new one all the time. */
async function nextWrite(cluster: BenchCluster, ports: readonly number[]): Promise<number> {
  const startMs = performance.now()
  const done = new AbortController()
  const ask = async (port: number): Promise<boolean> => {
    const { method, path, body } = cluster.write(20_000_000 + Math.floor(Math.random() * 1e9))
    const init = { method, body, signal: done.signal }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
    await response.arrayBuffer()
    return response.ok
  }
  const acknowledged = new Promise<void>((resolve, reject) => {
    const expire = setTimeout(() => {
      reject(new Error(`${cluster.name} has taken no write for ${noWriteMs} ms`))
    }, noWriteMs)
    const send = (): void => {
      for (const port of ports) {
        // One that hangs with the old leader must not keep others from being tried.
        void ask(port).then(
          (isTaken) => (isTaken ? resolve() : undefined),
          () => undefined,
        )
      }
    }
    send()
    const timer = setInterval(send, 25)
    done.signal.addEventListener('abort', () => {
      clearInterval(timer)
      clearTimeout(expire)
    })
  })
  try {
    await acknowledged
    return performance.now() - startMs
  } finally {
    done.abort()
  }
}

/** The catalog of Consul and of svcd asks for the node first. */
async function prepared(cluster: BenchCluster): Promise<boolean> {
  const [port = 0] = cluster.livePorts()
  const body = JSON.stringify({ Node: 'outside', Address: '10.9.0.1' })
  const init = { method: 'PUT', body }
  if (cluster.name !== 'etcd') await fetch(`http://127.0.0.1:${port}/v1/catalog/register`, init)
  await nextWrite(cluster, cluster.livePorts())
  return true
}

/** How long no write is acknowledged once the leader has failed, trial by trial. */
async function failoverTimes(
  cluster: BenchCluster,
  fail: () => Promise<() => Promise<void>>,
): Promise<readonly number[]> {
  const times: number[] = []
  for (let trial = 0; trial < trials; trial++) {
    await until('the node of the writes is there', 10_000, () => prepared(cluster))
    const mend = await fail()
    times.push(await nextWrite(cluster, cluster.livePorts()))
    await mend()
    // All three are whole again before the next one fails.
    await until('all answer', 30_000, () => cluster.livePorts().length === 3)
    await sleep(1500)
  }
  return times
}

async function failoverRows(
  how: 'killLeader' | 'stopLeader',
  suffix = '',
): Promise<readonly string[][]> {
  const rows: string[][] = []
  for (const start of clusters()) {
    const cluster = await start()
    try {
      const times = await failoverTimes(cluster, cluster[how])
      rows.push(quantiles(`${cluster.name}${suffix}`, times))
    } finally {
      await cluster.stop()
    }
  }
  return rows
}

const failoverColumns = ['server', 'trials', 'p50', 'p99', 'max']

/** kill -9 of the leader, and how long no write is acknowledged then. */
export async function benchFailover(): Promise<string> {
  return table(
    'Fail-over: kill -9 of the leader until the next acknowledged write, ms',
    failoverColumns,
    await failoverRows('killLeader'),
  )
}

/**
 * As {@link benchFailover}, but the leader falls silent, and nothing is closed: every product by
 * SIGSTOP, and svcd by cuts of all its links as well.
 */
export async function benchSilence(): Promise<string> {
  const rows = await failoverRows('stopLeader', ', SIGSTOP')
  return table(
    'Fail-over: the leader falls silent until the next acknowledged write, ms',
    failoverColumns,
    [...rows, quantiles('svcd, links cut', await cutTimes())],
  )
}

async function cutTimes(): Promise<readonly number[]> {
  const directory = temporary()
  const cluster = await ThreeServers.prepare(directory, {
    hasProxies: true,
    args: ['-log-level=error'],
  })
  const times: number[] = []
  try {
    await cluster.startAll()
    for (let trial = 0; trial < trials; trial++) {
      const old = await cluster.leader()
      const startMs = performance.now()
      cluster.isolate(old)
      // One that was under way when it fell silent, as those of a client are that waits for its answer.
      const writes = cluster.others(old).map((server) =>
        until('a write is taken', 20_000, async () => {
          await server.put('catalog/register', {
            ...instance('outside', `silence${trial}`),
            SkipNodeUpdate: false,
          })
          return true
        }),
      )
      await Promise.any(writes)
      times.push(performance.now() - startMs)
      cluster.heal()
      await Promise.allSettled(writes)
      await cluster.leader()
    }
  } finally {
    await cluster.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  return times
}

/** From the acknowledgement of a registration to its answer by DNS on all three, one at a time. */
export async function benchVisible(): Promise<string> {
  const { cluster, stop } = await svcdCluster()
  const rows: string[][] = []
  try {
    for (const server of [await cluster.leader(), must((await cluster.followers())[0])]) {
      const times: number[] = []
      for (let n = 0; n < 500; n++) {
        const service = `seen-${server.name}-${n}`
        await server.put('agent/service/register', { Name: service, Port: 80 })
        const startMs = performance.now()
        await Promise.all(
          cluster.servers.map(async (other) => {
            for (;;) {
              const { answer } = await other.ask(`${service}.service.consul`)
              if (answer.length > 0) return
            }
          }),
        )
        times.push(performance.now() - startMs)
      }
      const isLeader = server === (await cluster.leader())
      const shown = [0.5, 0.99, 1].map((q) => quantile(times, q).toFixed(1))
      rows.push([isLeader ? 'leader' : 'follower', String(times.length), ...shown])
    }
  } finally {
    await stop()
  }
  return table(
    'Registration acknowledged until DNS answers it on all three, ms',
    ['registered through', 'trials', 'p50', 'p99', 'max'],
    rows,
  )
}

/** 100,000 instances: memory of each server, what a snapshot holds up, an empty server that joins. */
export async function benchBigCluster(): Promise<string> {
  const { cluster, stop } = await svcdCluster()
  const rows: string[][] = []
  try {
    const leader = await cluster.leader()
    await fillCluster(leader.httpPort)
    await sleep(5000)
    const sizes = cluster.servers.map((server) => residentMb(server.pid).toFixed(0))
    rows.push(['resident memory of the servers, MB', sizes.join(', ')])
    rows.push(['slowest write while a snapshot is taken, ms', await slowestDuringSnapshot(cluster)])
    const follower = must((await cluster.followers())[0])
    const servers = await cluster.raftServers()
    const { ID } = must(servers.find(({ Address }) => Address === follower.address))
    await follower.kill()
    follower.wipe()
    await leader.put(`operator/raft/peer?id=${ID}`, undefined, 'DELETE')
    const startMs = performance.now()
    await follower.start()
    await until('it answers and votes', 120_000, async () => {
      const now = await cluster.raftServers(leader)
      const votes = now.some(({ Address, Voter }) => Address === follower.address && Voter)
      return votes && (await follower.ask('web7.service.consul')).answer.length > 0
    })
    rows.push(['an empty server joins, ms', (performance.now() - startMs).toFixed(0)])
  } finally {
    await stop()
  }
  return table(`Three servers with ${instances.toLocaleString('en')} instances`, ['what', ''], rows)
}

/** Instances on nodes of their own, as in a fleet; as fast as they are taken. */
export async function fillCluster(port: number): Promise<void> {
  const done = { count: 0 }
  const request = () => {
    // What is sent beyond the last one changes nothing.
    const number = done.count++ % instances
    const body = {
      Node: `node-${number % 1000}`,
      Address: '10.9.0.1',
      Service: { ID: `web-${number}`, Service: `web${number % 1000}`, Port: 8080, Tags: ['v1'] },
      SkipNodeUpdate: true,
    }
    return { method: 'PUT', path: '/v1/catalog/register', body: JSON.stringify(body) }
  }
  while (done.count < instances) await httpLoad({ port, connections, seconds: 2, request })
}

async function slowestDuringSnapshot(cluster: ThreeServers): Promise<string> {
  const leader = await cluster.leader()
  const done = new AbortController()
  let slowestMs = 0
  const writer = async (): Promise<void> => {
    for (let n = 0; !done.signal.aborted; n++) {
      const startMs = performance.now()
      await leader.put('catalog/register', instance('outside', `during${n % 100}`, 'during'))
      slowestMs = Math.max(slowestMs, performance.now() - startMs)
    }
  }
  const writing = writer()
  const snapshot = await leader.fetch('snapshot', {}, 60_000)
  await snapshot.arrayBuffer()
  done.abort()
  await writing
  return slowestMs.toFixed(0)
}
