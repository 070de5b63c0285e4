import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AgentProcess, svcdBin } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// The program as a process: its signals, its pipes, its configuration from all sources.

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function sh(command: string, env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: 20_000 }
    execFile('sh', ['-c', command], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err })
    })
  })
}

const svcd = `"${process.execPath}" "${svcdBin}"`

t.test('SIGHUP is survived, and one Ctrl-C that arrives twice is one clean stop', async (t) => {
  const agent = await AgentProcess.start()
  await agent.signal('SIGHUP', 'reloaded definition and zone files')
  t.ok((await agent.get<string>('status/leader')).length > 0, 'it still answers')
  // A request in flight keeps it from having stopped before the second signal comes.
  const request = connect(agent.httpPort, '127.0.0.1')
  request.on('error', () => {})
  request.write(
    'PUT /v1/agent/service/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n',
  )
  request.write('Expect: 100-continue\r\n\r\n')
  await once(request, 'data')
  // As npm and the terminal deliver it.
  agent.child.kill('SIGINT')
  await agent.until('stopping')
  agent.child.kill('SIGINT')
  request.end('{"Name":"web"}')
  t.equal(await agent.exited, 0)
})

t.test('-log-json makes every line of the output JSON', async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-log-json'] })
  t.equal(await agent.stop(), 0)
  const lines = agent.output.split('\n').filter((line) => line !== '')
  for (const line of lines) t.doesNotThrow(() => JSON.parse(line) as unknown, line)
  const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
  t.ok(messages.includes('svcd agent running!'))
})

t.test('files, variables and flags make one configuration', async (t) => {
  const directory = t.testdir({
    'a.json': JSON.stringify({
      server: true,
      data_dir: 'overruled',
      node_name: 'from-file',
      bind_addr: '127.0.0.1',
      domain: 'example',
      datacenter: 'overruled',
    }),
  })
  const agent = await AgentProcess.start({
    args: ['-config-file', join(directory, 'a.json'), '-data-dir', join(directory, 'data')],
    env: { SVCD_DATACENTER: 'dc7' },
  })
  t.teardown(async () => agent.stop())
  t.match(await agent.get('agent/self'), { Config: { NodeName: 'from-file', Datacenter: 'dc7' } })
  const env = { SVCD_DNS_ADDR: `127.0.0.1:${agent.dnsPort}`, SVCD_DOMAIN: 'example' }
  const { code, out } = await sh(`${svcd} resolve from-file.node.dc7`, env)
  t.equal(code, 0)
  t.match(out, /^from-file\.node\.dc7\.example\. +A +0 +127\.0\.0\.1$/m)
  t.match(out, /^NOERROR from /m)
})

t.test('a pipe that closes early is no error', async (t) => {
  const agent = await AgentProcess.start()
  t.teardown(async () => agent.stop())
  const command = `{ ${svcd} services -http-addr ${agent.httpUrl}; echo $? >&2; } | true`
  t.match(await sh(command), { code: 0, err: /^0\n$/ })
})

t.test('exit codes tell a refusal from a silence', async (t) => {
  const agent = await AgentProcess.start()
  const env = { SVCD_HTTP_ADDR: agent.httpUrl, SVCD_DNS_ADDR: `127.0.0.1:${agent.dnsPort}` }
  t.equal((await sh(`${svcd} services`, env)).code, 0)
  t.equal((await sh(`${svcd} services nope`, env)).code, 1)
  t.match(await sh(`${svcd} resolve nope`, env), { code: 1, out: '', err: /NXDOMAIN from 127/ })
  const json = await sh(`${svcd} resolve nope --type A --json`, env)
  t.equal(json.code, 1)
  t.match(JSON.parse(json.out), {
    name: 'nope.service.consul',
    replies: [{ rcode: 'NXDOMAIN', authority: [{ type: 'SOA' }] }],
  })
  await agent.stop()
  t.equal((await sh(`${svcd} services`, env)).code, 2)
  t.equal((await sh(`${svcd} resolve web`, env)).code, 2)
})

