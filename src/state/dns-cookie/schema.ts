import type { Migration } from '../machine/family.ts'
import { createTable } from '../machine/table.ts'
import { dnsCookieTable } from './tables.ts'

/** The first format that has the secrets of DNS cookies. */
export const dnsCookieFormat = 15

export const dnsCookieMigrations: readonly Migration[] = [
  { format: dnsCookieFormat, sql: createTable(dnsCookieTable) },
]
