import { randomBytes } from 'node:crypto'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer as createHttpServer, get } from 'node:http'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { openFilesMax } from '../../src/process/descriptor-limit.ts'
import { ask } from '../../src/net/dns-client.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { typescriptFlags } from '../helpers/typescript-flags.ts'
import { until } from '../helpers/until.ts'

// What clients do to a port must not reach the others, the peers or the checks.

const skip =
  process.platform !== 'linux'
    ? 'needs 127.0.0.0/8 and /proc, as on Linux'
    : openFilesMax() < 4000 && 'needs 4,000 descriptors for itself'

/** Few descriptors, as a service manager may give. */
const limited = ['sh', '-c', 'ulimit -n 400; exec "$@"', 'sh']

/** Sockets that are connected and never send a byte, from addresses of this machine in turn. */
class Silent {
  readonly sockets: Socket[]

  private constructor(sockets: Socket[]) {
    this.sockets = sockets
  }

  static async open(port: number, count: number, addresses: number): Promise<Silent> {
    const sockets = Array.from({ length: count }, (_, n) => {
      const localAddress = `127.0.${1 + Math.floor((n % addresses) / 200)}.${1 + (n % 200)}`
      const socket = connect({ host: '127.0.0.1', port, localAddress })
      socket.on('error', () => {})
      socket.resume()
      return socket
    })
    await Promise.all(
      sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])),
    )
    return new Silent(sockets)
  }

  get open(): number {
    return this.sockets.filter(({ closed }) => !closed).length
  }

  destroy(): void {
    for (const socket of this.sockets) socket.destroy()
  }
}

interface Answer {
  readonly status: number
  readonly body: string
}

/** One request over a connection of its own, from `localAddress`; rejects after 5 s. */
function request(agent: AgentProcess, path: string, localAddress: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { localAddress, agent: false, signal: AbortSignal.timeout(5000) } as const
    const sent = get(`${agent.httpUrl}${path}`, options, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    sent.on('error', reject)
  })
}

async function figure(agent: AgentProcess, name: string, labels: string): Promise<number> {
  const { body } = await request(agent, '/metrics', '127.9.9.8')
  const line = body.split('\n').find((text) => text.startsWith(`svcd_${name}{${labels}}`))
  return Number(line?.split(' ').at(-1) ?? Number.NaN)
}

/** The index that the list of services has now: a question with it waits. */
async function indexOf(agent: AgentProcess): Promise<string> {
  const answer = await fetch(`${agent.httpUrl}/v1/catalog/services`)
  return must(answer.headers.get('x-consul-index'))
}

/** Registers `web` with a check of a port here, and says how its check stands. */
async function withCheck(t: Test, agent: AgentProcess, host = '127.0.0.1') {
  const target = createServer((socket) => socket.destroy())
  target.listen(0, '127.0.0.1')
  await once(target, 'listening')
  t.teardown(() => target.close())
  const { port } = target.address() as AddressInfo
  const Check = {
    CheckID: 'web',
    TCP: `${host}:${port}`,
    Interval: '1s',
    Timeout: '2s',
    Status: 'passing',
  }
  const body = { Name: 'web', Port: port, Address: '10.1.2.3', Check }
  t.equal((await agent.put('agent/service/register', body)).status, 200)
  return target
}

async function dnsSays(agent: AgentProcess, tcp: boolean): Promise<readonly unknown[]> {
  const server = { address: '127.0.0.1', port: agent.dnsPort }
  return (await ask(server, 'web.service.consul', 'A', { tcp, timeoutMs: 5000 })).answer
}

/** By which a second server may join the first. */
const secret = `-encrypt=${randomBytes(32).toString('base64')}`

async function startServer(
  t: Test,
  name: string,
  serverPort: number,
  more: readonly string[] = [],
  wrapper: readonly string[] = [],
) {
  const args = [
    '-server',
    `-data-dir=${join(t.testdirName, name)}`,
    '-bind=127.0.0.1',
    `-node=${name}`,
    secret,
  ]
  const agent = await AgentProcess.start({
    args: [...args, `-server-port=${serverPort}`, ...more],
    wrapper,
  })
  t.teardown(() => agent.stop())
  return agent
}

