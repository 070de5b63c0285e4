import { defineTable } from '../machine/table.ts'
import type { RowOf } from '../machine/table.ts'

const dnsCookieColumns = {
  /** Always 1: there is one row, or none before the first secret. */
  id: 'integer',
  /** 32 hexadecimal digits. */
  secret: 'text',
  /** The secret before; empty if there was none. */
  previous: 'text',
  /** When the secret took its place, by the wall clock of the leader. */
  rotated_ms: 'integer',
} as const

export type DnsCookieRow = RowOf<typeof dnsCookieColumns>

export const dnsCookieTable = defineTable('dns_cookie', ['id'], dnsCookieColumns)
