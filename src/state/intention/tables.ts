import { defineTable } from '../machine/table.ts'
import type { RowOf } from '../machine/table.ts'

const intentionColumns = {
  id: 'text',
  /** 0 decides first; see `rowOf`. */
  rank: 'integer',
  source_ns: 'text',
  source_name: 'text',
  destination_ns: 'text',
  destination_name: 'text',
  /** Namespace and name in lower case. */
  source_key: 'text',
  destination_key: 'text',
  action: 'text',
  /** The other fields, as JSON. */
  rest: 'text',
  create_time_ms: 'integer',
  update_time_ms: 'integer',
  create_index: 'integer',
  modify_index: 'integer',
} as const

export type IntentionRow = RowOf<typeof intentionColumns>

export const intentionsTable = defineTable('intentions', ['id'], intentionColumns)