// CVE-2020-7219
for (const [whence, addresses] of [
  ['one address', 1],
  ['400 addresses', 400],
] as const) {
  t.test(
    `600 silent sockets a port from ${whence}, under ulimit -n 400`,
    { skip, timeout: 180_000 },
    async (t) => {
      t.testdir()
      const [port = 0, other = 0] = await freePorts(2)
      const agent = await startServer(t, 'n1', port, ['-bootstrap-expect=1'], limited)
      t.match(
        agent.output,
        /this process may open 400 files, which is enough for 146 client connections instead of 20480/,
      )
      t.equal(agent.output.split('may open 400 files').length, 2, 'said once')
      const target = await withCheck(t, agent)

      const silent = await Promise.all(
        [agent.httpPort, agent.dnsPort, port].map((each) => Silent.open(each, 600, addresses)),
      )
      t.teardown(() => silent.forEach((each) => each.destroy()))
      const openAt = performance.now()
      await until('all that fit are held, and no more', 20_000, () =>
        silent.every(({ open }) => open > 0 && open < 600),
      )

      t.equal((await request(agent, '/v1/status/leader', '127.9.9.9')).status, 200, 'HTTP answers')
      t.equal((await dnsSays(agent, false)).length, 1, 'DNS answers over UDP')
      t.equal((await dnsSays(agent, true)).length, 1, 'and over TCP')
      const second = startServer(t, 'n2', other, [
        '-bootstrap-expect=0',
        `-retry-join=127.0.0.1:${port}`,
      ])
      target.close()
      await until(
        'the check sees that its service is gone',
        20_000,
        async () => (await dnsSays(agent, false)).length === 0,
      )
      t.ok(performance.now() - openAt < 30_000)
      await second
      await until(
        'another server joins',
        30_000,
        async () => (await agent.get<string[]>('status/peers')).length === 2,
      )

      await until('every silent socket is closed', 40_000, () =>
        silent.every(({ open }) => open === 0),
      )
      t.ok((await figure(agent, 'connections_open', 'port="http"')) < 5)
      for (const port of ['http', 'dns', 'server']) {
        t.ok((await figure(agent, 'connections_displaced_total', `port="${port}"`)) > 100, port)
        t.ok(
          (await figure(agent, 'connections_timed_out_total', `port="${port}"`)) > 1,
          `${port} waits no longer`,
        )
      }
      const said =
        agent.output.match(
          /closed an idle (HTTP|DNS|server) connection from 127.0.1.1 to make room/g,
        ) ?? []
      t.ok(said.length <= 3, `${said.length} lines of one address`)
      const again = await Silent.open(agent.httpPort, 100, 100)
      t.equal(again.open, 100, 'and there is room again')
      again.destroy()
      t.ok(readdirSync(`/proc/${must(agent.child.pid)}/fd`).length < 200)
    },
  )
}

// CVE-2020-7219
t.test(
  'an address with too many connections is told so, others are served',
  { skip },
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-http-max-conns-per-client=20'] })
    t.teardown(() => agent.stop())
    const path = `/v1/catalog/services?index=${await indexOf(agent)}&wait=60s`
    const waiting = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const options = { port: agent.httpPort, localAddress: '127.0.0.7' }
        const socket = connect({ host: '127.0.0.1', ...options })
        socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
        await once(socket, 'connect')
        return socket
      }),
    )
    for (let n = 0; n < 3; n++) {
      const refused = await request(agent, '/v1/status/leader', '127.0.0.7')
      t.strictSame(refused, {
        status: 429,
        body: 'Your IP is issuing too many concurrent connections, please rate limit your calls\n',
      })
    }
    t.equal((await request(agent, '/v1/status/leader', '127.0.0.8')).status, 200)
    t.equal(await figure(agent, 'connections_refused_total', 'port="http",reason="address"'), 3)
    t.equal(agent.output.split('connection from 127.0.0.7: ').length, 2, 'one line of it')
    for (const socket of waiting) socket.destroy()
    await until(
      'it may come back',
      10_000,
      async () => (await request(agent, '/v1/status/leader', '127.0.0.7')).status === 200,
    )
  },
)

