import { defineTable } from '../machine/table.ts'
import type { RowOf } from '../machine/table.ts'

const eventColumns = {
  /** Lamport time: a later event has a greater one. */
  ltime: 'integer',
  /** A UUID. */
  id: 'text',
  name: 'text',
  node_filter: 'text',
  service_filter: 'text',
  tag_filter: 'text',
  /** The names of the nodes that it is for, as a list in JSON; '' for all nodes. */
  nodes: 'text',
  create_index: 'integer',
  payload: 'blob',
} as const

export type EventRow = RowOf<typeof eventColumns>

/** The last events that were fired; see `eventsMax`. */
export const eventsTable = defineTable('events', ['ltime'], eventColumns, {
  tellsOfLog: 'its last events, which nothing can make unseen',
})
