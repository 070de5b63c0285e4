import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { dnsperf, dnsperfAgainst, flood } from './dnsperf.ts'
import type { DnsFigures, DnsLoad, DnsLoadResult } from './dnsperf.ts'
import {
  loadCpu,
  serverCpu,
  startConsulServer,
  startKnot,
  startNsd,
  startSvcd,
} from './name-servers.ts'
import type { NameServer } from './name-servers.ts'
import { versionOf } from './peers.ts'
import { spread, table } from './report.ts'

export const rounds = Number(process.env['SVCD_ROUNDS'] ?? 9)
export const seconds = Number(process.env['SVCD_SECONDS'] ?? 2)

const services = 20
const instances = 3

const noDnsperf = 'DNS: dnsperf is not on PATH, left out.\n'

interface Contest {
  readonly questions: string
  readonly servers: readonly NameServer[]
  readonly flags?: readonly string[]
  /** dnsperf unless given. */
  readonly ask?: (load: DnsLoad) => Promise<DnsLoadResult>
}

export const contestColumns = [
  'questions',
  'server',
  'questions/s',
  'µs CPU each',
  'svcd’s CPU : its',
  'svcd’s rate : its',
]

/** svcd, Knot, NSD and Consul, each on one core, asked the same by dnsperf on the other. */
export function benchDnsPeers(): Promise<string> {
  return besideAll(`${services} services of ${instances} instances, SRV with glue`, dnsperf)
}

/** The same asked by a load that leaves the server to be the limit; see dns-flood.ts. */
export function benchDnsFlood(): Promise<string> {
  return besideAll(
    'asked by a load that costs less than the answers (many packets per system call)',
    flood,
  )
}

function besideAll(what: string, ask: (load: DnsLoad) => Promise<DnsLoadResult>): Promise<string> {
  return withServers(
    [svcdMmsg, () => startKnot(zoneText()), () => startNsd(zoneText()), startConsulServer],
    async (servers, directory) => {
      const rows: string[][] = []
      for (const type of ['A', 'SRV']) {
        const questions = questionsFile(directory, type)
        const figures = await contest({ questions, servers, ask })
        rows.push(...rowsOf(`${type}, ${instances}`, servers, figures))
      }
      return table(
        `DNS on one core each, ${what}; ${rounds} rounds × ${seconds} s, median (quartiles)`,
        contestColumns,
        rows,
      )
    },
  )
}

/** Both limit what they answer, and have a limit that no load reaches. */
export async function benchDnsRrl(): Promise<string> {
  const limits = ['-dns-rate-limit=1000000', '-dns-rate-limit-exempt=']
  const servers = [
    (): Promise<NameServer> => startSvcd('mmsg', 'svcd, with limit', limits),
    (): Promise<NameServer | undefined> => startKnot(zoneText(), 'consul', serverCpu, knotRrl),
    (): Promise<NameServer> => startSvcd('mmsg', 'svcd, exempt'),
  ]
  return withServers(servers, async (servers, directory) => {
    const questions = questionsFile(directory, 'A')
    const loads = { dnsperf, bursts: flood }
    const rows: string[][] = []
    for (const [load, ask] of Object.entries(loads)) {
      const figures = await contest({ questions, servers, ask })
      rows.push(...rowsOf(`A, ${instances}, ${load}`, servers, figures))
    }
    return table(
      `DNS with a rate limit (Knot: mod-rrl) on one core each, ${rounds} rounds × ${seconds} s, median (quartiles)`,
      contestColumns,
      rows,
    )
  })
}

const knotRrl = `
mod-rrl:
  - id: limit
    rate-limit: 1000000
template:
  - id: default
    global-module: mod-rrl/limit
`

/** The path without recvmmsg, beside Consul. */
export async function benchDnsDgram(): Promise<string> {
  const svcd = (): Promise<NameServer> => startSvcd('dgram', 'svcd dgram')
  return withServers([svcd, startConsulServer], async (servers, directory) => {
    const questions = questionsFile(directory, 'A')
    const rows = rowsOf(`A, ${instances}`, servers, await contest({ questions, servers }))
    return table(
      `DNS by dgram on one core, ${rounds} rounds × ${seconds} s, median (quartiles)`,
      contestColumns,
      rows,
    )
  })
}

/** Latency at half of what the slower of svcd and Knot can do: the same rate for both. */
export async function benchDnsLatency(): Promise<string> {
  return withServers([svcdMmsg, () => startKnot(zoneText())], async (servers, directory) => {
    const questions = questionsFile(directory, 'A')
    const full = await contest({ questions, servers }, 1)
    const perSecond = Math.min(...full.flat().map((figures) => figures.perSecond)) / 2
    const latencies = servers.map((): [number, number][] => [])
    for (let round = 0; round < rounds; round++) {
      for (const at of turns(servers.length, round)) {
        const port = must(servers[at]).dnsPort
        latencies[at]?.push(await percentiles(port, questions, perSecond))
      }
    }
    const ours = must(latencies[0])
    const rows = servers.map(({ name }, at) => {
      const theirs = must(latencies[at])
      const ratio = theirs.map(([, p99], round) => (ours[round]?.[1] ?? Number.NaN) / p99)
      const [p50, p99] = [0, 1].map((which) =>
        spread(
          theirs.map((pair) => pair[which] ?? 0),
          0,
        ),
      )
      return [name, p50 ?? '', p99 ?? '', at === 0 ? '' : spread(ratio, 2)]
    })
    return table(
      `DNS latency at ${perSecond.toFixed(0)} questions/s, half the load; ${rounds} rounds × ${seconds} s, median (quartiles)`,
      ['server', 'p50 µs', 'p99 µs', 'svcd’s p99 : its'],
      rows,
    )
  })
}

