import { join } from 'node:path'
import { Sqlite } from './sqlite.ts'
import type { Test } from 'tap'
import { StateReader } from '../../src/storage/state.ts'
import type { ClusterServer } from './cluster-process.ts'
import { until } from './until.ts'

interface Hashed {
  readonly index: number
  readonly hash: string
}

/** Waits until all have applied the same entries, and compares every row of their catalogs. */
export async function checkSameState(t: Test, servers: readonly ClusterServer[]): Promise<void> {
  const hashes = await until('equal applied indexes', 30_000, () => {
    const found = servers.map(hashed)
    return found.every(({ index }) => index === found[0]?.index) && found
  })
  const [first] = hashes
  t.strictSame(
    hashes,
    hashes.map(() => first),
    `equal states of ${servers.map(({ name }) => name).join(', ')} at ${first?.index ?? 0}`,
  )
}

/** What a server that runs has applied, and the hash of every row of its catalog. */
export function hashed(server: ClusterServer): Hashed {
  // In a process of its own the agent keeps its locks, so its database can be read while it runs.
  const reader = new StateReader(join(server.directory, 'state.db'))
  try {
    return reader.stateHash()
  } finally {
    reader.close()
  }
}

interface Committed {
  readonly idx: number
  readonly data: Buffer
}

/**
 * The log of a stopped server says what was committed, its catalog what was applied: one row for each
 * request, at the first index where it stands, however often its proposer had to ask. A restore brings many
 * services by one command; `restored` is how their names begin.
 */
export function checkAppliedOnce(t: Test, server: ClusterServer, restored = '-'): void {
  const log = new Sqlite(join(server.directory, 'raft.db'), { readonly: true })
  const state = new Sqlite(join(server.directory, 'state.db'), { readonly: true })
  const applied = state
    .prepare<[], { value: number }>("SELECT value FROM meta WHERE key = 'applied_index'")
    .get()?.value
  const entries = log
    .prepare<[number], Committed>(
      'SELECT idx, data FROM log WHERE kind = 0 AND idx <= ? ORDER BY idx',
    )
    .all(applied ?? 0)
  const before = log.prepare<[], { base_index: number }>('SELECT base_index FROM state').get()
  const rows = state
    .prepare<[], { log_index: number; request_id: string }>(
      'SELECT log_index, request_id FROM requests ORDER BY log_index',
    )
    .all()
  const services = state
    .prepare<[string], { create_index: number; many: number }>(
      `SELECT create_index, count(*) AS many FROM services WHERE name NOT LIKE ? || '%'
       GROUP BY create_index HAVING many > 1`,
    )
    .all(restored)
  log.close()
  state.close()
  const first = new Map<string, number>()
  for (const { idx, data } of entries) {
    const { requestId } = JSON.parse(data.toString()) as { requestId: string }
    if (!first.has(requestId)) first.set(requestId, idx)
  }
  const base = before?.base_index ?? 0
  // Request ids are forgotten after a while, so a long log holds entries whose ids nobody knows any more.
  const known = Math.max(base + 1, rows[0]?.log_index ?? 0)
  const late = rows.filter(({ log_index: index }) => index >= known)
  const early = new Set(rows.filter((row) => row.log_index < known).map((row) => row.request_id))
  t.strictSame(
    late.map((row) => `${row.log_index} ${row.request_id}`),
    [...first]
      .filter(([id, idx]) => idx >= known && !early.has(id))
      .map(([id, idx]) => `${idx} ${id}`),
    `${server.name}: each of ${late.length} requests was applied once, at its first index`,
  )
  t.equal(new Set(rows.map((row) => row.request_id)).size, rows.length, 'no request twice')
  t.strictSame(services, [], 'no two instances by one command')
}

/** How many entries in the log of a stopped server register the service `id`. */
export function timesLogged(server: ClusterServer, id: string): number {
  const log = new Sqlite(join(server.directory, 'raft.db'), { readonly: true })
  const rows = log.prepare<[], { data: Buffer }>('SELECT data FROM log WHERE kind = 0').all()
  log.close()
  return rows.filter(({ data }) => {
    const { body } = JSON.parse(data.toString()) as { body: { service?: { id: string } } }
    return body.service?.id === id
  }).length
}
