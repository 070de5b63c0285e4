import type { Family } from '../machine/family.ts'
import { openQueries } from './apply.ts'
import { queryCommands } from './commands.ts'
import type { QueryCommand } from './commands.ts'
import { QueryReader } from './reader.ts'
import { restoreQueries } from './restore.ts'
import { queryMigrations } from './schema.ts'
import { queriesTable } from './tables.ts'

/** Prepared queries. */
export const queryFamily: Family<QueryCommand, QueryReader> = {
  name: 'query',
  migrations: queryMigrations,
  tables: [queriesTable],
  commands: queryCommands,
  keepsIndexes: true,
  open: openQueries,
  reader: (db) => new QueryReader(db),
  restore: restoreQueries,
}
