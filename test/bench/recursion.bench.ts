import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import {
  contest,
  contestColumns,
  percentiles,
  questionsFile,
  rounds,
  rowsOf,
  seconds,
  turns,
  withServers,
} from './dns-peers.bench.ts'
import { cpuMicros, dnsperf, flood } from './dnsperf.ts'
import { loadCpu, startKnot, startSvcd, startUnboundForwarder } from './name-servers.ts'
import type { NameServer } from './name-servers.ts'
import { spread, table } from './report.ts'

// Queries for names that svcd does not have. A Knot on this machine stands for the world: it has an answer for
// each name below the domain, without a delay of its own.

const domain = 'outside.example'
const names = 20
const coldPerSecond = 5000
const calmPerSecond = 500
const noPeers = 'Recursion: knotd or unbound is not on PATH, left out.\n'

function zoneText(): string {
  const lines = [`$ORIGIN ${domain}.`, '$TTL 3600', '@ SOA ns root 1 3600 600 86400 60', '@ NS ns']
  lines.push('ns A 127.0.0.1')
  const hosts = ['*', ...Array.from({ length: names }, (_, n) => `host-${n}`)]
  for (const host of hosts) for (const n of [1, 2, 3]) lines.push(`${host} A 192.0.2.${n}`)
  return `${lines.join('\n')}\n`
}

/** Starts the world, and svcd (and the others) in front of it. */
async function withWorld(
  others: readonly ((worldPort: number) => Promise<NameServer | undefined>)[],
  body: (servers: readonly NameServer[], world: NameServer, directory: string) => Promise<string>,
): Promise<string> {
  const world = await startKnot(zoneText(), domain, loadCpu)
  if (world === undefined) return noPeers
  try {
    const starts = others.map((start) => () => start(world.dnsPort))
    return await withServers(starts, (servers, directory) => body(servers, world, directory))
  } finally {
    await world.stop()
  }
}

const svcd = (worldPort: number): Promise<NameServer> =>
  startSvcd('mmsg', 'svcd', [`-recursor=127.0.0.1:${worldPort}`])
const unbound = (worldPort: number): Promise<NameServer | undefined> =>
  startUnboundForwarder(domain, worldPort)

/** From the cache, beside unbound: one core each, asked by a load on the other. */
export function benchRecursion(): Promise<string> {
  return withWorld([svcd, unbound], async (servers, _world, directory) => {
    const questions = join(directory, 'outside.txt')
    const lines = Array.from({ length: names }, (_, n) => `host-${n}.${domain} A\n`)
    writeFileSync(questions, lines.join(''))
    // The first answers fill the caches.
    await contest({ questions, servers }, 1)
    const figures = await contest({ questions, servers, ask: flood })
    return table(
      `Recursion from the cache on one core each, A × 3; ${rounds} rounds × ${seconds} s, median (quartiles)`,
      contestColumns,
      rowsOf('A, 3', servers, figures),
    )
  })
}

let nextName = 0

/** A file of names that nobody has asked for. */
function coldNames(directory: string, count: number): string {
  const file = join(directory, `cold-${nextName}.txt`)
  const lines = Array.from({ length: count }, () => `n${nextName++}.${domain} A\n`)
  writeFileSync(file, lines.join(''))
  return file
}

type Percentiles = readonly [p50: number, p99: number]

/** Median and quartiles of one of the two figures of each round. */
function spreadOf(figures: readonly Percentiles[], which: 0 | 1): string {
  return spread(
    figures.map((pair) => pair[which]),
    0,
  )
}

/** What svcd and unbound add to the upstream server's own time, for names that nobody has asked for. */
export function benchRecursionCold(): Promise<string> {
  return withWorld([svcd, unbound], async (servers, world, directory) => {
    const all = [world, ...servers]
    const found = all.map((): Percentiles[] => [])
    const costs = all.map((): number[] => [])
    for (let round = 0; round < rounds; round++) {
      for (const at of turns(all.length, round)) {
        const { dnsPort, pids } = must(all[at])
        const questions = coldNames(directory, calmPerSecond * seconds * 2)
        const before = cpuMicros(pids())
        found[at]?.push(await percentiles(dnsPort, questions, calmPerSecond))
        costs[at]?.push((cpuMicros(pids()) - before) / (calmPerSecond * seconds))
      }
    }
    const rows = all.map(({ name }, at) => {
      const figures = must(found[at])
      const added = figures.map(([p50], round) => p50 - (found[0]?.[round]?.[0] ?? Number.NaN))
      const [title, more] = at === 0 ? [`${name} itself`, ''] : [name, spread(added, 0)]
      return [title, spreadOf(figures, 0), spreadOf(figures, 1), more, spread(must(costs[at]), 0)]
    })
    return table(
      `Cold outside names at ${calmPerSecond} questions/s; ${rounds} rounds × ${seconds} s, median (quartiles)`,
      ['server', 'p50 µs', 'p99 µs', 'added to p50, µs', 'µs CPU each'],
      rows,
    )
  })
}

/** Asks a server for cold names while `body` runs; resolves with how many answers came per second. */
async function besideCold(
  port: number,
  directory: string,
  body: () => Promise<void>,
): Promise<number> {
  const cold = coldNames(directory, coldPerSecond * (seconds + 2))
  const load = { port, questions: cold, seconds: seconds + 1, cpu: loadCpu }
  const flooding = dnsperf({ ...load, perSecond: coldPerSecond })
  await body()
  return (await flooding).perSecond
}

/**
 * Names of the registry, alone and while many cold names are asked. The load and the world share a core with
 * what measures, so the same load is also sent to the world itself: that shows what of it is not svcd's.
 */
export function benchRecursionBeside(): Promise<string> {
  return withWorld([svcd], async ([server], world, directory) => {
    const { dnsPort } = must(server)
    const questions = questionsFile(directory, 'A')
    const perSecond = 5000
    const [idle, apart, beside]: Percentiles[][] = [[], [], []]
    const [ofWorld, ofSvcd]: number[][] = [[], []]
    const measure = async (into: Percentiles[] | undefined): Promise<void> => {
      into?.push(await percentiles(dnsPort, questions, perSecond))
    }
    for (let round = 0; round < rounds; round++) {
      await measure(idle)
      ofWorld?.push(await besideCold(world.dnsPort, directory, () => measure(apart)))
      ofSvcd?.push(await besideCold(dnsPort, directory, () => measure(beside)))
    }
    const row = (what: string, figures: readonly Percentiles[] = []): string[] => {
      const ratioTo = (base: readonly Percentiles[] = []): string =>
        spread(
          figures.map(([, p99], round) => p99 / (base[round]?.[1] ?? Number.NaN)),
          2,
        )
      return [what, spreadOf(figures, 0), spreadOf(figures, 1), ratioTo(idle), ratioTo(apart)]
    }
    return table(
      `Names of the registry at ${perSecond} questions/s, beside cold outside names; ${rounds} rounds × ${seconds} s, median (quartiles)`,
      ['load beside', 'p50 µs', 'p99 µs', 'p99 : none', 'p99 : Knot itself'],
      [
        row('none', idle),
        row(`${spread(must(ofWorld), 0)} cold names/s, asked of Knot itself`, apart),
        row(`${spread(must(ofSvcd), 0)} cold names/s, asked of svcd`, beside),
      ],
    )
  })
}
