import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { must } from '../../src/base/assert.ts'
import type { AgentProcess } from '../helpers/agent-process.ts'
import { withAgent } from './blocking.bench.ts'
import { table } from './report.ts'

const services = 10_000
const seconds = 12
const lists = [
  'agent/services',
  'agent/checks',
  'catalog/services',
  'catalog/node/bench',
  'health/node/bench',
  'health/state/any',
  'health/state/critical',
]

/** What lists of ten thousand services cost those who ask DNS and write meanwhile, and Raft's clock. */
export async function benchLists(): Promise<string> {
  const { rows, title } = await withAgent(async (agent) => {
    await fill(agent)
    await sleep(2000)
    const idle = await delays(agent)
    const reader = new ListReader(agent.httpUrl)
    const busy = await delays(agent)
    const { perSecond, medianMs } = await reader.stop()
    const row = (name: string, cell: (delay: Delays) => string): string[] => [
      name,
      cell(idle),
      cell(busy),
    ]
    const spread = (of: (delay: Delays) => Sorted) => (delay: Delays) =>
      [0.5, 0.99, 1].map((q) => at(of(delay), q).toFixed(1)).join(' / ')
    return {
      title: `${perSecond.toFixed(1)} per second one after another, each in ${medianMs.toFixed(0)} ms`,
      rows: [
        row(
          'DNS over UDP, p50 / p99 / longest (ms)',
          spread(({ udp }) => udp),
        ),
        row(
          'DNS over TCP',
          spread(({ tcp }) => tcp),
        ),
        row(
          'a write',
          spread(({ write }) => write),
        ),
        row(
          'Raft’s clock: later than 5 / 10 / 20 ms, of',
          ({ ticks }) => `${ticks.later.join(' / ')}, ${ticks.count}`,
        ),
      ],
    }
  })
  return table(
    `Lists of ${services.toLocaleString('en')} services, ${title}: the delay of other work`,
    ['work', 'idle', 'while lists are read'],
    rows,
  )
}

/** A process of its own, for a client here would delay those who measure. */
class ListReader {
  readonly #child
  readonly #closed: Promise<unknown>
  readonly #started = performance.now()
  #lines = ''

  constructor(url: string) {
    const get = `curl -s -o /dev/null --compressed -w '%{http_code} %{time_total}\\n'`
    const script = `while :; do for l in ${lists.join(' ')}; do ${get} "${url}/v1/$l?stale"; sleep 0.2; done; done`
    this.#child = spawn('sh', ['-c', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    this.#closed = once(this.#child, 'close')
    this.#child.stdout.on('data', (chunk: Buffer) => (this.#lines += chunk.toString('latin1')))
  }

  async stop(): Promise<{ perSecond: number; medianMs: number }> {
    const tookMs = performance.now() - this.#started
    const answers = this.#lines.trim().split('\n')
    process.kill(-must(this.#child.pid, 'it was started'), 'SIGTERM')
    await this.#closed
    const bad = answers.find((line) => !line.startsWith('200 '))
    if (bad !== undefined) throw new Error(`a list was answered with ${bad}`)
    const times = answers.map((line) => Number(line.split(' ')[1]) * 1000)
    return {
      perSecond: (answers.length * 1000) / tookMs,
      medianMs: at(
        times.toSorted((a, b) => a - b),
        0.5,
      ),
    }
  }
}

type Sorted = readonly number[]

function at(sorted: Sorted, q: number): number {
  return sorted[Math.floor(q * (sorted.length - 1))] ?? 0
}

interface Delays {
  readonly tcp: Sorted
  readonly udp: Sorted
  readonly write: Sorted
  readonly ticks: Ticks
}

interface Ticks {
  readonly count: number
  readonly later: readonly number[]
}

async function delays(agent: AgentProcess): Promise<Delays> {
  const until = performance.now() + seconds * 1000
  const over = async (ask: (n: number) => Promise<void>, pauseMs: number): Promise<Sorted> => {
    const times: number[] = []
    for (let n = 0; performance.now() < until; n++) {
      const started = performance.now()
      await ask(n)
      times.push(performance.now() - started)
      await sleep(pauseMs)
    }
    return times.toSorted((a, b) => a - b)
  }
  const before = await ticksOf(agent)
  const [tcpSocket, udpSocket] = [connect(agent.dnsPort, '127.0.0.1'), createSocket('udp4')]
  tcpSocket.setNoDelay(true)
  const [tcp, udp, write] = await Promise.all([
    over(async (n) => {
      const message = question(`s${n % services}`)
      const head = Buffer.from([message.length >> 8, message.length & 255])
      tcpSocket.write(Buffer.concat([head, message]))
      await once(tcpSocket, 'data')
    }, 3),
    over(async (n) => {
      udpSocket.send(question(`s${(n * 7) % services}`), agent.dnsPort, '127.0.0.1')
      await once(udpSocket, 'message')
    }, 3),
    over(async (n) => {
      const body = { Name: 'writer', Port: n % 9000 }
      await (await agent.put('agent/service/register', body)).arrayBuffer()
    }, 50),
  ])
  tcpSocket.destroy()
  udpSocket.close()
  const after = await ticksOf(agent)
  const later = after.later.map((count, n) => count - (before.later[n] ?? 0))
  return { tcp, udp, write, ticks: { count: after.count - before.count, later } }
}

/** How often Raft's clock rang so far, and how often it was late. */
async function ticksOf(agent: AgentProcess): Promise<Ticks> {
  const text = await (await fetch(`${agent.httpUrl}/metrics`)).text()
  const figure = (end: string): number => {
    const start = `svcd_raft_tick_delay_seconds_${end} `
    const line = text.split('\n').find((each) => each.startsWith(start))
    return Number(must(line, start).slice(start.length))
  }
  const count = figure('count')
  return {
    count,
    later: ['0.005', '0.01', '0.02'].map((le) => count - figure(`bucket{le="${le}"}`)),
  }
}

/** `<service>.service.consul A`. */
function question(service: string): Buffer {
  const labels = [service, 'service', 'consul'].map((label) =>
    Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]),
  )
  const head = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])])
}

/** All on one agent: its own lists are as long as the catalog's. */
async function fill(agent: AgentProcess): Promise<void> {
  let next = 0
  const writer = async (): Promise<void> => {
    for (let n = next++; n < services; n = next++) {
      const response = await agent.put('agent/service/register', {
        ID: `s${n}`,
        Name: `s${n}`,
        Address: '10.9.0.1',
        Port: 80,
        Tags: ['v1'],
        Check: { TTL: '1h', Status: 'passing' },
      })
      if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`)
      await response.arrayBuffer()
    }
  }
  await Promise.all(Array.from({ length: 64 }, writer))
}
