import { Resolver } from 'node:dns/promises'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { tokenOfRules } from './access-tokens.ts'
import { dnsperfAgainst } from './dnsperf.ts'
import type { DnsFigures } from './dnsperf.ts'
import { versionOf } from './peers.ts'
import { spread, table } from './report.ts'

const names = 20
const instances = 3
const rounds = Number(process.env['SVCD_ROUNDS'] ?? 9)
const seconds = 2
/** Fills the cache of the DNS thread again, which a reload empties. */
const warmSeconds = 1
/** Where the load runs; the server has the other core. */
const loadCpu = 1

/**
 * What a cached answer costs while the token of DNS decides what DNS shows, beside one while access control is off. It
 * is one agent, which is reloaded for each slice: two would differ by the places of their memory.
 */
export async function benchAccessDns(): Promise<string> {
  if (versionOf('dnsperf', '-h') === undefined) return 'DNS: dnsperf is not on PATH, left out.\n'
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-access-'))
  const [file, questions] = [join(directory, 'svcd.json'), join(directory, 'questions')]
  const lines = Array.from({ length: names }, (_, n) => `s${n}.service.consul A\n`)
  writeFileSync(questions, lines.join(''))
  configure(file)
  const wrapper = ['taskset', '-c', '0']
  const agent = await AgentProcess.start({ args: ['-dev', `-config-file=${file}`], wrapper })
  try {
    await fill(agent)
    configure(file, 'not-known-yet')
    await reload(agent)
    const rules = 'service_prefix "" { policy = "read" }\nnode_prefix "" { policy = "read" }'
    const token = await tokenOfRules(agent, rules)
    const states = [
      { name: 'access control off', token: undefined, figures: [] as DnsFigures[] },
      { name: 'a DNS token', token, figures: [] as DnsFigures[] },
    ]
    configure(file, token)
    await reload(agent)
    await mustAnswer(agent)
    const pid = must(agent.child.pid, 'the agent runs')
    for (let round = 0; round < rounds; round++) {
      for (const { token: of, figures } of round % 2 === 0 ? states : states.toReversed()) {
        configure(file, of)
        await reload(agent)
        const load = { port: agent.dnsPort, questions, cpu: loadCpu }
        await dnsperfAgainst(() => [pid], { ...load, seconds: warmSeconds })
        figures.push(await dnsperfAgainst(() => [pid], { ...load, seconds }))
      }
    }
    return shown(states)
  } finally {
    await agent.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

interface State {
  readonly name: string
  readonly figures: readonly DnsFigures[]
}

function shown(states: readonly State[]): string {
  const [off] = states
  return table(
    `Cached A answers with and without access control (${names} names of ${instances} instances), dnsperf, one core each, ${rounds} × ${seconds} s in turn, median (quartiles)`,
    ['state', 'questions/s', 'µs CPU each', 'CPU : off'],
    states.map(({ name, figures }) => [
      name,
      spread(
        figures.map(({ perSecond }) => perSecond),
        0,
      ),
      spread(
        figures.map(({ cpuMicros }) => cpuMicros),
        2,
      ),
      spread(
        figures.map(({ cpuMicros }, at) => cpuMicros / must(off?.figures[at]).cpuMicros),
        3,
      ),
    ]),
  )
}

/** Writes the configuration; without a token, access control is off. */
function configure(file: string, dns?: string): void {
  const acl = {
    enabled: dns !== undefined,
    default_policy: 'deny',
    tokens: dns === undefined ? {} : { dns },
  }
  writeFileSync(file, JSON.stringify({ acl }))
}

async function reload(agent: AgentProcess): Promise<void> {
  await agent.signal('SIGHUP', 'reloaded definition and zone files: ')
}

/** So that no refusals are measured. */
async function mustAnswer({ dnsPort }: AgentProcess): Promise<void> {
  const resolver = new Resolver()
  resolver.setServers([`127.0.0.1:${dnsPort}`])
  const found = await resolver.resolve4('s0.service.consul')
  if (found.length !== instances) throw new Error(`${found.length} instances are seen`)
}

async function fill(agent: AgentProcess): Promise<void> {
  for (let n = 0; n < names; n++) {
    for (let i = 0; i < instances; i++) {
      const service = { ID: `s${n}-${i}`, Name: `s${n}`, Address: `10.9.${n}.${i + 1}`, Port: 8080 }
      const response = await agent.put('agent/service/register', service)
      if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`)
    }
  }
}
