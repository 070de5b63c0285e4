import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { dnsperf } from './dnsperf.ts'
import { httpLoad } from './http-load.ts'
import { versionOf } from './peers.ts'
import { table } from './report.ts'

// Whether the answers about services stay cached while keys and values change.

const services = 10_000
const seconds = 10
const questionsPerSecond = 20_000
const keysPerSecond = 1000
const catalogPerSecond = 10
const lists = ['/v1/catalog/services', '/v1/health/state/passing', '/v1/health/service/s7']

type Counters = Readonly<Record<'dnsHits' | 'dnsMisses' | 'httpHits' | 'httpMisses', number>>

/** Hit rates of DNS answers and of lists: idle, beside KV writes, and beside registrations. */
export async function benchKvBeside(): Promise<string> {
  if (versionOf('dnsperf', '-h') === undefined) return 'Hit rates: dnsperf is not on PATH.\n'
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-beside-'))
  const questions = join(directory, 'questions')
  const lines = Array.from({ length: services }, (_, n) => `s${n}.service.consul A\n`)
  writeFileSync(questions, lines.join(''))
  const agent = await AgentProcess.start({ args: ['-dev', '-log-level=warn'] })
  try {
    await fill(agent.httpPort)
    // Twice: the cache keeps names that are asked again.
    await reads(agent, questions, seconds / 2)
    const rows = [
      await measure(agent, questions, 'nothing changes', noWrites),
      await measure(agent, questions, `${keysPerSecond} KV writes/s`, putKeys),
      await measure(agent, questions, `${catalogPerSecond} registrations/s`, register),
    ]
    return table(
      `${services.toLocaleString('en')} cached services: A questions (${questionsPerSecond}/s, uniform) and ${lists.length} lists while something else changes, ${seconds} s each`,
      ['meanwhile', 'written', 'DNS answers from the cache', 'lists from the cache'],
      rows,
    )
  } finally {
    await agent.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

type Writes = (agent: AgentProcess) => Promise<number>

const noWrites: Writes = () => Promise.resolve(0)

const putKeys: Writes = async ({ httpPort: port }) => {
  const request = (n: number) => ({
    method: 'PUT',
    path: `/v1/kv/bench/${n % 5000}`,
    body: `${n}`.padEnd(256, 'v'),
  })
  const load = { port, connections: 16, seconds, perSecond: keysPerSecond, request }
  return (await httpLoad(load)).ok
}

const register: Writes = async ({ httpPort: port }) => {
  const request = (n: number) => registration(n % services, 9000 + n)
  const load = { port, connections: 1, seconds, perSecond: catalogPerSecond, request }
  return (await httpLoad(load)).ok
}

async function measure(
  agent: AgentProcess,
  questions: string,
  name: string,
  write: Writes,
): Promise<string[]> {
  const before = await counters(agent)
  const [written] = await Promise.all([write(agent), reads(agent, questions, seconds)])
  const after = await counters(agent)
  const rate = (hits: keyof Counters, misses: keyof Counters): string => {
    const [hit, miss] = [after[hits] - before[hits], after[misses] - before[misses]]
    return `${((100 * hit) / (hit + miss)).toFixed(2)} % of ${hit + miss}`
  }
  return [name, String(written), rate('dnsHits', 'dnsMisses'), rate('httpHits', 'httpMisses')]
}

async function reads(agent: AgentProcess, questions: string, forSeconds: number): Promise<void> {
  const { httpPort, dnsPort } = agent
  const request = (n: number) => ({
    method: 'GET',
    path: `${must(lists[n % lists.length])}?stale`,
    body: '',
  })
  await Promise.all([
    dnsperf({ port: dnsPort, questions, seconds: forSeconds, perSecond: questionsPerSecond }),
    httpLoad({ port: httpPort, connections: 2, seconds: forSeconds, perSecond: 30, request }),
  ])
}

async function counters({ httpUrl }: AgentProcess): Promise<Counters> {
  const text = await (await fetch(`${httpUrl}/metrics`)).text()
  const sum = (name: string): number =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0)
  return {
    dnsHits: sum('svcd_dns_cache_hits_total'),
    dnsMisses: sum('svcd_dns_cache_misses_total'),
    httpHits: sum('svcd_http_cache_hits_total'),
    httpMisses: sum('svcd_http_cache_misses_total'),
  }
}

function registration(n: number, port = 80) {
  return {
    method: 'PUT',
    path: '/v1/catalog/register',
    body: JSON.stringify({
      Node: `n${n % 100}`,
      Address: '10.9.0.1',
      Service: { ID: `s${n}`, Service: `s${n}`, Port: port },
      Check: { CheckID: `c${n}`, Name: 'c', ServiceID: `s${n}`, Status: 'passing' },
    }),
  }
}

async function fill(port: number): Promise<void> {
  const request = (n: number) => registration(n)
  const { failed } = await httpLoad({
    port,
    connections: 64,
    seconds: 60,
    total: services,
    request,
  })
  if (failed > 0) throw new Error(`${failed} registrations failed`)
}
