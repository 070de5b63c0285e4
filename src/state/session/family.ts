import type { Family } from '../machine/family.ts'
import { openSessions } from './apply.ts'
import { sessionCommands } from './commands.ts'
import type { SessionCommand } from './commands.ts'
import { SessionReader } from './reader.ts'
import { restoreSessions } from './restore.ts'
import { sessionMigrations } from './schema.ts'
import { lockDelaysTable, sessionChecksTable, sessionsTable } from './tables.ts'

/** Sessions, the locks that they hold on keys, and the delays after them. */
export const sessionFamily: Family<SessionCommand, SessionReader> = {
  name: 'session',
  migrations: sessionMigrations,
  tables: [sessionsTable, sessionChecksTable, lockDelaysTable],
  commands: sessionCommands,
  keepsIndexes: true,
  open: openSessions,
  reader: (db) => new SessionReader(db),
  restore: restoreSessions,
}
