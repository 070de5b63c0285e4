import type { Database } from 'better-sqlite3'
import { must } from '../base/assert.ts'
import { reasonOf } from '../base/errors.ts'
import { loadSums, scanTable, SumsError } from '../state/machine/sums.ts'
import { faultBy } from './sqlite.ts'

/**
 * Compares every row and every index of an open state with the sums that the write path keeps.
 * Returns what is damaged, in words; undefined when nothing is. Takes some seconds for a million
 * rows, so it is for a thread of its own. Each table is read in a transaction of its own: a long one
 * would keep the WAL from being emptied.
 */
export function damageIn(db: Database): string | undefined {
  let tables: readonly string[] = []
  const damage = inTransaction(db, () => {
    // Those of an older format are fewer.
    tables = Object.keys(loadSums(db).sums)
    return undefined
  })
  if (damage !== undefined) return damage
  for (const table of tables) {
    const found = inTransaction(db, () => damageOf(db, table))
    if (found !== undefined) return found
  }
  return undefined
}

function inTransaction(db: Database, look: () => string | undefined): string | undefined {
  // What SQLite finds itself while it reads is damage; what keeps it from reading is not.
  try {
    db.exec('BEGIN')
    return look()
  } catch (error) {
    if (isDamage(error)) return reasonOf(error)
    if (error instanceof SumsError) return `table meta: ${error.message}`
    throw error
  } finally {
    if (db.inTransaction) db.exec('ROLLBACK')
  }
}

function damageOf(db: Database, table: string): string | undefined {
  const { place, sums } = loadSums(db)
  const found = scanTable(db, table)
  const told = must(sums[table]).text
  if (found.text !== told) {
    return (
      `table ${table}: its rows differ from the rows written up to entry ${place.index} ` +
      `(their checksum is ${found.text} instead of ${told})`
    )
  }
  // The rows are whole; an index that readers use instead of them may not be.
  const fault = faultBy(db, `integrity_check(${table})`)
  return fault === undefined ? undefined : `table ${table}: ${fault}`
}

/**
 * Whether an error of a read may be caused by damage: SQLite says so, or a row holds no JSON where all that
 * is written there is JSON.
 */
export function isSignOfDamage(error: unknown): boolean {
  return isDamage(error) || error instanceof SyntaxError
}

/**
 * Whether SQLite reports that the file is not a database any more, rather than that it cannot read
 * it now.
 */
export function isDamage(error: unknown): boolean {
  const { code } = error as { code?: string }
  return code?.startsWith('SQLITE_CORRUPT') === true || code === 'SQLITE_NOTADB'
}
