import type { Family } from '../machine/family.ts'
import { openAutopilot } from './apply.ts'
import { autopilotCommands } from './commands.ts'
import type { AutopilotCommand } from './commands.ts'
import { AutopilotReader } from './reader.ts'
import { restoreAutopilot } from './restore.ts'
import { autopilotMigrations } from './schema.ts'
import { autopilotTable } from './tables.ts'

/** The settings of Autopilot. */
export const autopilotFamily: Family<AutopilotCommand, AutopilotReader> = {
  name: 'autopilot',
  migrations: autopilotMigrations,
  tables: [autopilotTable],
  commands: autopilotCommands,
  keepsIndexes: false,
  open: openAutopilot,
  reader: (db) => new AutopilotReader(db),
  restore: restoreAutopilot,
}
