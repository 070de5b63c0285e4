import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { dnsperfAgainst } from './dnsperf.ts'
import type { DnsFigures } from './dnsperf.ts'
import { startConsul, versionOf } from './peers.ts'
import { median, table } from './report.ts'

const seconds = 2
const rounds = 3
/** Services of each size. */
const services = 20
const sizes = [1, 3, 10, 100]

const workloads: readonly { readonly name: string; readonly questions: string }[] = [
  ...sizes.map((size) => workload(`A, ${size}`, (n) => `${serviceName(size, n)} A`)),
  ...[3, 100].map((size) => workload(`SRV, ${size}`, (n) => `${serviceName(size, n)} SRV`)),
  workload('NXDOMAIN', (n) => `none${n}.service.consul A`),
]

interface Server {
  readonly name: string
  readonly pid: number
  readonly httpPort: number
  readonly dnsPort: number
  readonly stop: () => Promise<unknown>
}

/** Questions a second over UDP by dnsperf: svcd on each path, and Consul when it is there, in turns. */
export async function benchDns(): Promise<string> {
  if (versionOf('dnsperf', '-h') === undefined) return 'DNS: dnsperf is not on PATH, left out.\n'
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-dns-'))
  const servers: Server[] = []
  try {
    for (const path of ['mmsg', 'dgram']) servers.push(await startSvcd(path))
    if (versionOf('consul') !== undefined) servers.push(await startPeer())
    for (const server of servers) await fill(server.httpPort)
    const rows: string[][] = []
    for (const { name, questions } of workloads) {
      const file = join(directory, 'questions.txt')
      writeFileSync(file, questions)
      rows.push([name, ...(await compare(servers, file))])
    }
    return table(
      `DNS over UDP: type, instances of a service; ${services} names, dnsperf -c 8 -q 400, medians of ${rounds} × ${seconds} s`,
      columnsFor(servers),
      rows,
    )
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    rmSync(directory, { recursive: true, force: true })
  }
}

function columnsFor(servers: readonly Server[]): string[] {
  const columns = servers.flatMap(({ name }) => [`${name}, questions/s`, 'µs CPU each'])
  return ['questions', ...columns, ...(servers.length > 2 ? ['svcd mmsg : Consul'] : [])]
}

async function compare(servers: readonly Server[], questions: string): Promise<string[]> {
  const figures = servers.map((): DnsFigures[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [at, server] of servers.entries()) {
      const load = { port: server.dnsPort, questions, seconds }
      const result = await dnsperfAgainst(() => [server.pid], load)
      if (result.lost > 0) process.stderr.write(`${server.name}: ${result.lost} questions lost\n`)
      figures[at]?.push(result)
    }
  }
  const rates = figures.map((list) => median(list.map(({ perSecond }) => perSecond)))
  const cells = figures.flatMap((list, at) => [
    (rates[at] ?? 0).toFixed(0),
    median(list.map(({ cpuMicros }) => cpuMicros)).toFixed(1),
  ])
  const [ours, , theirs] = rates
  if (ours === undefined || theirs === undefined) return cells
  return [...cells, `${(ours / theirs).toFixed(1)} ×`]
}

async function startSvcd(path: string): Promise<Server> {
  const agent = await AgentProcess.start({ args: ['-dev', '-log-level=warn', `-dns-udp=${path}`] })
  const { httpPort, dnsPort } = agent
  const pid = must(agent.child.pid, 'the agent runs')
  return { name: `svcd ${path}`, pid, httpPort, dnsPort, stop: () => agent.stop() }
}

async function startPeer(): Promise<Server> {
  const consul = await startConsul()
  const { httpPort, dnsPort } = consul
  const pid = must(consul.child.pid, 'Consul runs')
  return { name: 'Consul', pid, httpPort, dnsPort, stop: () => consul.stop() }
}

function serviceName(size: number, n: number): string {
  return `web-${size}-${n}.service.consul`
}

function workload(name: string, line: (n: number) => string): { name: string; questions: string } {
  return { name, questions: Array.from({ length: services }, (_, n) => `${line(n)}\n`).join('') }
}

async function fill(httpPort: number): Promise<void> {
  for (const size of sizes) {
    for (let n = 0; n < services * size; n++) {
      const name = `web-${size}-${n % services}`
      const body = {
        ID: `${name}-${n}`,
        Name: name,
        Address: `10.9.${n >> 8}.${n & 255}`,
        Port: 8080,
      }
      const response = await fetch(`http://127.0.0.1:${httpPort}/v1/agent/service/register`, {
        method: 'PUT',
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`)
    }
  }
}
