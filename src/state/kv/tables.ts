import { defineTable } from '../machine/table.ts'
import type { RowOf } from '../machine/table.ts'

const entryColumns = {
  key: 'text',
  /** Decimal: up to 2^64-1, which no integer of SQLite and no number of JavaScript holds. */
  flags: 'text',
  /** How often the lock of the key was taken. */
  lock_index: 'integer',
  /** The session that holds the lock; '' for none. */
  session: 'text',
  create_index: 'integer',
  modify_index: 'integer',
  /** The last column, so that the others of a long row are read without it. */
  value: 'blob',
} as const

const tombstoneColumns = { key: 'text', modify_index: 'integer' } as const

export type EntryRow = RowOf<typeof entryColumns>
export type TombstoneRow = RowOf<typeof tombstoneColumns>

export const kvTable = defineTable('kv', ['key'], entryColumns)

/**
 * The keys that were deleted lately, so that the index of a prefix never falls. No key is empty, so the row
 * of '' is free for the largest index of the forgotten keys: none of them has changed after it.
 */
export const kvTombstonesTable = defineTable('kv_tombstones', ['key'], tombstoneColumns, {
  tellsOfLog: 'its entries that deleted a key',
})

export const floorKey = ''
