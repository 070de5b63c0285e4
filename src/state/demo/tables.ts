import { defineTable } from '../machine/table.ts'
import type { RowOf } from '../machine/table.ts'

export const demoFormat = 8

const columns = { name: 'text', text: 'text', modify_index: 'integer' } as const

export type DemoRow = RowOf<typeof columns>

export const demoTable = defineTable('demo', ['name'], columns)
