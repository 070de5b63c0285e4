import type { Migration } from '../machine/family.ts'
import { createTable } from '../machine/table.ts'
import { intentionsTable } from './tables.ts'

/** The first format that has intentions. */
export const intentionFormat = 14

export const intentionMigrations: readonly Migration[] = [
  {
    format: intentionFormat,
    sql: `
      ${createTable(intentionsTable)}
      CREATE UNIQUE INDEX intentions_by_source ON intentions (source_key, destination_key);
      CREATE INDEX intentions_by_destination ON intentions (destination_key);
      CREATE INDEX intentions_by_rank ON intentions
        (rank, source_ns, source_name, destination_ns, destination_name);
    `,
  },
]
