import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { goneEntries } from '../../src/state/machine/subjects.ts'
import { median } from '../bench/report.ts'
import { runChurn } from '../helpers/churn-run.ts'
import type { ChurnSample } from '../helpers/churn-run.ts'
import { issueChurn, jobsMax } from '../helpers/churn.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ServerFigures } from '../helpers/server-figures.ts'

// Services come and go under new names for as long as SVCD_CHURN_MINUTES says. What grows is seen only after
// minutes: a short run looks at what must hold at any time.

const minutes = Number(process.env['SVCD_CHURN_MINUTES'] ?? 0.5)
const isLong = minutes >= 15
const file = process.env['SVCD_CHURN_TABLE'] ?? join(tmpdir(), 'svcd-churn.md')
/** A short run shares the machine with other tests. */
const load = isLong
  ? { ...issueChurn, seconds: minutes * 60, everySeconds: 30 }
  : {
      services: 200,
      writesPerSecond: 90,
      questionsPerSecond: 150,
      watchers: 12,
      seconds: minutes * 60,
      everySeconds: 5,
    }

const requestsMax = 100_000 + 256

/** So much more than in the middle of the run is noise. */
const levels: readonly {
  readonly what: string
  readonly of: (server: ServerFigures) => number
  readonly slack: number
}[] = [
  { what: 'memory, MB', of: ({ residentMb }) => residentMb, slack: 10 },
  { what: 'files, MB', of: ({ filesMb }) => sum(filesMb), slack: 10 },
  { what: 'rows', of: ({ rows }) => sum(rows), slack: 1500 },
  { what: 'descriptors', of: ({ descriptors }) => descriptors, slack: 20 },
]

function sum(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((total, value) => total + value, 0)
}

/** Of each server, what it held in one third of the run: 0, 1 or 2. */
function third(
  samples: readonly ChurnSample[],
  at: number,
  of: (server: ServerFigures) => number,
): readonly number[] {
  const size = Math.floor(samples.length / 3)
  const part = samples.slice(at * size, (at + 1) * size)
  const servers = must(part[0]).servers
  return servers.map((_, server) => median(part.map((each) => of(must(each.servers[server])))))
}

const claim = isLong
  ? 'while services come and go, memory, files, rows and descriptors are level'
  : 'while services come and go, rows and descriptors are bounded'

t.test(claim, { timeout: (minutes + 5) * 60_000 }, async (t) => {
  const cluster = await ThreeServers.prepare(t.testdir())
  t.teardown(() => cluster.stop())
  await Promise.all(cluster.servers.map((server) => server.start()))
  await cluster.leader()
  const { samples, churn, table } = await runChurn(cluster, load, file)
  t.comment(`${file}\n${table}`)
  t.ok(churn.written > 0 && churn.answered > 0 && churn.blocked > 0, 'there was a churn')
  t.ok(churn.failedWrites <= churn.written / 1000, `${churn.failedWrites} writes failed`)
  const all = samples.flatMap(({ servers }) => servers)
  for (const { name, rows } of all) {
    const { subjects = 0, gone_subjects: gone = 0, services = 0, nodes = 0, requests = 0 } = rows
    const bounded =
      subjects <= services + nodes + 3 + gone && gone <= 4 * goneEntries && requests <= requestsMax
    if (!bounded) t.fail(`${name}: ${JSON.stringify(rows)}`)
    if (services > load.services + jobsMax + 50) t.fail(`${name}: ${services} services live`)
  }
  const waiting = load.watchers + 3 * 24 + 100
  const descriptors = Math.max(...all.map((each) => each.descriptors))
  t.ok(descriptors <= waiting, `${descriptors} descriptors at most`)
  if (!isLong) return
  for (const { what, of, slack } of levels) {
    const [middle, last] = [third(samples, 1, of), third(samples, 2, of)]
    for (const [at, value] of last.entries()) {
      const before = must(middle[at])
      const text = `${what} of n${at + 1}: ${before.toFixed(0)}, then ${value.toFixed(0)}`
      t.ok(value <= before * 1.05 + slack, text)
    }
  }
  const memory = third(samples, 2, ({ residentMb }) => residentMb)
  t.ok(Math.max(...memory) <= 180, `${memory.map((mb) => mb.toFixed(0)).join(', ')} MB of memory`)
  const log = Math.max(...all.map(({ filesMb }) => filesMb['raft.db'] ?? 0))
  t.ok(log <= 24, `raft.db has ${log.toFixed(1)} MB at most`)
})
