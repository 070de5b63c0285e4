import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { httpLoad } from './http-load.ts'
import { residentMb, startConsul, versionOf } from './peers.ts'
import { median, table } from './report.ts'

const waiters = 10_000

/** Ten thousand blocking queries on one service: what each costs, and how long a change takes to reach all. */
export async function benchBlocking(): Promise<string> {
  const rows = await withAgent(async (agent) => {
    await registerService(agent.httpUrl, 'web', 1)
    await sleep(3000)
    const idleMb = rssOf(agent)
    const index = await indexOf(agent)
    const sockets = await openWaiters(agent.httpPort, index)
    await sleep(3000)
    const waitingMb = rssOf(agent)
    const changes: string[][] = []
    for (let change = 1; change <= 3; change++) {
      const answered = answers(sockets)
      const started = performance.now()
      await registerService(agent.httpUrl, 'web', 1, 8080 + change)
      const committedMs = performance.now() - started
      const { firstMs, lastMs, distinct } = await answered
      changes.push([
        `change ${change}: committed, first and last woken after (ms)`,
        [committedMs, firstMs - started, lastMs - started].map((ms) => ms.toFixed(0)).join(' / '),
      ])
      must(distinct === 1 ? 1 : undefined, 'all see the same answer')
      const next = await indexOf(agent)
      for (const socket of sockets) ask(socket, next)
      await sleep(1500)
    }
    const perWaiterKb = ((waitingMb - idleMb) * 1e3) / waiters
    for (const socket of sockets) socket.destroy()
    return [
      [
        'resident memory idle / with all waiting (MB)',
        `${idleMb.toFixed(0)} / ${waitingMb.toFixed(0)}`,
      ],
      ['memory of one blocking query (KB)', perWaiterKb.toFixed(1)],
      ...changes,
    ]
  })
  return table(
    `${waiters.toLocaleString('en')} blocking queries on one service`,
    ['figure', 'svcd'],
    rows,
  )
}

const seconds = 4
const rounds = 3
const instances = 100

/** GET /v1/health/service of a hundred instances: svcd and, when it is there, Consul, in turns. */
export async function benchHealthService(): Promise<string> {
  const withConsul = versionOf('consul') !== undefined
  const svcd: number[] = []
  const consul: number[] = []
  const measure = async (port: number): Promise<number> => {
    const request = () => ({ method: 'GET', path: '/v1/health/service/web?passing', body: '' })
    const { perSecond, failed } = await httpLoad({ port, connections: 32, seconds, request })
    if (failed > 0) throw new Error(`${failed} requests failed`)
    return perSecond
  }
  for (let round = 0; round < rounds; round++) {
    await withAgent(async (agent) => {
      await registerService(agent.httpUrl, 'web', instances)
      svcd.push(await measure(agent.httpPort))
    })
    if (!withConsul) continue
    const peer = await startConsul()
    await registerService(`http://127.0.0.1:${peer.httpPort}`, 'web', instances)
    consul.push(await measure(peer.httpPort))
    await peer.stop()
  }
  const rows = [['svcd', median(svcd).toFixed(0)]]
  if (withConsul) {
    rows.push(['consul', median(consul).toFixed(0)])
    rows.push(['svcd / consul', (median(svcd) / median(consul)).toFixed(1)])
  }
  return table(
    `GET /v1/health/service of ${instances} instances, 32 connections, ${rounds} × ${seconds} s, medians`,
    ['server', 'requests/s'],
    rows,
  )
}

export async function withAgent<T>(run: (agent: AgentProcess) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-'))
  const args = [`-data-dir=${directory}`, '-node=bench', '-bind=127.0.0.1', '-log-level=warn']
  const agent = await AgentProcess.start({ args: ['-server', ...args] })
  try {
    return await run(agent)
  } finally {
    await agent.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function rssOf(agent: AgentProcess): number {
  return residentMb(must(agent.child.pid, 'the agent runs'))
}

async function registerService(
  url: string,
  name: string,
  count: number,
  port = 8080,
): Promise<void> {
  for (let n = 0; n < count; n++) {
    const body = {
      Name: name,
      ID: `${name}-${n}`,
      Address: `10.9.0.${n % 250}`,
      Port: port,
      Tags: ['v1', 'primary'],
      Meta: { version: '1.2.3' },
      Check: { TTL: '10m', Status: 'passing' },
    }
    const init = { method: 'PUT', body: JSON.stringify(body) }
    const response = await fetch(`${url}/v1/agent/service/register`, init)
    if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`)
  }
}

async function indexOf(agent: AgentProcess): Promise<number> {
  const response = await fetch(`${agent.httpUrl}/v1/health/service/web`)
  await response.arrayBuffer()
  return Number(response.headers.get('x-consul-index'))
}

async function openWaiters(port: number, index: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < waiters) {
    const batch = Array.from({ length: 100 }, () => opened(port))
    for (const socket of await Promise.all(batch)) {
      ask(socket, index)
      sockets.push(socket)
    }
  }
  return sockets
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.once('error', reject)
  })
}

function ask(socket: Socket, index: number): void {
  socket.write(
    `GET /v1/health/service/web?index=${index}&wait=5m HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  )
}

interface Answers {
  readonly firstMs: number
  readonly lastMs: number
  /** How many different bodies there were. */
  readonly distinct: number
}

/** Resolves when every socket has had one whole answer. */
async function answers(sockets: readonly Socket[]): Promise<Answers> {
  const bodies = new Set<string>()
  const times = await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<number>((resolve) => {
          let text = ''
          const onData = (chunk: Buffer): void => {
            text += chunk.toString('latin1')
            const head = text.indexOf('\r\n\r\n')
            if (head < 0 || text.length < head + 4 + lengthOf(text)) return
            socket.off('data', onData)
            bodies.add(text.slice(head))
            resolve(performance.now())
          }
          socket.on('data', onData)
        }),
    ),
  )
  const sorted = times.toSorted((a, b) => a - b)
  return { firstMs: sorted[0] ?? 0, lastMs: sorted.at(-1) ?? 0, distinct: bodies.size }
}

function lengthOf(text: string): number {
  return Number(/content-length: *(\d+)/i.exec(text)?.[1])
}
