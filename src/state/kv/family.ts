import type { Family } from '../machine/family.ts'
import { openKv } from './apply.ts'
import { kvCommands } from './commands.ts'
import type { KvCommand } from './commands.ts'
import { KvReader } from './reader.ts'
import { restoreKv } from './restore.ts'
import { kvMigrations } from './schema.ts'
import { kvTable, kvTombstonesTable } from './tables.ts'

/** Keys with values. */
export const kvFamily: Family<KvCommand, KvReader> = {
  name: 'kv',
  migrations: kvMigrations,
  tables: [kvTable, kvTombstonesTable],
  commands: kvCommands,
  keepsIndexes: false,
  open: openKv,
  reader: (db) => new KvReader(db),
  restore: restoreKv,
}
