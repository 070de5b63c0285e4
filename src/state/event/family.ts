import type { Family } from '../machine/family.ts'
import { openEvents } from './apply.ts'
import { eventCommands } from './commands.ts'
import type { EventCommand } from './commands.ts'
import { EventReader } from './reader.ts'
import { restoreEvents } from './restore.ts'
import { eventMigrations } from './schema.ts'
import { eventsTable } from './tables.ts'

/** The last user events. */
export const eventFamily: Family<EventCommand, EventReader> = {
  name: 'event',
  migrations: eventMigrations,
  tables: [eventsTable],
  commands: eventCommands,
  keepsIndexes: false,
  open: openEvents,
  reader: (db) => new EventReader(db),
  restore: restoreEvents,
}
