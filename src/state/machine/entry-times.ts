import type { Database } from 'better-sqlite3'

/** When an entry of the log was written, by the clock of the server that led then. */
export interface EntryTime {
  readonly index: number
  /** Milliseconds since 1970, UTC. */
  readonly timeMs: number
}

export interface EntryTimes {
  /** Of the entries that were asked for: those whose time is remembered. */
  readonly known: readonly EntryTime[]
  /** The oldest and the newest entry that are remembered; older ones were before that. */
  readonly oldest: EntryTime | undefined
  readonly newest: EntryTime | undefined
}

/**
 * The times of entries, from the requests that the catalog remembers (at least 10,000 entries and 10
 * minutes). They are replicated: every server gives the same times.
 */
export function prepareEntryTimes(db: Database): (indexes: readonly number[]) => EntryTimes {
  const columns = 'SELECT log_index AS "index", time_ms AS timeMs FROM requests'
  const at = db.prepare<[number], EntryTime>(`${columns} WHERE log_index = ?`)
  const first = db.prepare<[], EntryTime>(`${columns} ORDER BY log_index LIMIT 1`)
  const last = db.prepare<[], EntryTime>(`${columns} ORDER BY log_index DESC LIMIT 1`)
  return (indexes) => ({
    known: indexes.flatMap((index) => at.get(index) ?? []),
    oldest: first.get(),
    newest: last.get(),
  })
}
