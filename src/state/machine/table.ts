import type { ColumnValues } from './rows-insert.ts'

/** As SQLite's STRICT tables know them. */
export type ColumnType = 'text' | 'integer' | 'blob'

type Columns = Readonly<Record<string, ColumnType>>

interface Values {
  readonly text: string
  readonly integer: number
  readonly blob: Uint8Array
}

/** A row of a table with these columns. */
export type RowOf<C extends Columns> = { -readonly [Name in keyof C]: Values[C[Name]] }

/** A table of the replicated state, whatever its rows are. */
export interface AnyTable {
  readonly name: string
  /** In the order of the table; those of the primary key first. */
  readonly columns: readonly string[]
  readonly types: Columns
  readonly keyCount: number
  /** Why no restore brings its rows back: they tell of this log. Undefined: they are data. */
  readonly tellsOfLog?: string | undefined
}

declare const rowType: unique symbol

/** A table whose rows are of type `R`. */
export interface Table<R> extends AnyTable {
  /** Carries the type of the rows; there is no such property. */
  readonly [rowType]?: R
}

/** One entity: its columns give the type of its rows, the statements that write it, and its DDL. */
export function defineTable<const C extends Columns>(
  name: string,
  key: readonly (keyof C & string)[],
  columns: C,
  { tellsOfLog }: { readonly tellsOfLog?: string } = {},
): Table<RowOf<C>> {
  const names = Object.keys(columns)
  if (key.some((column, at) => names[at] !== column)) {
    throw new Error(`table ${name}: the columns of its key must be the first ones`)
  }
  return { name, columns: names, types: columns, keyCount: key.length, tellsOfLog }
}

/**
 * What creates the table. Keys are explicit and tables WITHOUT ROWID: VACUUM renumbers rowids, and
 * the rows of two replicas would differ.
 */
export function createTable({ name, columns, types, keyCount }: AnyTable): string {
  const lines = columns.map((column) => `${column} ${types[column]?.toUpperCase() ?? ''} NOT NULL`)
  const key = columns.slice(0, keyCount).join(', ')
  return `CREATE TABLE ${name} (${[...lines, `PRIMARY KEY (${key})`].join(', ')}) STRICT, WITHOUT ROWID;`
}

/** The values of a row in the order of the columns. */
export function valuesOf(table: AnyTable, row: object): ColumnValues {
  return table.columns.map(
    (name) => (row as Readonly<Record<string, unknown>>)[name],
  ) as ColumnValues
}

/** Whether two rows say the same, their modify index aside. */
export function isSameRow<R extends object>(before: R, after: R): boolean {
  for (const name of Object.keys(after) as (keyof R)[]) {
    if (name !== 'modify_index' && !isSameValue(before[name], after[name])) return false
  }
  return true
}

function isSameValue(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (!(one instanceof Uint8Array) || !(other instanceof Uint8Array)) return false
  return Buffer.compare(one, other) === 0
}
