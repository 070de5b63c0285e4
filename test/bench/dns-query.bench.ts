import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { dnsperfAgainst } from './dnsperf.ts'
import type { DnsFigures } from './dnsperf.ts'
import { versionOf } from './peers.ts'
import { spread, table } from './report.ts'

const names = 20
const instances = 3
const rounds = Number(process.env['SVCD_ROUNDS'] ?? 7)
const seconds = 3
/** Where the load runs; the server has the other core. */
const loadCpu = 1

/** What a cached answer of a prepared query costs, beside one of the service that it asks for. */
export async function benchDnsQuery(): Promise<string> {
  if (versionOf('dnsperf', '-h') === undefined)
    return 'Queries: dnsperf is not on PATH, left out.\n'
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-query-'))
  const wrapper = ['taskset', '-c', '0']
  const agent = await AgentProcess.start({ args: ['-dev', '-log-level=warn'], wrapper })
  try {
    await fill(agent)
    const kinds = ['service', 'query'].map((kind) => {
      const questions = join(directory, kind)
      const lines = Array.from({ length: names }, (_, n) => `s${n}.${kind}.consul A\n`)
      writeFileSync(questions, lines.join(''))
      return { kind, questions, figures: [] as DnsFigures[] }
    })
    const pid = must(agent.child.pid, 'the agent runs')
    for (let round = 0; round <= rounds; round++) {
      for (const { questions, figures } of round % 2 === 0 ? kinds : kinds.toReversed()) {
        const load = { port: agent.dnsPort, questions, seconds, cpu: loadCpu }
        const found = await dnsperfAgainst(() => [pid], load)
        // The first round fills the caches.
        if (round > 0) figures.push(found)
      }
    }
    const [plain] = kinds
    return table(
      `A questions for prepared queries and for their services (${names} names of ${instances} instances), dnsperf, one core each, ${rounds} × ${seconds} s in turn, median (quartiles)`,
      ['name', 'questions/s', 'µs CPU each', 'CPU against the service'],
      kinds.map(({ kind, figures }) => [
        `NAME.${kind}.consul`,
        spread(
          figures.map(({ perSecond }) => perSecond),
          0,
        ),
        spread(
          figures.map(({ cpuMicros }) => cpuMicros),
          2,
        ),
        spread(
          figures.map(({ cpuMicros }, at) => cpuMicros / must(plain?.figures[at]).cpuMicros),
          3,
        ),
      ]),
    )
  } finally {
    await agent.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function fill(agent: AgentProcess): Promise<void> {
  for (let n = 0; n < names; n++) {
    for (let i = 0; i < instances; i++) {
      const service = { ID: `s${n}-${i}`, Name: `s${n}`, Address: `10.9.${n}.${i + 1}`, Port: 8080 }
      await agent.put('agent/service/register', service)
    }
    const query = { Name: `s${n}`, Service: { Service: `s${n}`, OnlyPassing: false } }
    const response = await fetch(`${agent.httpUrl}/v1/query`, {
      method: 'POST',
      body: JSON.stringify(query),
    })
    if (!response.ok) throw new Error(`query: ${response.status} ${await response.text()}`)
  }
}
