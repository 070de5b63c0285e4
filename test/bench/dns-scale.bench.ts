import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { missMicros } from './dns-miss.ts'
import type { MissCase } from './dns-miss.ts'
import { rounds, seconds } from './dns-peers.bench.ts'
import { dnsperf, dnsperfAgainst, onCpu } from './dnsperf.ts'
import type { DnsFigures } from './dnsperf.ts'
import { httpLoad } from './http-load.ts'
import { loadCpu, serverCpu } from './name-servers.ts'
import { residentMb, versionOf } from './peers.ts'
import { spread, table } from './report.ts'

const services = 100_000
const instances = 4
const nodes = 1000
const cachedNames = 20
/** For a tenth of the names in the thread for UDP, which has half of it. */
const tenthBytes = 2 * 2_300_000

/**
 * Many services, all queried equally often: with a cache that has room for all of them, and with one that
 * has room for a tenth. One core for svcd, the other for the load.
 */
export async function benchDnsScale(): Promise<string> {
  if (versionOf('dnsperf', '-h') === undefined) return 'DNS: dnsperf is not on PATH, left out.\n'
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-scale-'))
  try {
    const names = shuffled(services).map((n) => `svc${n}.service.consul A\n`)
    const all = join(directory, 'all')
    writeFileSync(all, names.join(''))
    const few = join(directory, 'few')
    writeFileSync(few, names.slice(0, cachedNames).join(''))
    const data = join(directory, 'data')
    await withAgent(data, [], (agent) => fill(agent.httpPort))
    const rows = [
      ...(await withAgent(data, [], (agent) => row('64 MB, the default', agent, all, few))),
      ...(await withAgent(data, [`-dns-cache-bytes=${tenthBytes}`], (agent) =>
        row('room for a tenth of the names', agent, all, few),
      )),
    ]
    return table(
      `${services} services of ${instances} instances, A, queried evenly, on one core, beside ${cachedNames} of them; ${rounds} rounds × ${seconds} s, median (quartiles)`,
      [
        'cache',
        'questions/s',
        'µs CPU each',
        `${cachedNames} names: µs CPU each`,
        'rate : theirs',
        'MB',
      ],
      rows,
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What an answer costs that is not in the cache, in this process and without sockets. */
export function benchDnsMiss(): Promise<string> {
  const cases: readonly MissCase[] = [
    { instances: 4, type: 'A', own: true },
    { instances: 10, type: 'A', own: true },
    { instances: 10, type: 'A', own: false },
    { instances: 10, type: 'SRV', own: true },
  ]
  const rows = cases.map((each) => [
    `${each.type}, ${each.instances}, ${each.own ? 'addresses of their own' : 'addresses of the nodes'}`,
    missMicros(10_000, each).toFixed(1),
  ])
  const title = 'An answer that is not in the cache, of 10,000 services'
  return Promise.resolve(table(title, ['question, instances', 'µs CPU'], rows))
}

/** All numbers below a power of ten, in an order that jumps about. */
function shuffled(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => (n * 7919) % count)
}

async function withAgent<T>(
  data: string,
  more: readonly string[],
  use: (agent: AgentProcess) => Promise<T>,
): Promise<T> {
  const args = ['-server', `-data-dir=${data}`, '-node=bench', '-bind=127.0.0.1', '-log-level=warn']
  const agent = await AgentProcess.start({
    args: [...args, '-dns-threads=1', ...more],
    wrapper: onCpu(serverCpu, []),
  })
  try {
    return await use(agent)
  } finally {
    await agent.stop()
  }
}

async function row(
  title: string,
  agent: AgentProcess,
  all: string,
  few: string,
): Promise<string[][]> {
  const pid = must(agent.child.pid, 'the agent runs')
  const ask = (questions: string): Promise<DnsFigures> =>
    dnsperfAgainst(() => [pid], { port: agent.dnsPort, questions, seconds, cpu: loadCpu })
  // Once through, so that nothing is queried for the first time.
  await dnsperf({ port: agent.dnsPort, questions: all, seconds: 60, flags: ['-n', '1'] })
  const [base, even]: [DnsFigures[], DnsFigures[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    base.push(await ask(few))
    even.push(await ask(all))
  }
  const rates = even.map(({ perSecond }) => perSecond)
  const cpu = (list: readonly DnsFigures[]): number[] => list.map(({ cpuMicros }) => cpuMicros)
  const ratios = rates.map((rate, at) => rate / must(base[at]).perSecond)
  const cells = [spread(rates, 0), spread(cpu(even), 2), spread(cpu(base), 2), spread(ratios, 2)]
  return [[title, ...cells, residentMb(pid).toFixed(0)]]
}

async function fill(port: number): Promise<void> {
  const total = services * instances
  const result = await httpLoad({
    port,
    connections: 64,
    seconds: 900,
    total,
    request: (n) => {
      const Address = `10.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
      const name = `svc${Math.floor(n / instances)}`
      const Service = { ID: `i${n}`, Service: name, Address, Port: 8080 }
      const body = { Node: `node-${n % nodes}`, Address: '10.0.0.1', Service }
      return { method: 'PUT', path: '/v1/catalog/register', body: JSON.stringify(body) }
    },
  })
  if (result.ok !== total) throw new Error(`${result.failed} registrations failed`)
}
