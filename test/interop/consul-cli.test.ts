import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// Consul's own command line against an agent, as its operators use it.

const skip = missing('consul', 'tar')

interface Ran {
  readonly code: number
  readonly out: string
}

/** Standard output and error together, as a terminal shows them. */
async function consul(agent: AgentProcess, ...words: readonly string[]): Promise<Ran> {
  const env = { ...process.env, CONSUL_HTTP_ADDR: agent.httpUrl }
  try {
    const { stdout, stderr } = await promisify(execFile)('consul', words, { env })
    return { code: 0, out: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout: string; stderr: string }
    return { code: code ?? -1, out: stdout + stderr }
  }
}

async function startAgent(t: Test): Promise<AgentProcess> {
  const agent = await AgentProcess.start({ args: ['-dev', '-node=n1'] })
  t.teardown(() => agent.stop())
  return agent
}

/** `consul monitor`, or `svcd monitor`, while it runs. */
class Follower {
  out = ''
  readonly exited: Promise<number | null>
  readonly #interrupt: () => void

  constructor(agent: AgentProcess, ...words: readonly string[]) {
    const env = { ...process.env, CONSUL_HTTP_ADDR: agent.httpUrl }
    const child = spawn('consul', ['monitor', ...words], { env })
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.out += chunk.toString()))
    }
    this.#interrupt = () => child.kill('SIGINT')
    this.exited = once(child, 'close').then(([code]) => code as number | null)
  }

  interrupt(): Promise<number | null> {
    this.#interrupt()
    return this.exited
  }
}

t.test('consul monitor follows the log of an agent', { skip }, async (t) => {
  const agent = await startAgent(t)
  const debug = new Follower(agent, '-log-level=debug')
  const warn = new Follower(agent, '-log-level=warn')
  // Until it shows: the command says nothing when it is connected. A new instance each time: the agent warns only
  // about a registration that changes something.
  let count = 0
  await until('a line of each', 20_000, async () => {
    await agent.put('agent/service/register', { Name: 'my.service', ID: `my-${++count}`, Port: 1 })
    return debug.out.includes('[DEBUG] HTTP request finished') && warn.out.includes('[WARN]')
  })
  t.notMatch(warn.out, /\[(?:INFO|DEBUG)/)
  t.equal(await debug.interrupt(), 0, 'Ctrl-C')
  t.equal(await agent.stop(), 0)
  t.equal(await warn.exited, 1)
  t.match(warn.out, /Remote side ended the monitor/)
  t.match(
    (await consul(await startAgent(t), 'monitor', '-log-level=loud')).out,
    /400 .*log level: loud/,
  )
})

t.test('consul operator autopilot get-config and set-config', { skip }, async (t) => {
  const agent = await startAgent(t)
  const before = await consul(agent, 'operator', 'autopilot', 'get-config')
  t.equal(before.code, 0, before.out)
  t.match(before.out, /^CleanupDeadServers = true\nLastContactThreshold = 3s\n/)
  const set = (...words: readonly string[]) =>
    consul(agent, 'operator', 'autopilot', 'set-config', ...words)
  t.strictSame(await set('-last-contact-threshold=3s', '-cleanup-dead-servers=true'), {
    code: 0,
    out: 'Configuration updated!\n',
  })
  const refused = await set('-max-trailing-logs=250')
  t.equal(refused.code, 1)
  t.match(refused.out, /MaxTrailingLogs is 10000: a server keeps this many log entries/)
  t.strictSame(await consul(agent, 'operator', 'autopilot', 'get-config'), before)
  t.equal((await set('-cleanup-dead-servers=false', '-min-quorum=3')).code, 0)
  const after = await consul(agent, 'operator', 'autopilot', 'get-config')
  t.match(after.out, /^CleanupDeadServers = false\n/)
})

t.test('consul members -wan and operator raft list-peers', { skip }, async (t) => {
  const agent = await startAgent(t)
  t.match(
    (await consul(agent, 'members', '-wan')).out,
    /^n1\.dc1 +127\.0\.0\.1:\d+ +alive +server/m,
  )
  t.match((await consul(agent, 'operator', 'raft', 'list-peers')).out, /^n1 .* leader +true/m)
})

t.test('consul debug writes a whole archive', { skip }, async (t) => {
  const agent = await startAgent(t)
  const output = join(t.testdir(), 'bundle')
  // The shortest that it takes.
  const words = ['-duration=10s', '-interval=5s', `-output=${output}`]
  const { code, out } = await consul(agent, 'debug', ...words)
  t.equal(code, 0, out)
  t.match(out, /Unable to capture pprof\. Set enable_debug/, 'as with an agent of Consul')
  t.match(out, /Saved debug archive: /)
  const { stdout } = await promisify(execFile)('tar', ['-xzOf', `${output}.tar.gz`])
  const { stdout: names } = await promisify(execFile)('tar', ['-tzf', `${output}.tar.gz`])
  for (const name of ['agent.json', 'host.json', 'cluster.json', 'index.json']) {
    t.match(names, new RegExp(`/${name.replace('.', '\\.')}$`, 'm'))
  }
  t.match(names, /\/\d+\/metrics\.json$/m)
  t.match(names, /\/\d+\/consul\.log$/m)
  t.match(stdout, /HTTP request finished/, 'the log is in it')
  t.match(stdout, /"MemTotal"|"total"/, 'and the host')
})
