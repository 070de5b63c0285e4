import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer as createHttpServer, request } from 'node:http'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { Sqlite } from '../helpers/sqlite.ts'
import t from 'tap'
import type { Test } from 'tap'
import { AgentProcess, svcdBin } from '../helpers/agent-process.ts'

// The agent as a process: how it starts, what it says when it cannot, how it stops, what it keeps.

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs `svcd agent` with flags that keep it from starting. */
function runAgent(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [svcdBin, 'agent', '-server-port=0', ...args])
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, output }))
  })
}

const serverArgs = (directory: string): string[] => [
  '-server',
  `-data-dir=${directory}`,
  '-node=n1',
  '-bind=127.0.0.1',
]

t.test(
  'what was registered is there after a stop and a start, under the same node id',
  async (t) => {
    const args = serverArgs(t.testdir())
    const first = await AgentProcess.start({ args })
    await first.put('agent/service/register', {
      Name: 'web',
      ID: 'web-1',
      Port: 80,
      Check: { TTL: '1h' },
    })
    await first.put('agent/check/pass/service:web-1')
    const nodes = await first.get<unknown>('catalog/nodes')
    t.equal(await first.stop(), 0)
    const second = await AgentProcess.start({ args })
    t.teardown(() => second.stop())
    t.strictSame(await second.get<unknown>('catalog/nodes'), nodes)
    const health =
      await second.get<{ Checks: { CheckID: string; Status: string }[] }[]>('health/service/web')
    t.strictSame(
      health[0]?.Checks.map((check) => [check.CheckID, check.Status]),
      [
        ['serfHealth', 'passing'],
        ['service:web-1', 'passing'],
      ],
    )
  },
)

