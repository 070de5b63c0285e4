import type { Database } from 'better-sqlite3'
import { must } from '../../base/assert.ts'
import { forgottenUpTo } from '../machine/subjects.ts'
import { isFrom, keyOf, matchingKeys } from './model.ts'
import type { Intention, IntentionName, IntentionSide } from './model.ts'
import { intentionOf } from './rows.ts'
import type { IntentionRow } from './tables.ts'

const pageRows = 256

/** Reads intentions over one connection. Lists have those that decide first in front, and are then ordered by their names. */
export class IntentionReader {
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  intention(id: string): Intention | undefined {
    return found(this.#sql.intention.get(id.toLowerCase()))
  }

  /** The one with exactly these names, in any case. */
  between(source: IntentionName, destination: IntentionName): Intention | undefined {
    return found(this.#sql.between.get(keyOf(source), keyOf(destination)))
  }

  *intentions(): Generator<Intention, void> {
    let last: Pick<IntentionRow, (typeof order)[number]> | undefined
    for (;;) {
      const from = order.map((column) => last?.[column] ?? (column === 'rank' ? -1 : ''))
      const rows = this.#sql.intentions.all(...from, pageRows)
      for (const row of rows) yield intentionOf(row)
      if (rows.length < pageRows) return
      last = must(rows.at(-1))
    }
  }

  /** All that are about a name on this side, whether by name or with `*`. */
  matching(side: IntentionSide, of: IntentionName): readonly Intention[] {
    return this.#sql[side].all(...matchingKeys(of)).map(intentionOf)
  }

  /** The one that decides whether `source` may call `destination`; undefined: none does. */
  deciding(source: IntentionName, destination: IntentionName): Intention | undefined {
    const keys = [...matchingKeys(source), ...matchingKeys(destination)]
    return this.#sql.pairs
      .all(...keys)
      .map(intentionOf)
      .find((intention) => isFrom(intention, source))
  }

  /** As that of the catalog: it rises with every change of a subject, and never falls. */
  indexOf(subject: string): number {
    return this.#sql.index.get(subject) ?? forgottenUpTo(this.appliedIndex())
  }

  /** The last entry of the log that it shows. */
  appliedIndex(): number {
    return this.#sql.appliedIndex.get() ?? 0
  }
}

function found(row: IntentionRow | undefined): Intention | undefined {
  return row === undefined ? undefined : intentionOf(row)
}

const order = ['rank', 'source_ns', 'source_name', 'destination_ns', 'destination_name'] as const

function prepare(db: Database) {
  const columns = order.join(', ')
  const rows = (where: string) =>
    db.prepare<string[], IntentionRow>(
      `SELECT * FROM intentions WHERE ${where} ORDER BY ${columns}`,
    )
  return {
    intention: rows('id = ?'),
    between: rows('source_key = ? AND destination_key = ?'),
    intentions: db.prepare<(string | number)[], IntentionRow>(
      `SELECT * FROM intentions WHERE (${columns}) > (?, ?, ?, ?, ?) ORDER BY ${columns} LIMIT ?`,
    ),
    source: rows('source_key IN (?, ?, ?)'),
    destination: rows('destination_key IN (?, ?, ?)'),
    pairs: rows('source_key IN (?, ?, ?) AND destination_key IN (?, ?, ?)'),
    index: db
      .prepare<[string], number>('SELECT modify_index FROM subjects WHERE subject = ?')
      .pluck(),
    appliedIndex: db
      .prepare<[], number>("SELECT value FROM meta WHERE key = 'applied_index'")
      .pluck(),
  }
}
