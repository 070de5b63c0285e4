import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { blocksOf } from '../helpers/page-blocks.ts'
import { missing } from '../helpers/tools.ts'

// The documents' ways to reach svcd from a machine's own resolver and from other languages, as they
// print them, with the ports of the test.

const run = promisify(execFile)
const docs = fileURLToPath(new URL('../../docs/', import.meta.url))

/** The first block of the pages that holds `text`. */
function snippet(text: string): string {
  const blocks = readdirSync(docs)
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => blocksOf(readFileSync(join(docs, name), 'utf8')))
  const found = blocks.find((block) => block.text.includes(text))
  if (found === undefined) throw new Error(`no page has a block with ${text}`)
  return found.text
}

async function startWithWeb(t: Test): Promise<AgentProcess> {
  const agent = await AgentProcess.start({ args: ['-dev', '-log-level=warn'] })
  t.teardown(async () => agent.stop())
  for (const n of [1, 2]) {
    const service = { Name: 'web', ID: `web-${n}`, Address: `10.9.0.${n}`, Port: 8080 + n }
    await agent.put('agent/service/register', service)
  }
  return agent
}

/** dnsmasq with the documents' line, forwarding to the agent. Resolves with its port once it answers. */
async function startDnsmasq(t: Test, agent: AgentProcess): Promise<number> {
  const [port = 0] = await freePorts(1)
  const directory = t.testdir({
    'svcd.conf': snippet('server=/consul/').replace('8600', String(agent.dnsPort)),
  })
  const child = spawn(
    'dnsmasq',
    [
      '--no-daemon',
      '--conf-file=/dev/null',
      `--servers-file=${join(directory, 'svcd.conf')}`,
      '--no-resolv',
      '--no-hosts',
      '--listen-address=127.0.0.1',
      '--bind-interfaces',
      `--port=${port}`,
      `--user=${userInfo().username}`,
      '--pid-file=',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  t.teardown(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  })
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.includes('using nameserver')) resolve()
    })
    child.once('exit', () => reject(new Error(`dnsmasq ended: ${log}`)))
  })
  return port
}

t.test('dnsmasq forwards .consul to the agent', { skip: missing('dnsmasq', 'dig') }, async (t) => {
  const agent = await startWithWeb(t)
  const port = await startDnsmasq(t, agent)
  const dig = async (...words: readonly string[]): Promise<string> =>
    (await run('dig', ['@127.0.0.1', '-p', String(port), '+time=2', ...words])).stdout
  const short = async (...words: readonly string[]): Promise<readonly string[]> =>
    (await dig('+short', ...words)).trim().split('\n').toSorted()

  t.strictSame(await short('web.service.consul', 'A'), ['10.9.0.1', '10.9.0.2'])
  t.strictSame(await short('web.service.consul', 'SRV', '+tcp'), [
    '1 1 8081 0a090001.addr.dc1.consul.',
    '1 1 8082 0a090002.addr.dc1.consul.',
  ])
  t.strictSame(await short('0a090002.addr.dc1.consul', 'A'), ['10.9.0.2'], 'and the targets')
  t.match(await dig('none.service.consul'), /status: NXDOMAIN/)
  t.match(await dig('web.service.consul', 'AAAA'), /status: NOERROR[^]*ANSWER: 0/)
  // What it keeps has a TTL of 0: the next answer is the agent's again.
  await agent.put('agent/service/deregister/web-1')
  t.strictSame(await short('web.service.consul', 'A'), ['10.9.0.2'])
  t.match(await dig('example.org'), /status: REFUSED/, 'no other name goes to the agent')
})

const noDnspython = async (): Promise<string | false> => {
  if (missing('python3')) return 'needs python3'
  return run('python3', ['-c', 'import dns.resolver']).then(
    () => false as const,
    () => 'needs the Python package dnspython',
  )
}

t.test("the tutorial's Python finds every instance", { skip: await noDnspython() }, async (t) => {
  const agent = await startWithWeb(t)
  const script = snippet('import dns.resolver').replace('8600', String(agent.dnsPort))
  const { stdout } = await run('python3', ['-c', script])
  t.strictSame(stdout.trim().split('\n').toSorted(), ['10.9.0.1 8081', '10.9.0.2 8082'])
})
