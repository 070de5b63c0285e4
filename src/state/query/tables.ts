import { defineTable } from '../machine/table.ts'
import type { RowOf } from '../machine/table.ts'

const queryColumns = {
  id: 'text',
  name: 'text',
  /** The name in lower case: names are found in any case. */
  name_key: 'text',
  /** The labels of `name_key` in reverse, for finding what is below a name; '' without a name. */
  reversed_key: 'text',
  is_template: 'integer',
  /** '' for none. */
  session: 'text',
  /** The other fields, as JSON. */
  definition: 'text',
  create_index: 'integer',
  modify_index: 'integer',
} as const

export type QueryRow = RowOf<typeof queryColumns>

export const queriesTable = defineTable('queries', ['id'], queryColumns)
