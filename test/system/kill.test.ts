import { join } from 'node:path'
import { Sqlite } from '../helpers/sqlite.ts'
import t from 'tap'
import type { Test } from 'tap'
import { randomBelow, seededRandom } from '../../src/base/random.ts'
import { AgentProcess } from '../helpers/agent-process.ts'

// kill -9 in the middle of registrations, again and again, on one data directory.

const rounds = Number(process.env['SVCD_KILLS'] ?? 20)
const seed = Number(process.env['SVCD_SEED'] ?? Date.now() % 1_000_000)
const writers = 16

interface CatalogService {
  readonly ServiceID: string
}

/** Registers until the agent dies under it; returns the ids whose registration was acknowledged. */
async function writeUntilKilled(
  agent: AgentProcess,
  round: number,
  killAfter: number,
): Promise<string[]> {
  const acknowledged: string[] = []
  let next = 0
  const writer = async (): Promise<void> => {
    for (;;) {
      const id = `web-${round}-${next++}`
      try {
        const response = await agent.put('agent/service/register', {
          Name: 'web',
          ID: id,
          Port: 80,
        })
        await response.arrayBuffer()
        if (response.status !== 200) throw new Error(`status ${response.status}`)
      } catch {
        return
      }
      acknowledged.push(id)
      if (acknowledged.length === killAfter) agent.child.kill('SIGKILL')
    }
  }
  await Promise.all(Array.from({ length: writers }, writer))
  await agent.exited
  return acknowledged
}

t.test(`kill -9 under load, ${rounds} times, seed ${seed}`, { timeout: 1_800_000 }, async (t) => {
  const random = seededRandom(seed)
  const directory = t.testdir()
  const args = [
    '-server',
    `-data-dir=${directory}`,
    '-node=n1',
    '-bind=127.0.0.1',
    '-log-level=warn',
  ]
  const acknowledged: string[] = []
  for (let round = 0; round < rounds; round++) {
    const agent = await AgentProcess.start({ args })
    acknowledged.push(...(await writeUntilKilled(agent, round, 20 + randomBelow(random, 300))))
  }
  const agent = await AgentProcess.start({ args })
  const found = await agent.get<readonly CatalogService[]>('catalog/service/web')
  const inCatalog = new Set(found.map((service) => service.ServiceID))
  const own = await agent.get<Record<string, unknown>>('agent/services')
  t.equal(await agent.stop(), 0)
  t.strictSame(
    acknowledged.filter((id) => !inCatalog.has(id)),
    [],
    `all ${acknowledged.length} acknowledged registrations are in the catalog`,
  )
  t.strictSame(
    acknowledged.filter((id) => !(id in own)),
    [],
    'and the agent still answers for them',
  )
  checkAppliedOnce(t, directory)
})

/** The log says what was committed, the dedupe rows what was applied: one row for each entry. */
function checkAppliedOnce(t: Test, directory: string): void {
  const log = new Sqlite(join(directory, 'raft.db'), { readonly: true })
  const state = new Sqlite(join(directory, 'state.db'), { readonly: true })
  const first = (log.prepare('SELECT min(idx) AS n FROM log').get() as { n: number }).n
  const entries = log.prepare('SELECT idx, data FROM log WHERE kind = 0 ORDER BY idx').all() as {
    idx: number
    data: Buffer
  }[]
  const rows = state
    .prepare('SELECT log_index, request_id FROM requests WHERE log_index >= ? ORDER BY log_index')
    .all(first) as { log_index: number; request_id: string }[]
  log.close()
  state.close()
  const committed = entries.map(({ idx, data }) => {
    const { requestId } = JSON.parse(data.toString()) as { requestId: string }
    return `${idx} ${requestId}`
  })
  t.strictSame(
    rows.map((row) => `${row.log_index} ${row.request_id}`),
    committed,
    `each of ${committed.length} committed commands was applied once, at its own index`,
  )
  t.equal(new Set(rows.map((row) => row.request_id)).size, rows.length, 'no request twice')
}
