import type { Migration } from '../machine/family.ts'
import { createTable } from '../machine/table.ts'
import { lockDelaysTable, sessionChecksTable, sessionsTable } from './tables.ts'

/** The first format that has sessions and locks. */
export const sessionFormat = 9

export const sessionMigrations: readonly Migration[] = [
  {
    format: sessionFormat,
    sql: `
      ${createTable(sessionsTable)}
      CREATE INDEX sessions_by_node ON sessions (node_key, id);
      CREATE INDEX sessions_by_index ON sessions (create_index, id);
      ${createTable(sessionChecksTable)}
      ${createTable(lockDelaysTable)}
      CREATE INDEX lock_delays_by_index ON lock_delays (modify_index, key);
      CREATE INDEX kv_by_session ON kv (session, key) WHERE session <> '';
    `,
  },
]
