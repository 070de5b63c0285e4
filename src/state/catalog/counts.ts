import type { Database } from 'better-sqlite3'
import { must } from '../../base/assert.ts'
import type { Status } from './model.ts'

/** How much there is in the catalog. */
export interface CatalogCounts {
  readonly nodes: number
  /** Different names. */
  readonly services: number
  readonly instances: number
  readonly checks: Readonly<Record<Status, number>>
}

/** Checks that pass are not walked: there may be a hundred thousand, and others are few. */
export function prepareCounts(db: Database): () => CatalogCounts {
  const sizes = db.prepare<[], { nodes: number; services: number; instances: number; all: number }>(
    `SELECT (SELECT count(*) FROM nodes) AS nodes,
     (SELECT count(DISTINCT name_key) FROM services) AS services,
     (SELECT count(*) FROM services) AS instances,
     (SELECT count(*) FROM checks) AS "all"`,
  )
  const telling = db.prepare<[], { status: Status; count: number }>(
    `SELECT status, count(*) AS count FROM checks INDEXED BY checks_that_tell
     WHERE status <> 'passing' OR (check_id >= '_' AND check_id < '\`') GROUP BY status`,
  )
  return () => {
    const { all, ...rest } = must(sizes.get())
    const told = new Map(telling.all().map(({ status, count }) => [status, count]))
    const [warning, critical] = [told.get('warning') ?? 0, told.get('critical') ?? 0]
    return { ...rest, checks: { passing: all - warning - critical, warning, critical } }
  }
}
