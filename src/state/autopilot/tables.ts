import { defineTable } from '../machine/table.ts'
import type { RowOf } from '../machine/table.ts'

const autopilotColumns = {
  /** Always 1: there is one row, or none while no setting was changed. */
  id: 'integer',
  cleanup_dead_servers: 'integer',
  min_quorum: 'integer',
  create_index: 'integer',
  modify_index: 'integer',
} as const

export type AutopilotRow = RowOf<typeof autopilotColumns>

export const autopilotTable = defineTable('autopilot', ['id'], autopilotColumns)
