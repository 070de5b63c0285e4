import type { Database } from 'better-sqlite3'
import { must } from '../../base/assert.ts'
import { hashOf, RowSum } from './row-sum.ts'

/** By the name of the table: all that is replicated. `meta` holds the sums themselves. */
export type StateSums = Readonly<Record<string, RowSum>>

/** Up to which entry a state goes. */
export interface AppliedPlace {
  readonly index: number
  readonly term: number
}

/** Adds up all rows of these tables: what the sums are checked against. */
export function scanSums(db: Database, tables: readonly string[], schema = 'main'): StateSums {
  return Object.fromEntries(tables.map((table) => [table, scanTable(db, table, schema)]))
}

/** All rows of one table, in the order of its key. Takes about a microsecond a row. */
export function scanTable(db: Database, table: string, schema = 'main'): RowSum {
  const sum = new RowSum()
  // Not the one index that is shorter: the rows themselves.
  const rows = db.prepare<[], unknown[]>(`SELECT * FROM ${schema}.${table} NOT INDEXED`).raw()
  for (const row of rows.iterate()) sum.add(row)
  return sum
}

/**
 * One text for the row of `meta`: which entry it is of, the sum of each table, and a hash over both,
 * so that damage to the sums, or to the applied index beside them, is found, too.
 */
export function encodeSums(sums: StateSums, { index, term }: AppliedPlace): string {
  const text = tablesText(sums)
  return `${text} ${hashOf([index, term, text])}`
}

/** What distinguishes the states of two replicas at one entry. */
export function tablesText(sums: StateSums): string {
  let text = ''
  for (const table in sums) text += `${table}=${must(sums[table]).text} `
  return text.slice(0, -1)
}

/** Undefined when `text` is not what {@link encodeSums} made for `place`. */
export function decodeSums(text: unknown, { index, term }: AppliedPlace): StateSums | undefined {
  if (typeof text !== 'string') return undefined
  const end = text.lastIndexOf(' ')
  const told = text.slice(0, Math.max(end, 0))
  if (hashOf([index, term, told]) !== text.slice(end + 1)) return undefined
  const sums: Record<string, RowSum> = {}
  for (const part of told.split(' ')) {
    const [table = '', sum = ''] = part.split('=')
    const parsed = RowSum.parse(sum)
    if (parsed === undefined) return undefined
    sums[table] = parsed
  }
  return sums
}

/** The sums in a state's `meta` cannot be trusted: they, or the applied index, are damaged. */
export class SumsError extends Error {
  override name = 'SumsError'
}

/**
 * What a state's `meta` says of it: the sums of these tables, or of all that are noted. Throws
 * {@link SumsError}.
 */
export function loadSums(
  db: Database,
  asked?: readonly string[],
  schema = 'main',
): { readonly place: AppliedPlace; readonly sums: StateSums } {
  const { place, text } = readMeta(db, schema)
  const found = place === undefined ? undefined : decodeSums(text, place)
  const tables = asked ?? Object.keys(found ?? {})
  if (place === undefined || found === undefined || tables.some((table) => !(table in found))) {
    throw new SumsError(
      'the checksums of its tables are missing, or belong to another applied index',
    )
  }
  // In one order, whichever they were noted in.
  return { place, sums: Object.fromEntries(tables.map((table) => [table, must(found[table])])) }
}

/** Sums all rows and notes the result: for a new state, and one that an older release has written. */
export function initializeSums(db: Database, tables: readonly string[]): void {
  noteSums(db, scanSums(db, tables))
}

/** Whether the rows of a table are what its sum says: what a migration asks before it changes them. */
export function isSoundTable(db: Database, table: string): boolean {
  return notedSums(db)?.[table]?.text === scanTable(db, table).text
}

/**
 * Notes the sums of tables that a migration has added beside those that were there. Of these it sums up
 * again only the `changed` ones, which must have been sound before: otherwise damage would be taken for
 * right. A table that was not sound keeps its sum, which its rows do not match. Sums that cannot be trusted
 * are left as they are.
 */
export function extendSums(
  db: Database,
  tables: readonly string[],
  changed: readonly string[] = [],
): void {
  const found = notedSums(db)
  if (found === undefined) return
  const sumOf = (table: string): RowSum =>
    (changed.includes(table) ? undefined : found[table]) ?? scanTable(db, table)
  noteSums(db, Object.fromEntries(tables.map((table) => [table, sumOf(table)])))
}

/** Undefined when they cannot be trusted. */
function notedSums(db: Database): StateSums | undefined {
  const { place, text } = readMeta(db, 'main')
  return place === undefined ? undefined : decodeSums(text, place)
}

/** Notes `sums` as those of the entry that `meta` says was applied last. */
export function noteSums(db: Database, sums: StateSums): void {
  const { place } = readMeta(db, 'main')
  // A file without an applied index is not a state; its reader reports that.
  if (place === undefined) return
  db.prepare("INSERT OR REPLACE INTO meta VALUES ('sums', ?)").run(encodeSums(sums, place))
}

function readMeta(
  db: Database,
  schema: string,
): { readonly place: AppliedPlace | undefined; readonly text: unknown } {
  const rows = db
    .prepare<[], { key: string; value: unknown }>(`SELECT key, value FROM ${schema}.meta`)
    .all()
  const values = new Map(rows.map(({ key, value }) => [key, value]))
  const [index, term] = [values.get('applied_index'), values.get('applied_term')]
  const isPlaced = typeof index === 'number' && typeof term === 'number'
  return { place: isPlaced ? { index, term } : undefined, text: values.get('sums') }
}
