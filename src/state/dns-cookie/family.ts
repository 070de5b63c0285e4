import type { Family } from '../machine/family.ts'
import { openDnsCookie } from './apply.ts'
import { dnsCookieCommands } from './commands.ts'
import type { DnsCookieCommand } from './commands.ts'
import { DnsCookieReader } from './reader.ts'
import { restoreDnsCookie } from './restore.ts'
import { dnsCookieMigrations } from './schema.ts'
import { dnsCookieTable } from './tables.ts'

/** The secrets of DNS cookies, which all servers share. */
export const dnsCookieFamily: Family<DnsCookieCommand, DnsCookieReader> = {
  name: 'dns-cookie',
  migrations: dnsCookieMigrations,
  tables: [dnsCookieTable],
  commands: dnsCookieCommands,
  keepsIndexes: false,
  open: openDnsCookie,
  reader: (db) => new DnsCookieReader(db),
  restore: restoreDnsCookie,
}