export async function percentiles(
  port: number,
  questions: string,
  perSecond: number,
): Promise<[number, number]> {
  const micros: number[] = []
  await dnsperf({ port, questions, seconds, perSecond, cpu: loadCpu }, (each) => micros.push(each))
  const sorted = Float64Array.from(micros).toSorted()
  const at = (q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN
  return [at(0.5), at(0.99)]
}

export async function withServers(
  starts: readonly (() => Promise<NameServer | undefined>)[],
  body: (servers: readonly NameServer[], directory: string) => Promise<string>,
): Promise<string> {
  if (versionOf('dnsperf', '-h') === undefined) return noDnsperf
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-dns-'))
  const servers: NameServer[] = []
  try {
    for (const start of starts) {
      const server = await start()
      if (server === undefined) continue
      servers.push(server)
      if (server.httpPort > 0) await fill(server.httpPort)
    }
    return await body(servers, directory)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Figures by server, then by round. In each round all have their turn, forth and back. */
export async function contest(
  { questions, servers, flags = [], ask }: Contest,
  times = rounds,
): Promise<readonly (readonly DnsFigures[])[]> {
  const figures = servers.map((): DnsFigures[] => [])
  for (let round = 0; round < times; round++) {
    for (const at of turns(servers.length, round)) {
      const { pids, dnsPort, name } = must(servers[at])
      const load = { port: dnsPort, questions, seconds, flags, cpu: loadCpu }
      const result = await dnsperfAgainst(pids, load, ask)
      if (result.lost > 0) process.stderr.write(`${name}: ${result.lost} questions lost\n`)
      figures[at]?.push(result)
    }
  }
  return figures
}

/** 0, 1, 2 …, in every other round backwards: what comes first is not always the same. */
export function turns(count: number, round: number): readonly number[] {
  const order = Array.from({ length: count }, (_, at) => at)
  return round % 2 === 0 ? order : order.toReversed()
}

/** The first server is compared with each of the others, round by round. */
export function rowsOf(
  title: string,
  servers: readonly NameServer[],
  figures: readonly (readonly DnsFigures[])[],
): string[][] {
  const ours = must(figures[0])
  return servers.map(({ name }, at) => {
    const theirs = must(figures[at])
    const ratio = (of: (figures: DnsFigures) => number): string =>
      at === 0
        ? ''
        : spread(
            ours.map((mine, round) => of(mine) / of(must(theirs[round]))),
            2,
          )
    return [
      title,
      name,
      spread(
        theirs.map(({ perSecond }) => perSecond),
        0,
      ),
      spread(
        theirs.map(({ cpuMicros }) => cpuMicros),
        2,
      ),
      ratio(({ cpuMicros }) => cpuMicros),
      ratio(({ perSecond }) => perSecond),
    ]
  })
}

export const svcdMmsg = (): Promise<NameServer> => startSvcd('mmsg', 'svcd')

export function questionsFile(directory: string, type: string): string {
  const file = join(directory, `${type}.txt`)
  const names = Array.from({ length: services }, (_, n) => `${serviceName(n)}.service.consul`)
  writeFileSync(file, names.map((name) => `${name} ${type}\n`).join(''))
  return file
}

export const serviceName = (n: number): string => `web-${instances}-${n}`
const addressOf = (n: number, each: number): string => `10.9.${each}.${n}`

async function fill(httpPort: number): Promise<void> {
  for (let n = 0; n < services * instances; n++) {
    const name = serviceName(n % services)
    const address = addressOf(n % services, Math.floor(n / services))
    const body = { ID: `${name}-${address}`, Name: name, Address: address, Port: 8080 }
    const response = await fetch(`http://127.0.0.1:${httpPort}/v1/agent/service/register`, {
      method: 'PUT',
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`)
  }
}

/** The same names for those that serve zone files, with the targets that svcd gives. */
export function zoneText(): string {
  const lines = ['$ORIGIN consul.', '$TTL 0', '@ SOA ns hostmaster 1 3600 600 86400 0', '@ NS ns']
  lines.push('ns A 127.0.0.1')
  for (let n = 0; n < services; n++) {
    for (let each = 0; each < instances; each++) {
      const address = addressOf(n, each)
      const target = `${Buffer.from(address.split('.').map(Number)).toString('hex')}.addr.dc1`
      lines.push(`${serviceName(n)}.service A ${address}`, `${target} A ${address}`)
      lines.push(`${serviceName(n)}.service SRV 1 1 8080 ${target}`)
    }
  }
  return `${lines.join('\n')}\n`
}
