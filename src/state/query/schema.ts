import type { Migration } from '../machine/family.ts'
import { createTable } from '../machine/table.ts'
import { queriesTable } from './tables.ts'

/** The first format that has prepared queries. */
export const queryFormat = 11

export const queryMigrations: readonly Migration[] = [
  {
    format: queryFormat,
    sql: `
      ${createTable(queriesTable)}
      CREATE INDEX queries_by_name ON queries (name_key);
      CREATE INDEX queries_by_template ON queries (name_key) WHERE is_template = 1;
      CREATE INDEX queries_by_label ON queries (reversed_key);
      CREATE INDEX queries_by_session ON queries (session) WHERE session <> '';
    `,
  },
]
