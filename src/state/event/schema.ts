import type { Migration } from '../machine/family.ts'
import { createTable } from '../machine/table.ts'
import { eventsTable } from './tables.ts'

/** The first format that has the table of events. */
export const eventFormat = 10

export const eventMigrations: readonly Migration[] = [
  { format: eventFormat, sql: createTable(eventsTable) },
]
