import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { must } from '../base/assert.ts'
import { reasonOf, svcdError } from '../base/errors.ts'
import { stateTables } from '../state/families.ts'
import { loadSums } from '../state/machine/sums.ts'
import { formatOf } from './sqlite.ts'

// Operations on the tables of a state as a whole, whatever they are.

interface Table {
  readonly name: string
  readonly columns: readonly string[]
  /** In the order of the primary key. */
  readonly keys: readonly string[]
}

/** Of an attached database, by name. */
export function tablesOf(db: Database, schema = 'main'): readonly Table[] {
  const names = db
    .prepare<[], { name: string }>(
      `SELECT name FROM ${schema}.sqlite_schema WHERE type = 'table' ORDER BY name`,
    )
    .all()
  return names.map(({ name }) => {
    const columns = db.pragma(`${schema}.table_info(${name})`) as { name: string; pk: number }[]
    const keys = columns.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk)
    return {
      name,
      columns: columns.map((column) => column.name),
      keys: keys.map((column) => column.name),
    }
  })
}

/** Rows by table. */
export function rowCounts(db: Database): Readonly<Record<string, number>> {
  const counts = tablesOf(db).map(({ name }) => {
    const row = db.prepare<[], { rows: number }>(`SELECT count(*) AS rows FROM ${name}`).get()
    return [name, must(row).rows] as const
  })
  return Object.fromEntries(counts)
}

/** How far a state has come: the entry that was applied last. Undefined for no state at all. */
export function appliedIn(
  db: Database,
  schema = 'main',
): { readonly index: number; readonly term: number } | undefined {
  const values = new Map(
    db
      .prepare<[], { key: string; value: unknown }>(`SELECT key, value FROM ${schema}.meta`)
      .all()
      .map(({ key, value }) => [key, value]),
  )
  const [index, term] = [values.get('applied_index'), values.get('applied_term')]
  return typeof index === 'number' && typeof term === 'number' ? { index, term } : undefined
}

const hashedAtOnce = 65_536

/**
 * SHA-256 over every row of every table in the order of its key: equal on two replicas that have
 * applied the same entries, wherever the rows lie in their files. Takes about a second for a
 * hundred thousand services, so use a connection, and best a thread, that nothing waits for.
 */
export function stateHash(db: Database): string {
  const hash = createHash('sha256')
  let text = ''
  for (const { name, columns, keys } of tablesOf(db)) {
    text += `${name} ${columns.join(' ')}\n`
    const rows = db
      .prepare<[], unknown[]>(
        `SELECT ${columns.join(', ')} FROM ${name} ORDER BY ${keys.join(', ')}`,
      )
      .raw()
    for (const row of rows.iterate()) {
      text += `${JSON.stringify(row)}\n`
      if (text.length < hashedAtOnce) continue
      hash.update(text)
      text = ''
    }
  }
  return hash.update(text).digest('hex')
}

/**
 * Replaces all rows of the open database by those of `file`, a finished snapshot, in one
 * transaction: other connections see the old state or the new one. (A file that is renamed over an
 * open database is not seen by them.) Throws SvcdError `snapshot-unusable` when `file` is not of
 * `expected` or has another format, and nothing is changed then.
 */
export function restoreTables(
  db: Database,
  file: string,
  expected: { readonly index: number; readonly term: number },
): void {
  const refuse = (reason: string): never => {
    throw svcdError('snapshot-unusable', { file, reason })
  }
  // SQLite would make an empty one.
  if (!existsSync(file)) refuse('the file does not exist')
  try {
    db.prepare('ATTACH DATABASE ? AS snapshot').run(file)
  } catch (error) {
    return refuse(reasonOf(error))
  }
  try {
    checkSnapshot(db, expected, refuse)
    // The rows come from a database whose keys fit; with the checks off SQLite copies whole tables.
    db.pragma('foreign_keys = OFF')
    db.exec('BEGIN IMMEDIATE')
    for (const { name } of tablesOf(db)) {
      db.exec(`DELETE FROM main.${name}`)
      db.exec(`INSERT INTO main.${name} SELECT * FROM snapshot.${name}`)
    }
    db.exec('COMMIT')
  } finally {
    if (db.inTransaction) db.exec('ROLLBACK')
    db.pragma('foreign_keys = ON')
    db.exec('DETACH DATABASE snapshot')
  }
}

/** Why a snapshot of another format cannot be read; an older one is brought to the present format before. */
export function otherFormat(format: number, known: number): string {
  return (
    `it has format ${format}, but this svcd reads format ${known}` +
    (format > known ? ' and older; upgrade this server first' : '')
  )
}

/** Why these are not the tables of a state; undefined when they are. */
function tableFault(found: readonly Table[], known: readonly Table[]): string | undefined {
  const byName = new Map(found.map((table) => [table.name, table]))
  for (const table of known) {
    const other = byName.get(table.name)
    if (other === undefined) return `it does not have the table ${table.name}`
    byName.delete(table.name)
    if (JSON.stringify(other) !== JSON.stringify(table)) {
      return `its table ${table.name} has other columns than this svcd knows`
    }
  }
  const [unknown] = byName.keys()
  return unknown === undefined ? undefined : `it has the unknown table ${unknown}`
}

function checkSnapshot(
  db: Database,
  expected: { readonly index: number; readonly term: number },
  refuse: (reason: string) => never,
): void {
  let format: number
  try {
    format = formatOf(db, 'snapshot')
  } catch (error) {
    return refuse(reasonOf(error))
  }
  const known = formatOf(db)
  if (format !== known) refuse(otherFormat(format, known))
  const fault = tableFault(tablesOf(db, 'snapshot'), tablesOf(db))
  if (fault !== undefined) refuse(fault)
  const applied = appliedIn(db, 'snapshot')
  if (applied === undefined) return refuse('it has no applied index')
  const { index, term } = applied
  if (index !== expected.index || term !== expected.term) {
    refuse(
      `it is from entry ${index}, term ${term}, instead of entry ${expected.index}, term ${expected.term}`,
    )
  }
  try {
    loadSums(db, stateTables, 'snapshot')
  } catch (error) {
    refuse(reasonOf(error))
  }
}
