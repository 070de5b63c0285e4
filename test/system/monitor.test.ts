import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { until } from '../helpers/until.ts'
import { noMmsg } from '../net/udp/paths.ts'

const faults = new URL('../helpers/break-sockets.mjs', import.meta.url)

/** A reader of an agent's log. */
interface Reader {
  readonly status: number
  text: string
}

function follow(t: Test, agent: AgentProcess, query = ''): Promise<Reader> {
  return new Promise((resolve, reject) => {
    const asked = get(`${agent.httpUrl}/v1/agent/monitor${query}`, { agent: false }, (answer) => {
      const reader: Reader = { status: answer.statusCode ?? 0, text: '' }
      answer.on('data', (chunk: Buffer) => (reader.text += chunk.toString()))
      answer.on('error', () => {})
      resolve(reader)
    })
    asked.on('error', reject)
    t.teardown(() => asked.destroy())
  })
}

t.test('the banner of a start is in one piece, and the log begins behind it', async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node=n1', '-log-level=debug'] })
  t.teardown(() => agent.stop())
  await until('the log', 5000, () => /\[INFO\]/.test(agent.output))
  const fact = String.raw` *[A-Z][\w ]+: .+\n`
  const banner = new RegExp(
    String.raw`^==> Starting svcd agent\.\.\.\n(?:${fact}){7}\n==> svcd agent running! .*\n\n\d{4}-`,
  )
  t.match(agent.output, banner)
})

t.test('monitor carries the lines of all threads', { skip: noMmsg }, async (t) => {
  const agent = await AgentProcess.start({
    args: ['-dev', '-log-level=error', '-dns-udp=mmsg'],
    env: { NODE_OPTIONS: `--import=${faults.href}` },
  })
  t.teardown(() => agent.kill())
  const reader = await follow(t, agent, '?loglevel=debug')
  await agent.put('agent/service/register', { Name: 'my.service' })
  await until('of main', 5000, () => reader.text.includes('registered with a warning'))

  const { DebugConfig } = await agent.get<{ DebugConfig: { ServerPort: number } }>('agent/self')
  const stranger = connect(DebugConfig.ServerPort, '127.0.0.1')
  stranger.on('error', () => {})
  stranger.end('GET / HTTP/1.1\r\n\r\n')
  await until('of the replica', 10_000, () => /\[(?:WARN|INFO)\] .*peer/i.test(reader.text))

  agent.child.kill('SIGUSR2')
  await until('of dns', 10_000, () => reader.text.includes('a DNS thread failed'))
  t.notMatch(agent.output, /my\.service/, 'whatever the agent itself logs')
})

t.test('who follows the log counts as a connection', async (t) => {
  const limits = ['-http-max-conns-per-client=3']
  const agent = await AgentProcess.start({ args: ['-dev', '-log-level=warn', ...limits] })
  t.teardown(() => agent.stop())
  const readers = [await follow(t, agent), await follow(t, agent), await follow(t, agent)]
  t.strictSame(
    readers.map(({ status }) => status),
    [200, 200, 200],
  )
  t.equal(await statusOf(`${agent.httpUrl}/v1/status/leader`), 429, 'and is not displaced')
})

function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const onAnswer = (answer: IncomingMessage): void => {
      answer.resume()
      resolve(answer.statusCode)
    }
    get(url, { agent: false }, onAnswer).on('error', reject)
  })
}

interface Health {
  readonly Healthy: boolean
  readonly Servers: readonly {
    readonly Name: string
    readonly LastContact: string
    readonly LastTerm: number
    readonly LastIndex: number
    readonly StableSince: string
  }[]
}

t.test('three servers', { timeout: 120_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, { args: ['-log-level=info'] })

  await t.test('a start logs at most 25 lines until the leader is known', async (t) => {
    for (const server of cluster.servers) {
      await until('its leader', 10_000, () =>
        /leads the cluster|new leader: /.test(server.output()),
      )
      const [before = ''] = server.output().split(/leads the cluster|new leader: /)
      const lines = before.split('\n').filter((line) => / \[\w+\] /.test(line))
      t.comment(`${server.name}: ${lines.length} lines`)
      t.ok(lines.length <= 25, lines.join('\n'))
    }
  })

  await t.test('autopilot tells the same on each, as the leader sees it', async (t) => {
    const ask = () =>
      Promise.all(cluster.servers.map((server) => server.get<Health>('operator/autopilot/health')))
    const told = await until('all are healthy, and hold the same', 20_000, async () => {
      const all = await ask()
      const indexes = new Set(all.flatMap(({ Servers }) => Servers.map((s) => s.LastIndex)))
      return all.every(({ Healthy }) => Healthy) && indexes.size === 1 && all
    })
    const leader = await cluster.leader()
    for (const { Servers } of told) {
      t.equal(Servers.length, 3)
      for (const { Name, LastContact, LastTerm, StableSince } of Servers) {
        t.match(LastContact, Name === leader.name ? /^0s$/ : /^\d+ms$|^0s$/)
        t.ok(LastTerm > 0)
        t.ok(Date.now() - Date.parse(StableSince) < 60_000)
      }
    }
    const since = told.map(({ Servers }) => Servers.map(({ StableSince }) => StableSince).join())
    t.equal(new Set(since).size, 1, 'since when is one answer')
  })

  await t.test(
    'the serial of the zone rises with a write, and is one on all servers',
    async (t) => {
      const serials = async (): Promise<readonly number[]> => {
        const replies = await Promise.all(
          cluster.servers.map((server) => server.ask('consul', 'SOA')),
        )
        // MNAME, RNAME and the serial come first (RFC 1035 §3.3.13).
        return replies.map(({ answer }) => Number(answer[0]?.data.split(' ')[2]))
      }
      const same = (): Promise<number> =>
        until('one serial', 10_000, async () => {
          const [first = 0, ...others] = await serials()
          return others.every((serial) => serial === first) && first
        })
      const before = await same()
      const leader = await cluster.leader()
      await leader.put('agent/service/register', { Name: 'serial', Port: 80 })
      t.ok((await same()) > before)
    },
  )

  await t.test('without a leader a server tells what it knows itself', async () => {
    const [survivor, ...others] = cluster.servers
    for (const server of others) await server.kill()
    const url = `${survivor?.httpUrl ?? ''}/v1/operator/autopilot/health?stale`
    await until('it follows no leader', 20_000, async () => {
      const { Servers } = (await (await fetch(url)).json()) as Health
      const unknown = Servers.filter(({ LastContact }) => LastContact === '-1ns')
      return unknown.length === 2
    })
  })
})
