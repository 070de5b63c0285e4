import type { Migration } from '../machine/family.ts'
import { createTable } from '../machine/table.ts'
import { kvTable, kvTombstonesTable } from './tables.ts'

/** The first format that has the tables of the key/value store. */
export const kvFormat = 7

export const kvMigrations: readonly Migration[] = [
  {
    format: kvFormat,
    sql: `
      ${createTable(kvTable)}
      ${createTable(kvTombstonesTable)}
      CREATE INDEX kv_tombstones_by_index ON kv_tombstones (modify_index);
    `,
  },
]
