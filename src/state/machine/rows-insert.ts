import type { Database, Statement } from 'better-sqlite3'

export type ColumnValue = string | number | Uint8Array

/**
 * A row's values in the order of its columns: bound by name, each would cost a look-up. Statements take them as
 * arguments, which costs a fifth less than one array.
 */
export type ColumnValues = readonly ColumnValue[]

/** Rows per statement. The fixed cost of a statement is paid once. */
const sizes = [32, 8, 2, 1] as const

interface Sized {
  readonly rows: number
  readonly statement: Statement<ColumnValue[]>
}

/** An INSERT of any number of rows, in as few statements as there are sizes for. */
export class RowsInsert {
  readonly #width: number
  readonly #sized: readonly Sized[]

  /** `INSERT INTO <table> VALUES (…), (…) <onConflict>`; `width` columns. */
  constructor(db: Database, into: { table: string; width: number; onConflict: string }) {
    const { table, width, onConflict } = into
    const row = `(${Array.from({ length: width }, () => '?').join(', ')})`
    this.#width = width
    this.#sized = sizes.map((rows) => {
      const values = Array.from({ length: rows }, () => row).join(', ')
      return { rows, statement: db.prepare(`INSERT INTO ${table} VALUES ${values} ${onConflict}`) }
    })
  }

  /** `values` of all rows, one behind the other. Returns how many rows were changed. */
  run(values: ColumnValues): number {
    let changes = 0
    let at = 0
    for (const { rows, statement } of this.#sized) {
      const step = rows * this.#width
      for (; values.length - at >= step; at += step) {
        changes += statement.run(...values.slice(at, at + step)).changes
      }
    }
    return changes
  }
}
