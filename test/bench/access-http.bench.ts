import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { tokenOfPolicies } from './access-tokens.ts'
import { cellColumns, cellsOf, inLockStep } from './lock-step.ts'
import type { Contender, Slice } from './lock-step.ts'
import { table } from './report.ts'

const connections = 32
const seconds = 1
const rounds = Number(process.env['SVCD_ROUNDS'] ?? 6)
const policies = 20
const rulesOfEach = 20

interface Variant {
  readonly name: string
  readonly args: (directory: string) => readonly string[]
  readonly hasToken?: boolean
  /** Another build of the program. */
  readonly bin?: string
}

const off: Variant = { name: 'off', args: () => [] }
const accessControl: Variant = {
  name: `access control, a token with ${policies} policies`,
  args: () => ['-acl', '-acl-default-policy=deny'],
  hasToken: true,
}
const audit: Variant = {
  name: 'audit log',
  args: (directory) => [`-audit-log=${join(directory, 'audit.log')}`],
}

/** What access control and the audit log cost, beside an agent without both. */
export async function benchAccessHttp(): Promise<string> {
  const variants = [off, accessControl, audit]
  const found = new Measured(variants)
  await measure(variants, found)
  return found.table(`Access control and audit log beside an agent without them`)
}

/** Whether all of it costs nothing while it is off: beside an older build. */
export async function benchAccessBefore(): Promise<string> {
  const root = process.env['SVCD_BEFORE']
  if (root === undefined) {
    return 'An older build: set SVCD_BEFORE to the directory of one, left out.\n'
  }
  const variants = [{ ...off, name: 'older build', bin: join(root, 'bin/svcd.js') }, off]
  const found = new Measured(variants)
  // Two processes of one build differ by some percent, for example by the places of their memory.
  const pairs = Number(process.env['SVCD_PAIRS'] ?? 3)
  for (let pair = 0; pair < pairs; pair++) {
    await measure(pair % 2 === 0 ? variants : variants.toReversed(), found)
  }
  return found.table(`Everything off, beside an older build, ${pairs} pairs of agents`)
}

interface Request {
  readonly method: string
  readonly path: string
  readonly body: string
}

const workloads: Readonly<Record<string, (n: number) => Request>> = {
  'PUT agent/service/register': registration,
  'GET kv': () => ({ method: 'GET', path: '/v1/kv/app/bench', body: '' }),
  'GET health/service, 10 instances': () => ({
    method: 'GET',
    path: '/v1/health/service/ten',
    body: '',
  }),
}

/** Ids never repeat, so that each is a new instance; a hundred services share them. */
function registration(n: number): Request {
  return put('agent/service/register', {
    ID: `web-${n}`,
    Name: `web${n % 100}`,
    Address: '10.9.0.1',
    Port: 8080,
    Tags: ['v1'],
  })
}

function put(path: string, body: unknown): Request {
  return { method: 'PUT', path: `/v1/${path}`, body: JSON.stringify(body) }
}

/** The slices of each workload and variant. */
class Measured {
  readonly #variants: readonly Variant[]
  readonly #slices = new Map<string, Slice[]>()

  constructor(variants: readonly Variant[]) {
    this.#variants = variants
  }

  of(workload: string, variant: Variant): Slice[] {
    const key = `${workload} of ${variant.name}`
    const slices = this.#slices.get(key) ?? []
    this.#slices.set(key, slices)
    return slices
  }

  table(title: string): string {
    const first = must(this.#variants[0])
    const rows = Object.keys(workloads).flatMap((workload) =>
      this.#variants.map((variant) => [
        workload,
        variant.name,
        ...cellsOf(this.of(workload, variant), this.of(workload, first)),
      ]),
    )
    const how = `${connections} connections, ${rounds} × ${seconds} s in turn, median (quartiles)`
    return table(`${title}; ${how}`, ['request', 'agent', ...cellColumns], rows)
  }
}

/** Starts an agent of each variant and loads them in turn. */
async function measure(variants: readonly Variant[], found: Measured): Promise<void> {
  const agents: Running[] = []
  try {
    for (const variant of variants) agents.push(await start(variant))
    for (const [workload, request] of Object.entries(workloads)) {
      const contenders = agents.map((agent): Contender => contender(agent, request))
      const slices = await inLockStep(contenders, { rounds, seconds, connections })
      for (const [at, variant] of variants.entries()) {
        found.of(workload, variant).push(...must(slices[at]))
      }
    }
  } finally {
    await Promise.all(agents.map(({ stop }) => stop()))
  }
}

interface Running {
  readonly agent: AgentProcess
  readonly headers: readonly string[]
  readonly stop: () => Promise<void>
}

async function start({ args, hasToken = false, bin }: Variant): Promise<Running> {
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-access-'))
  const agent = await AgentProcess.start({
    args: [
      '-server',
      `-data-dir=${directory}`,
      '-node=bench',
      '-bind=127.0.0.1',
      '-log-level=warn',
      ...args(directory),
    ],
    bin,
  })
  const stop = async (): Promise<void> => {
    await agent.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const secret = hasToken ? await tokenOfPolicies(agent, policies, rulesOfEach) : undefined
    const headers = secret === undefined ? [] : [`X-Consul-Token: ${secret}`]
    await fill(agent, secret)
    return { agent, headers, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function fill({ httpUrl }: AgentProcess, secret: string | undefined): Promise<void> {
  const requests = [
    { method: 'PUT', path: '/v1/kv/app/bench', body: 'v'.repeat(256) },
    ...Array.from({ length: 10 }, (_, n) =>
      put('agent/service/register', { ID: `ten-${n}`, Name: 'ten', Port: 8000 + n }),
    ),
  ]
  for (const { path, ...request } of requests) {
    const headers = { 'x-consul-token': secret ?? '' }
    const response = await fetch(`${httpUrl}${path}`, { ...request, headers })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  }
}

/** Each agent gets its own numbers, so that none sees an instance again. */
function contender({ agent, headers }: Running, request: (n: number) => Request): Contender {
  let count = 0
  return {
    pid: must(agent.child.pid, 'the agent runs'),
    port: agent.httpPort,
    headers,
    request: () => request(count++),
  }
}