t.test(
  'one that sends its head octet by octet is closed; answers that wait are not',
  { skip },
  async (t) => {
    const agent = await AgentProcess.start({
      args: ['-dev', '-client=127.0.0.1 127.0.0.2', '-http-header-timeout=1s'],
    })
    t.teardown(() => agent.stop())
    const waits = request(
      agent,
      `/v1/catalog/services?index=${await indexOf(agent)}&wait=4s`,
      '127.0.0.1',
    )
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      const slow = connect({ host, port: agent.httpPort })
      slow.on('error', () => {})
      slow.write('GET / HTTP/1.1\r\n')
      const dribble = setInterval(() => slow.write('a: b\r\n'), 50)
      const [said] = (await once(slow, 'data')) as [Buffer]
      t.match(said.toString(), /^HTTP\/1.1 408 .*\r\n\r\nThe request did not arrive in time/s)
      await once(slow, 'close')
      clearInterval(dribble)
    }
    t.equal((await waits).status, 200)
    t.ok((await figure(agent, 'connections_timed_out_total', 'port="http"')) >= 2)
  },
)

t.test('a check is not critical because this agent has no descriptor left', { skip }, async (t) => {
  const prlimit = promisify(execFile)
  const agent = await AgentProcess.start({ args: ['-dev'] })
  t.teardown(() => agent.stop())
  const probes: number[] = []
  const target = createHttpServer((_request, response) => {
    probes.push(performance.now())
    response.end()
  })
  target.listen(0, '127.0.0.1')
  await once(target, 'listening')
  t.teardown(() => target.close())
  const { port } = target.address() as AddressInfo
  const Check = { CheckID: 'web', HTTP: `http://localhost:${port}/`, Interval: '1s', Timeout: '5s' }
  const body = { Name: 'web', Address: '10.1.2.3', Port: port, Check }
  t.equal((await agent.put('agent/service/register', body)).status, 200)
  await until('it passes', 15_000, async () => (await dnsSays(agent, false)).length === 1)

  const pid = must(agent.child.pid)
  const limit = (n: number): Promise<unknown> =>
    prlimit('prlimit', ['--pid', String(pid), `--nofile=${n}:`])
  // So few that not even one of those that are free below can be had.
  await limit(20)
  await agent.until('cannot run a check; its status stays unchanged')
  const held = probes.length
  t.equal((await dnsSays(agent, false)).length, 1, 'its service stays in DNS')
  await limit(400)
  await until('probes go out again', 20_000, () => probes.length > held)
  t.equal((await dnsSays(agent, false)).length, 1)
  t.match(
    (await request(agent, '/metrics', '127.0.0.1')).body,
    /^svcd_checks_unprobed_total [1-9]/m,
  )
})

t.test('an agent with too few descriptors says what it needs', { skip }, async (t) => {
  // The second is fewer than Node wants for the modules of an agent.
  for (const files of [150, 60]) {
    const few = ['sh', '-c', `ulimit -n ${files}; exec "$@"`, 'sh']
    await t.rejects(
      AgentProcess.start({ args: ['-dev', '-dns-threads=1'], wrapper: few }),
      new RegExp(`may open ${files} files, but svcd needs at least 1\\d\\d.*ulimit -n`, 's'),
    )
  }
})

t.test(
  'a look-up that fails for want of a descriptor says nothing of the service',
  { skip },
  async (t) => {
    const module = new URL('../../src/probes/result.ts', import.meta.url)
    const script = `
    import { openSync } from 'node:fs'
    const { failedProbe } = await import(${JSON.stringify(module.href)})
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND db'), { code: 'ENOTFOUND' })
    const before = failedProbe('TCP db:1', error).evidence
    try {
      for (;;) openSync('/dev/null')
    } catch {}
    console.log(before, failedProbe('TCP db:1', error).evidence)`
    const node = [process.execPath, ...typescriptFlags, '--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      'ulimit -n 100; exec "$@"',
      'sh',
      ...node,
    ])
    t.equal(stdout.trim(), 'absence none')
  },
)
