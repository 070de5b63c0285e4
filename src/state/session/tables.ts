import { defineTable } from '../machine/table.ts'
import type { RowOf } from '../machine/table.ts'

const sessionColumns = {
  id: 'text',
  /** The name of the node in lower case, as in the catalog. */
  node_key: 'text',
  node: 'text',
  name: 'text',
  /** Up to 60 s. */
  lock_delay_ns: 'integer',
  /** `release` or `delete`: what happens to its keys when it ends. */
  behavior: 'text',
  /** As it was asked for. */
  ttl: 'text',
  /** 0: it does not end by silence. */
  ttl_ms: 'integer',
  /** JSON: IDs of checks, or null. */
  node_checks: 'text',
  /** JSON: {@link ServiceCheck}s, or null. */
  service_checks: 'text',
  create_index: 'integer',
  modify_index: 'integer',
} as const

const sessionCheckColumns = { node_key: 'text', check_id: 'text', session: 'text' } as const

const lockDelayColumns = {
  key: 'text',
  delay_ns: 'integer',
  /** The entry at which it began. */
  modify_index: 'integer',
} as const

export type SessionRow = RowOf<typeof sessionColumns>
export type SessionCheckRow = RowOf<typeof sessionCheckColumns>
export type LockDelayRow = RowOf<typeof lockDelayColumns>

export const sessionsTable = defineTable('sessions', ['id'], sessionColumns)

/** Which checks end which sessions. */
export const sessionChecksTable = defineTable(
  'session_checks',
  ['node_key', 'check_id', 'session'],
  sessionCheckColumns,
)

/**
 * Keys that no session may lock yet, because a session that held them has ended. Durations alone are stored:
 * the leader measures them, and ends each by a command.
 */
export const lockDelaysTable = defineTable('lock_delays', ['key'], lockDelayColumns, {
  // Those of an archive come back, and those that are running stay.
  tellsOfLog: 'the keys that sessions have lost lately',
})
