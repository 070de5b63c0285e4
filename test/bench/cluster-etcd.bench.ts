import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { etcdCluster, svcdCluster } from './cluster-peers.ts'
import type { BenchCluster, Registration } from './cluster-peers.ts'
import { versionOf } from './peers.ts'
import { spread, table } from './report.ts'
import { wrkLoad } from './wrk.ts'
import type { WrkResult } from './wrk.ts'

// Writes through the leader of three servers, svcd and etcd in turn, by a load that costs little.

const seconds = 6
const rounds = Number(process.env['SVCD_ROUNDS'] ?? 5)
const connections = 64
/** After so many writes a server is warm. */
const warmWrites = 25_000
/** More than a load sends, so that each makes something new. */
const requestsMax = 120_000

const columns = ['server', 'writes/s', 'µs CPU each, all servers', 'p50 ms', 'p99 ms', 'failed']

interface Measured {
  readonly svcd: WrkResult[]
  readonly etcd: WrkResult[]
}

function missing(): string | undefined {
  if (versionOf('wrk') === undefined) return 'Writes beside etcd: wrk is not on PATH, left out.\n'
  if (versionOf('etcd', '--version') !== undefined) return undefined
  return 'Writes beside etcd: etcd is not on PATH, left out.\n'
}

/** Registrations from a start on, and after 25,000 of them. */
export async function benchCold(): Promise<string> {
  const lacks = missing()
  if (lacks !== undefined) return lacks
  const [cold, warm]: Measured[] = [
    { svcd: [], etcd: [] },
    { svcd: [], etcd: [] },
  ]
  await inTurn(async (cluster, results) => {
    const load = new Load(cluster, cluster.write)
    try {
      results(cold).push(await load.run())
      while (load.count < warmWrites) await load.run()
      results(warm).push(await load.run())
    } finally {
      load.end()
    }
  })
  return table(
    `Three servers: registrations through the leader, wrk, ${connections} connections, ${rounds} × ${seconds} s, median (quartiles)`,
    columns,
    [...rowsOf(`the first ${seconds} s`, cold), ...rowsOf(`after ${warmWrites} writes`, warm)],
  )
}

/** New keys with values of 256 bytes. */
export async function benchKv(): Promise<string> {
  const lacks = missing()
  if (lacks !== undefined) return lacks
  const warm: Measured = { svcd: [], etcd: [] }
  await inTurn(async (cluster, results) => {
    const load = new Load(cluster, cluster.put)
    try {
      while (load.count < warmWrites) await load.run()
      results(warm).push(await load.run())
    } finally {
      load.end()
    }
  })
  return table(
    `Three servers: new keys with values of 256 bytes through the leader, after ${warmWrites} writes; wrk, ${connections} connections, ${rounds} × ${seconds} s, median (quartiles)`,
    columns,
    rowsOf('PUT', warm),
  )
}

type Results = (of: Measured | undefined) => WrkResult[]

/** A new cluster for each turn: none profits from what the one before left. */
async function inTurn(
  measure: (cluster: BenchCluster, results: Results) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const [name, start] of [['svcd', svcdCluster] as const, ['etcd', etcdCluster] as const]) {
      const cluster = await start()
      try {
        await measure(cluster, (of) => of?.[name] ?? [])
      } finally {
        await cluster.stop()
      }
    }
  }
}

/** Writes that go on where the last ones ended. */
class Load {
  count = 0
  readonly #cluster: BenchCluster
  readonly #write: Registration
  readonly #directory = mkdtempSync(join(tmpdir(), 'svcd-bench-wrk-'))

  constructor(cluster: BenchCluster, write: Registration) {
    this.#cluster = cluster
    this.#write = write
  }

  async run(): Promise<WrkResult> {
    const port = await this.#cluster.leaderPort()
    await this.#addNode(port)
    const requests = Array.from({ length: requestsMax }, (_, n) => this.#write(this.count + n))
    const result = await wrkLoad({
      port,
      connections,
      seconds,
      requests,
      directory: this.#directory,
      pids: this.#cluster.pids(),
    })
    this.count += result.completed
    return result
  }

  end(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** The catalog asks for the node first. */
  async #addNode(port: number): Promise<void> {
    if (this.count > 0 || this.#cluster.name === 'etcd') return
    const body = JSON.stringify({ Node: 'outside', Address: '10.9.0.1' })
    await fetch(`http://127.0.0.1:${port}/v1/catalog/register`, { method: 'PUT', body })
  }
}

function rowsOf(name: string, of: Measured | undefined): readonly string[][] {
  const { svcd = [], etcd = [] } = of ?? {}
  const row = (server: string, results: readonly WrkResult[]): string[] => [
    `${server}, ${name}`,
    spread(
      results.map(({ perSecond }) => perSecond),
      0,
    ),
    spread(
      results.map(({ cpuMicros }) => cpuMicros),
      0,
    ),
    spread(
      results.map(({ p50Ms }) => p50Ms),
      1,
    ),
    spread(
      results.map(({ p99Ms }) => p99Ms),
      1,
    ),
    String(results.reduce((sum, { failed }) => sum + failed, 0)),
  ]
  const ratio = (value: (result: WrkResult) => number): string =>
    spread(
      svcd.map((result, at) => value(result) / value(etcd[at] ?? result)),
      2,
    )
  const ratios = [ratio((result) => result.perSecond), ratio((result) => result.cpuMicros)]
  return [row('svcd', svcd), row('etcd', etcd), [`svcd : etcd, ${name}`, ...ratios, '', '', '']]
}
