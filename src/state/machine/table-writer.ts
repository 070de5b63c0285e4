import type { Database, Statement } from 'better-sqlite3'
import type { RowSum } from './row-sum.ts'
import type { ColumnValue, ColumnValues } from './rows-insert.ts'
import type { AnyTable } from './table.ts'
import { valuesOf } from './table.ts'

/** Told of a write: `row` is undefined when it was removed, and `before` when it was not there. */
export type RowListener<R> = (row: R | undefined, before: R | undefined) => void

/**
 * The writes to one table. Each keeps the sum of the table: the old row is subtracted as it was read,
 * and the new one is added.
 */
export class TableWriter {
  readonly #table: AnyTable
  readonly #db: Database
  readonly #put: Statement<ColumnValue[]>
  readonly #add: Statement<ColumnValue[]>
  readonly #remove: Statement<ColumnValue[]>
  /** Replaced when the state is loaded again. */
  sum: RowSum
  /** Called after each write, in this order. */
  readonly listeners: RowListener<never>[] = []

  constructor(db: Database, table: AnyTable, sum: RowSum) {
    this.#db = db
    this.#table = table
    this.sum = sum
    const { name, columns, keyCount } = table
    const [keys, others] = [columns.slice(0, keyCount), columns.slice(keyCount)]
    const insert = `INSERT INTO ${name} VALUES (${columns.map(() => '?').join(', ')})
       ON CONFLICT (${keys.join(', ')}) DO`
    this.#put = db.prepare(`${insert} ${others.length === 0 ? 'NOTHING' : set(others)}`)
    this.#add = db.prepare(`${insert} NOTHING`)
    this.#remove = db.prepare(`DELETE FROM ${name} WHERE ${where(keys)}`)
  }

  /** `before` is the row as it was read; undefined: there was none. */
  put(row: object, before: object | undefined): void {
    const values = valuesOf(this.#table, row)
    if (before !== undefined) this.sum.subtract(valuesOf(this.#table, before))
    // Of a row that is a key alone, this may be the same one again.
    if (this.#put.run(...values).changes !== 1) return
    this.sum.add(values)
    this.#tell(row, before)
  }

  /** Returns false, and nothing happens, where a row of its key is. */
  add(row: object): boolean {
    const values = valuesOf(this.#table, row)
    if (this.#add.run(...values).changes === 0) return false
    this.sum.add(values)
    this.#tell(row, undefined)
    return true
  }

  /** Nothing happens where there is no such row. */
  remove(row: object): void {
    const values = valuesOf(this.#table, row)
    const { changes } = this.#remove.run(...values.slice(0, this.#table.keyCount))
    if (changes !== 1) return
    this.sum.subtract(values)
    this.#tell(undefined, row)
  }

  /** A put of a row of which only these columns have changed: SQLite leaves the indexes of others alone. */
  patch<R extends object>(columns: readonly (keyof R & string)[]): (row: R, before: R) => void {
    const { name, keyCount, columns: all } = this.#table
    const keys = all.slice(0, keyCount)
    const statement = this.#db.prepare<ColumnValue[]>(
      `UPDATE ${name} SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE ${where(keys)}`,
    )
    const bound = [...columns, ...keys] as unknown as readonly (keyof R)[]
    return (row, before) => {
      statement.run(...(bound.map((column) => row[column]) as unknown as ColumnValues))
      this.sum.subtract(valuesOf(this.#table, before))
      this.sum.add(valuesOf(this.#table, row))
      this.#tell(row, before)
    }
  }

  #tell(row: object | undefined, before: object | undefined): void {
    // Counted, not iterated: nearly all tables have none.
    for (let at = 0; at < this.listeners.length; at++) {
      const listener = this.listeners[at] as RowListener<object>
      listener(row, before)
    }
  }
}

function set(columns: readonly string[]): string {
  return `UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`
}

function where(keys: readonly string[]): string {
  return keys.map((key) => `${key} = ?`).join(' AND ')
}
