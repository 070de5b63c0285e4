import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { buildQuery } from '../dns/fixture.ts'
import { contest, rounds, seconds, svcdMmsg, withServers } from './dns-peers.bench.ts'
import { dnsperf, dnsperfAgainst } from './dnsperf.ts'
import type { DnsFigures } from './dnsperf.ts'
import { httpLoad } from './http-load.ts'
import { loadCpu } from './name-servers.ts'
import type { NameServer } from './name-servers.ts'
import { residentMb } from './peers.ts'
import { spread, table } from './report.ts'

const services = 10_000
const instances = 10
const nodes = 1000
const transitionsPerSecond = 1000
const bigInstances = 5000
const randomNames = 500_000

interface Case {
  readonly title: string
  readonly questions: string
  readonly flags?: readonly string[]
  readonly transitions?: boolean
}

/**
 * What costs more than a cached answer, beside it: many services that change, names that are not
 * there, a service too large for a packet. One core for svcd, the other for the load.
 */
export async function benchDnsLarge(): Promise<string> {
  return withServers([svcdMmsg], async ([server], directory) => {
    const svcd = must(server)
    await fill(svcd.httpPort)
    const file = (name: string, lines: readonly string[]): string => {
      const path = join(directory, name)
      writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
      return path
    }
    const cached = file(
      'cached',
      upTo(20).map((n) => `web-3-${n}.service.consul A`),
    )
    const cases: Case[] = [
      {
        title: `${services} services × ${instances}, uniform, ${transitionsPerSecond} transitions/s`,
        questions: file(
          'uniform',
          shuffled(services).map((n) => `svc${n}.service.consul A`),
        ),
        transitions: true,
      },
      {
        title: 'random names, all NXDOMAIN',
        questions: file('random', upTo(randomNames).map(randomName)),
      },
      {
        title: `A of ${bigInstances} instances, EDNS 1232`,
        questions: file('big', ['big.service.consul A']),
        flags: ['-e', '-b', '4096'],
      },
    ]
    const before = residentMb(must(svcd.pids()[0]))
    const rows: string[][] = []
    for (const each of cases) rows.push(await row(svcd, cached, each))
    const after = residentMb(must(svcd.pids()[0]))
    const title = `DNS of a large catalog on one core, beside cached answers of 3 instances; ${rounds} rounds × ${seconds} s, median (quartiles)`
    const share = await shares(svcd.dnsPort)
    return `${table(
      title,
      ['questions', 'questions/s', 'µs CPU each', 'cached: µs CPU each', 'rate : cached'],
      rows,
    )}\nShares of the ${bigInstances} instances over ${share.answers} answers: from ${share.least.toFixed(2)} to ${share.most.toFixed(2)} of a fair share. Memory before ${before.toFixed(0)} MB, after ${after.toFixed(0)} MB.\n`
  })
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n)
const randomName = (n: number): string =>
  `x${(Math.imul(n, 2_654_435_761) >>> 0).toString(36)}.service.consul A`

/** All numbers below a power of ten, in an order that jumps about. */
function shuffled(count: number): readonly number[] {
  return upTo(count).map((n) => (n * 7919) % count)
}

async function row(svcd: NameServer, cached: string, each: Case): Promise<string[]> {
  // Once through, so that nobody is asked for the first time.
  await dnsperf({ port: svcd.dnsPort, questions: each.questions, seconds: 60, flags: ['-n', '1'] })
  const plain: DnsFigures[] = []
  const under: DnsFigures[] = []
  for (let round = 0; round < rounds; round++) {
    const [base] = await contest({ questions: cached, servers: [svcd] }, 1)
    plain.push(must(base?.[0]))
    under.push(await withTransitions(svcd, each))
  }
  return [
    each.title,
    spread(
      under.map(({ perSecond }) => perSecond),
      0,
    ),
    spread(
      under.map(({ cpuMicros }) => cpuMicros),
      2,
    ),
    spread(
      plain.map(({ cpuMicros }) => cpuMicros),
      2,
    ),
    spread(
      under.map(({ perSecond }, at) => perSecond / must(plain[at]).perSecond),
      2,
    ),
  ]
}

async function withTransitions(
  svcd: NameServer,
  { transitions, questions, flags = [] }: Case,
): Promise<DnsFigures> {
  const load = { port: svcd.dnsPort, questions, seconds, flags, cpu: loadCpu }
  const asked = dnsperfAgainst(svcd.pids, load)
  if (transitions === true) await transitionLoad(svcd.httpPort)
  return asked
}

/** Checks turn critical and back, each by a command of its own. */
async function transitionLoad(port: number): Promise<void> {
  const result = await httpLoad({
    port,
    connections: 16,
    seconds,
    perSecond: transitionsPerSecond,
    request: (n) => {
      const status = n % 2000 < 1000 ? 'critical' : 'passing'
      const at = (n % 1000) * (services / 1000) * instances
      const Check = { CheckID: `svc:${idOf(at)}`, Name: 'c', Status: status, ServiceID: idOf(at) }
      const body = { Node: nodeOf(at), Address: '10.0.0.1', SkipNodeUpdate: true, Check }
      return { method: 'PUT', path: '/v1/catalog/register', body: JSON.stringify(body) }
    },
  })
  if (result.failed > 0 || result.perSecond < transitionsPerSecond * 0.9) {
    process.stderr.write(`transitions: ${result.perSecond.toFixed(0)}/s, ${result.failed} failed\n`)
  }
}

const idOf = (n: number): string => `i${n}`
const nodeOf = (n: number): string => `node-${n % nodes}`

/** The n-th instance belongs to service n / instances; the big service comes after them all. */
async function fill(port: number): Promise<void> {
  const total = services * instances + bigInstances
  const result = await httpLoad({
    port,
    connections: 64,
    seconds: 600,
    total,
    request: (n) => {
      const isBig = n >= services * instances
      const name = isBig ? 'big' : `svc${Math.floor(n / instances)}`
      const Address = `10.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
      const Service = { ID: idOf(n), Service: name, Address, Port: 8080 }
      const check = { CheckID: `svc:${idOf(n)}`, Name: 'c', Status: 'passing', ServiceID: idOf(n) }
      const body = {
        Node: nodeOf(n),
        Address: '10.0.0.1',
        Service,
        Check: isBig ? undefined : check,
      }
      return { method: 'PUT', path: '/v1/catalog/register', body: JSON.stringify(body) }
    },
  })
  if (result.ok !== total) throw new Error(`${result.failed} registrations failed`)
}

/** How often each instance of the big service is sent, against its fair share. */
async function shares(
  port: number,
): Promise<{ readonly answers: number; readonly least: number; readonly most: number }> {
  const answers = 20_000
  const seen = new Map<string, number>()
  const socket = createSocket('udp4')
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const query = buildQuery('big.service.consul', 'A', { edns: 1232 })
  let sent = 0
  for (let n = 0; n < answers; n++) {
    socket.send(query)
    const [packet] = (await once(socket, 'message')) as [Buffer]
    for (const { data } of decodeReply(packet).answer) {
      seen.set(data, (seen.get(data) ?? 0) + 1)
      sent++
    }
  }
  socket.close()
  const fair = sent / bigInstances
  const counts = [...seen.values()]
  const least = seen.size < bigInstances ? 0 : Math.min(...counts)
  return { answers, least: least / fair, most: Math.max(...counts) / fair }
}
