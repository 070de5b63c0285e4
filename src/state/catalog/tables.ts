import { defineTable } from '../machine/table.ts'
import type { RowOf } from '../machine/table.ts'
import { laterColumns } from './service-fields.ts'

// The tables of the catalog, each with its columns in the order of the table. `*_key` columns are in
// lower case: names match without regard to case (RFC 4343), and show as written.

const nodeColumns = {
  key: 'text',
  /** The labels of the name in reverse, so that names below a suffix are a range. */
  reversed_key: 'text',
  name: 'text',
  id: 'text',
  address: 'text',
  tagged_addresses: 'text',
  meta: 'text',
  create_index: 'integer',
  modify_index: 'integer',
} as const

const serviceColumns = {
  node_key: 'text',
  id: 'text',
  name: 'text',
  name_key: 'text',
  address: 'text',
  port: 'integer',
  tags: 'text',
  meta: 'text',
  weight_passing: 'integer',
  weight_warning: 'integer',
  tagged_addresses: 'text',
  enable_tag_override: 'integer',
  owner: 'text',
  extra: 'text',
  create_index: 'integer',
  modify_index: 'integer',
  ...laterColumns,
} as const

const checkColumns = {
  node_key: 'text',
  check_id: 'text',
  name: 'text',
  status: 'text',
  notes: 'text',
  output: 'text',
  service_id: 'text',
  type: 'text',
  interval: 'text',
  timeout: 'text',
  definition: 'text',
  create_index: 'integer',
  modify_index: 'integer',
  evidence: 'text',
} as const

export type NodeRow = RowOf<typeof nodeColumns>
export type ServiceRow = RowOf<typeof serviceColumns>
export type CheckRow = RowOf<typeof checkColumns>

export const nodesTable = defineTable('nodes', ['key'], nodeColumns)
export const servicesTable = defineTable('services', ['node_key', 'id'], serviceColumns)
export const checksTable = defineTable('checks', ['node_key', 'check_id'], checkColumns)

/** Which node or service has an address; `service_id` is '' for the node. Made from the other tables. */
export const addressesTable = defineTable('addresses', ['ip', 'service_id', 'node_key'], {
  ip: 'text',
  service_id: 'text',
  node_key: 'text',
})
