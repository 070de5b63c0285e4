import { writeFileSync } from 'node:fs'
import { table } from '../bench/report.ts'
import { Churn } from './churn.ts'
import type { ChurnOptions } from './churn.ts'
import type { ThreeServers } from './cluster-process.ts'
import { figuresOf } from './server-figures.ts'
import type { ServerFigures } from './server-figures.ts'
import { pause } from './until.ts'

/** All servers at one moment. */
export interface ChurnSample {
  readonly seconds: number
  readonly servers: readonly ServerFigures[]
  readonly written: number
  readonly asked: number
}

export interface ChurnRun {
  readonly samples: readonly ChurnSample[]
  readonly churn: Churn
  /** Markdown. */
  readonly table: string
}

/** Runs a churn for so long and looks at the servers meanwhile; the table so far is kept in `file`. */
export async function runChurn(
  cluster: ThreeServers,
  options: ChurnOptions & { readonly seconds: number; readonly everySeconds: number },
  file: string,
): Promise<ChurnRun> {
  const churn = new Churn(cluster, options)
  await churn.start()
  const startMs = performance.now()
  const samples: ChurnSample[] = []
  for (let due = options.everySeconds; due <= options.seconds; due += options.everySeconds) {
    await pause(Math.max(0, startMs + due * 1000 - performance.now()))
    const servers = await Promise.all(cluster.servers.map(figuresOf))
    const seconds = (performance.now() - startMs) / 1000
    samples.push({ seconds, servers, written: churn.written, asked: churn.asked })
    writeFileSync(file, tableOf(samples))
  }
  await churn.stop()
  const text = `${tableOf(samples)}\n${summary(churn, options.seconds)}\n`
  writeFileSync(file, text)
  return { samples, churn, table: text }
}

const columns = ['s', 'server', 'MB', 'heaps, MB', 'files, MB', 'rows', 'descriptors', 'writes/s']

function tableOf(samples: readonly ChurnSample[]): string {
  const rows = samples.flatMap(({ seconds, servers, written }, at) => {
    const before = samples[at - 1]
    const perSecond = (written - (before?.written ?? 0)) / (seconds - (before?.seconds ?? 0))
    return servers.map((server) => [seconds.toFixed(0), ...cellsOf(server), perSecond.toFixed(0)])
  })
  return table('Three servers while services come and go', columns, rows)
}

function cellsOf(server: ServerFigures): string[] {
  const { name, residentMb, heapsMb, filesMb, rows, descriptors } = server
  return [
    name,
    residentMb.toFixed(0),
    list(heapsMb, 0),
    list(filesMb, 1),
    list(rows, 0),
    String(descriptors),
  ]
}

function list(values: Readonly<Record<string, number>>, digits: number): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${value.toFixed(digits)}`)
    .join(', ')
}

function summary(churn: Churn, seconds: number): string {
  const { written, failedWrites, asked, answered, blocked, writeMs } = churn
  const [p50Ms, p99Ms] = writeMs.map((ms) => ms.toFixed(1))
  return [
    `${written} writes (${(written / seconds).toFixed(0)}/s, ${failedWrites} failed;`,
    `p50 ${p50Ms ?? ''} ms, p99 ${p99Ms ?? ''} ms of the last seconds),`,
    `${asked} DNS questions (${answered} answered), ${blocked} blocking queries`,
  ].join(' ')
}