/** A command that runs on, with what it has printed so far. */
function running(t: Test, command: string, env: NodeJS.ProcessEnv) {
  const child = spawn('sh', ['-c', `exec ${command}`], { env: { ...process.env, ...env } })
  const printed = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (printed.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (printed.err += chunk.toString()))
  const ended = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>
  t.teardown(() => child.kill('SIGKILL'))
  const holds = (what: 'out' | 'err', text: string): Promise<boolean> =>
    until(`${command}: ${text}`, 15_000, () => printed[what].includes(text))
  return { child, printed, ended, holds }
}

t.test(
  'curl -N and svcd watch see each change once, also over a restart of the agent',
  async (t) => {
    const dataDir = t.testdir()
    const args = ['-server', '-bootstrap-expect', '1', '-data-dir', dataDir, '-node', 'n1']
    const bind = ['-bind', '127.0.0.1']
    const first = await AgentProcess.start({ args: [...args, ...bind] })
    const env = { SVCD_HTTP_ADDR: first.httpUrl }
    const watch = running(t, `${svcd} watch --service web`, env)
    const curl = missing('curl')
      ? undefined
      : running(t, `curl -sN ${first.httpUrl}/v1/watch/service/web`, env)
    await curl?.holds('out', 'data: []\n\n')
    await sh(`${svcd} register web --port 81`, env)
    await watch.holds('out', '+ web  n1  127.0.0.1:81  passing\n')
    await curl?.holds('out', '"Port":81')

    t.equal(await first.stop(), 0)
    await watch.holds(
      'err',
      'svcd: Lost the connection to the agent; svcd keeps trying to reconnect.\n',
    )
    if (curl !== undefined) t.equal((await curl.ended)[0], 0, 'curl sees a whole answer end')
    const ports = ['-http-port', String(first.httpPort)]
    const second = await AgentProcess.start({ args: [...args, ...bind, ...ports] })
    t.teardown(async () => second.stop())
    await watch.holds('err', 'svcd: Reconnected.\n')
    await sh(`${svcd} register web --port 82`, env)
    await watch.holds('out', '~ web  n1  127.0.0.1:82')
    watch.child.kill('SIGINT')
    t.strictSame(await watch.ended, [0, null])
    const lines = watch.printed.out.replaceAll(/^\S+Z /gm, '')
    t.equal(
      lines,
      '+ web  n1  127.0.0.1:81  passing\n~ web  n1  127.0.0.1:82  passing  (address was 127.0.0.1:81)\n',
    )
    t.equal((await sh(`${svcd} watch --services`, { SVCD_HTTP_ADDR: '127.9.9.9:1' })).code, 2)
  },
)

t.test('debug shows what an agent is, does and has said', async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n7'] })
  t.teardown(async () => agent.stop())
  const path = join(t.testdir(), 'b.tar.gz')
  const env = { SVCD_HTTP_ADDR: agent.httpUrl }
  const ran = await sh(`${svcd} debug -duration 200ms -interval 100ms -output "${path}"`, env)
  t.equal(ran.code, 0)
  const file = async (name: string): Promise<string> =>
    (await sh(`tar -xzOf "${path}" svcd-debug/${name}`)).out
  t.match(JSON.parse(await file('config.json')), { nodeName: 'n7', ports: { http: 0 } })
  t.match(JSON.parse(await file('raft.json')), { role: 'leader', servers: [{ isVoter: true }] })
  t.match(await file('log.txt'), /\[INFO\] /)
  const { threads, memory } = JSON.parse(await file('resources.json')) as {
    threads: readonly { name: string }[]
    memory: { rss: number }
  }
  t.ok(process.platform !== 'linux' || threads.length > 5)
  t.ok(memory.rss > 1e7)
})

t.test('reload has the agent read its files again', async (t) => {
  const directory = t.testdir({ 'web.json': '{"service": {"name": "web", "port": 80}}' })
  const agent = await AgentProcess.start({ args: ['-dev', '-config-dir', directory] })
  t.teardown(async () => agent.stop())
  const env = { SVCD_HTTP_ADDR: agent.httpUrl }
  writeFileSync(join(directory, 'api.json'), '{"service": {"name": "api", "port": 81}}')
  t.match(await sh(`${svcd} reload`, env), { code: 0, out: 'Configuration reload triggered\n' })
  await until('api is registered', 10_000, async () =>
    (await sh(`${svcd} services`, env)).out.includes('api'),
  )
})