t.test('SIGTERM lets what is in flight finish, closes the files and exits with 0', async (t) => {
  const directory = t.testdir()
  const agent = await AgentProcess.start({ args: serverArgs(directory) })
  const body = JSON.stringify({ Name: 'web', ID: 'late' })
  const inFlight = request(`${agent.httpUrl}/v1/agent/service/register`, {
    method: 'PUT',
    headers: { 'content-length': body.length },
  })
  inFlight.write(body.slice(0, 5))
  await new Promise<void>((resolve) => {
    inFlight.on('socket', (socket) => socket.once('connect', () => resolve()))
  })
  // Another whole exchange: the agent has certainly read the first part of the one before.
  await agent.get('status/leader')
  const answered = new Promise<number | undefined>((resolve) => {
    inFlight.on('response', (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    inFlight.on('error', () => resolve(undefined))
  })
  agent.child.kill('SIGTERM')
  inFlight.end(body.slice(5))
  t.equal(await answered, 200, 'a registration half sent is finished and answered')
  t.equal(await agent.exited, 0)
  t.strictSame(
    readdirSync(directory).filter((name) => /-(wal|shm)$/.test(name)),
    [],
    'the WALs are merged into their files',
  )
  const db = new Sqlite(join(directory, 'state.db'), { readonly: true })
  t.ok(db.prepare("SELECT 1 FROM services WHERE id = 'late'").get(), 'and kept')
  db.close()
})

t.test(
  'a credential in a check is sent with every probe, also after a restart, and shown to nobody',
  async (t) => {
    const seen: unknown[] = []
    const probed = createHttpServer((request, response) => {
      seen.push(request.headers['x-token'])
      response.end()
    })
    const port = await listening(t, probed)
    const args = serverArgs(t.testdir())
    const first = await AgentProcess.start({ args })
    const Check = {
      HTTP: `http://127.0.0.1:${port}/`,
      Interval: '1s',
      Header: { 'x-token': ['hush'] },
    }
    t.equal((await first.put('agent/service/register', { Name: 'web', Check })).status, 200)
    await once(probed, 'request')
    await first.stop()
    const second = await AgentProcess.start({ args })
    t.teardown(() => second.stop())
    await once(probed, 'request')
    t.strictSame([...new Set(seen)], ['hush'])
    for (const path of [
      'health/checks/web',
      'health/service/web',
      'agent/checks',
      'health/state/any',
    ]) {
      const text = JSON.stringify(await second.get<unknown>(path))
      t.match(text, `http://127.0.0.1:${port}/`, `${path} shows the check`)
      t.notMatch(text, 'hush', `${path} does not show the token`)
    }
  },
)

t.test('a dev agent removes its temporary directory when it stops', async (t) => {
  // A temporary directory of its own: other tests start dev agents at the same time.
  const directory = t.testdir()
  const ours = (): string[] => readdirSync(directory).filter((name) => name.startsWith('svcd-dev-'))
  const agent = await AgentProcess.start({ args: ['-dev'], env: { TMPDIR: directory } })
  t.equal(ours().length, 1)
  t.equal(await agent.stop(), 0)
  t.strictSame(ours(), [])
})

t.test(
  'zone files are served, read again on SIGHUP, and stay as they were when one is bad',
  async (t) => {
    const zone = (address: string): string => `$ORIGIN example.org.
@ 60 IN SOA ns hostmaster 1 3600 600 86400 60
@ 60 IN NS ns
ns 60 IN A 192.0.2.53
www 60 IN A ${address}
`
    const directory = t.testdir({ 'example.zone': zone('192.0.2.1') })
    const file = join(directory, 'example.zone')
    const agent = await AgentProcess.start({ args: ['-dev', `-zones=${directory}`] })
    t.teardown(() => agent.stop())
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${agent.dnsPort}`])
    t.strictSame(await resolver.resolve4('www.example.org'), ['192.0.2.1'])
    writeFileSync(file, zone('192.0.2.2'))
    await agent.signal('SIGHUP', 'reloaded definition and zone files')
    t.strictSame(await resolver.resolve4('www.example.org'), ['192.0.2.2'])
    writeFileSync(file, zone('no address'))
    await agent.signal('SIGHUP', 'keeping the previous zone files')
    t.match(agent.output, /example\.zone:5: /, 'it names the file and the line')
    writeFileSync(file, `${zone('192.0.2.3')}$INCLUDE hosts.inc\n`)
    await agent.signal('SIGHUP', 'hosts.inc')
    t.strictSame(await resolver.resolve4('www.example.org'), ['192.0.2.2'])
    writeFileSync(join(directory, 'hosts.inc'), 'mail MX 10 www2\n')
    await agent.signal('SIGHUP', 'reloaded definition and zone files')
    t.match(agent.output, /hosts\.inc:1: the MX host www2\.example\.org\. has no address/)
    t.strictSame(await resolver.resolve4('www.example.org'), ['192.0.2.3'])
    writeFileSync(file, zone('no address'))
    const { code, output } = await runAgent(
      '-dev',
      '-http-port=0',
      '-dns-port=0',
      `-zones=${directory}`,
    )
    t.equal(code, 1, 'with a bad file it does not start')
    t.match(output, /^svcd: Invalid zone file: .*example\.zone:5: /m)
    writeFileSync(file, zone('192.0.2.3'))
    writeFileSync(join(directory, 'consul.zone'), '@ 60 SOA a. b. 1 2 3 4 5\n@ 60 NS a.\n')
    await agent.signal('SIGHUP', 'keeping the previous zone files')
    t.match(agent.output, /consul\.zone:1: the registry itself answers for consul\./)
  },
)

t.test('a second start by mistake leaves the PID file of the first one alone', async (t) => {
  const root = t.testdir()
  const file = join(root, 'svcd.pid')
  const agent = await AgentProcess.start({
    args: [...serverArgs(join(root, 'data')), `-pid-file=${file}`],
  })
  t.teardown(() => agent.stop())
  const pid = `${agent.child.pid}\n`
  t.equal(readFileSync(file, 'utf8'), pid)
  const again = await runAgent(...serverArgs(join(root, 'data')), `-pid-file=${file}`)
  t.equal(again.code, 1)
  t.equal(readFileSync(file, 'utf8'), pid)
})

t.test('malformed packets and half-sent frames do not end it', async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev'] })
  t.teardown(() => agent.stop())
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  const looping = Buffer.from('000100000001000000000000c00cc00c00010001', 'hex')
  for (const packet of [Buffer.alloc(0), Buffer.alloc(11), looping, Buffer.alloc(4096, 0xff)]) {
    socket.send(packet, agent.dnsPort, '127.0.0.1')
  }
  const half = connect(agent.dnsPort, '127.0.0.1')
  half.on('error', () => {})
  half.end(Buffer.from([0x10, 0x00, 0x01]))
  const answer = new Promise<Buffer>((resolve) => {
    socket.on('message', (message) => {
      if (message.readUInt16BE(0) === 0x7777) resolve(message)
    })
  })
  socket.send(
    Buffer.from('77770000000100000000000006636f6e73756c0000060001', 'hex'),
    agent.dnsPort,
    '127.0.0.1',
  )
  t.equal((await answer).readUInt16BE(6), 1, 'the SOA of the domain is answered after all that')
})

/** Holds a TCP port for the length of a test. */
async function listening(t: Test, server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

t.test('what keeps it from starting is said in one line that names the next step', async (t) => {
  const directory = t.testdir({ file: '', newer: {}, ok: {} })
  const busy = await listening(t, createServer())
  const newer = new Sqlite(join(directory, 'newer', 'state.db'))
  newer.pragma('user_version = 99')
  newer.close()
  const running = await AgentProcess.start({ args: serverArgs(join(directory, 'ok')) })
  t.teardown(() => running.stop())
  const free = ['-http-port=0', '-dns-port=0']
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      'a busy HTTP port',
      ['-dev', `-http-port=${busy}`, '-dns-port=0'],
      /HTTP port \d+ on 127\.0\.0\.1 is in use.*-http-port/,
    ],
    [
      'a busy DNS port',
      ['-dev', '-http-port=0', `-dns-port=${busy}`],
      /DNS \(TCP\) port \d+ on 127\.0\.0\.1 is in use.*-dns-port/,
    ],
    [
      'an address of another machine',
      ['-dev', '-client=127.0.0.1 203.0.113.1', ...free],
      /Cannot listen for DNS \(TCP\) on 203\.0\.113\.1 .*: this machine has no such address.*-client/,
    ],
    [
      'the same for HTTP',
      ['-dev', '-client=203.0.113.1', '-http-port=0', '-dns-port=-1'],
      /Cannot listen for HTTP on 203\.0\.113\.1 .*: this machine has no such address.*-client/,
    ],
    [
      'a file for a directory',
      [...serverArgs(join(directory, 'file')), ...free],
      /data directory \S+file cannot be used.*-data-dir/,
    ],
    [
      'a directory in use',
      [...serverArgs(join(directory, 'ok')), ...free],
      /data directory \S+ok is in use by another svcd/,
    ],
    [
      'a directory of a newer version',
      [...serverArgs(join(directory, 'newer')), ...free],
      /written by a newer svcd \(state\.db has format 99/,
    ],
    ['no data directory', ['-server', ...free], /data-dir/],
  ]
  for (const [what, args, expected] of cases) {
    const { code, output } = await runAgent(...args)
    t.equal(code, 1, `${what}: exit code`)
    t.match(output, expected, `${what}: message`)
    t.notMatch(output, /^\s+at /m, `${what}: no stack trace`)
  }
  t.equal((await fetch(`${running.httpUrl}/v1/status/leader`)).status, 200, 'the other one goes on')
})
