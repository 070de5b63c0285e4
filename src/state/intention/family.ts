import type { Family } from '../machine/family.ts'
import { openIntentions } from './apply.ts'
import { intentionCommands } from './commands.ts'
import type { IntentionCommand } from './commands.ts'
import { IntentionReader } from './reader.ts'
import { restoreIntentions } from './restore.ts'
import { intentionMigrations } from './schema.ts'
import { intentionsTable } from './tables.ts'

/** Who may call whom. */
export const intentionFamily: Family<IntentionCommand, IntentionReader> = {
  name: 'intention',
  migrations: intentionMigrations,
  tables: [intentionsTable],
  commands: intentionCommands,
  keepsIndexes: true,
  open: openIntentions,
  reader: (db) => new IntentionReader(db),
  restore: restoreIntentions,
}
