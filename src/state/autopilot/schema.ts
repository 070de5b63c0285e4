import type { Migration } from '../machine/family.ts'
import { createTable } from '../machine/table.ts'
import { autopilotTable } from './tables.ts'

/** The first format that has the settings of Autopilot. */
export const autopilotFormat = 13

export const autopilotMigrations: readonly Migration[] = [
  { format: autopilotFormat, sql: createTable(autopilotTable) },
]
