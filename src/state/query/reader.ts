import type { Database, Statement } from 'better-sqlite3'
import { reverseLabels } from '../catalog/rows.ts'
import { forgottenUpTo } from '../machine/subjects.ts'
import { isQueryId, isTemplate, queryNameMax } from './model.ts'
import type { PreparedQuery } from './model.ts'
import { queryOf } from './rows.ts'
import { querySubject } from './subjects.ts'
import type { QueryRow } from './tables.ts'

/** What a name or an ID finds. */
export interface FoundQuery {
  /** Undefined: there is none. */
  readonly query: PreparedQuery | undefined
  /** A template is found by names only. */
  readonly isTemplateById: boolean
  /** What the result depends on. */
  readonly subjects: readonly string[]
}

const pageRows = 64

/** Reads prepared queries over one connection. Lists are in the order of the IDs. */
export class QueryReader {
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  query(id: string): PreparedQuery | undefined {
    const row = this.#sql.query.get(id.toLowerCase())
    return row === undefined ? undefined : queryOf(row)
  }

  *queries(): Generator<PreparedQuery, void> {
    for (let from = ''; ;) {
      const rows = this.#sql.queries.all(from, pageRows)
      for (const row of rows) yield queryOf(row)
      const last = rows.at(-1)
      if (last === undefined || rows.length < pageRows) return
      from = last.id
    }
  }

  /** By its ID, by its name, or by the template with the longest name that the name begins with. */
  find(name: string): FoundQuery {
    if (name === '' || name.length > queryNameMax) return nothing
    const subjects = [querySubject.name(name)]
    if (isQueryId(name)) {
      subjects.push(querySubject.one(name))
      const query = this.query(name)
      if (query !== undefined) {
        const isTemplateById = isTemplate(query)
        return { query: isTemplateById ? undefined : query, isTemplateById, subjects }
      }
    }
    const key = name.toLowerCase()
    const named = this.#sql.named.get(key)
    if (named !== undefined) return { query: queryOf(named), isTemplateById: false, subjects }
    const prefix = this.#longestTemplate(key)
    // A longer one could come, or this one change.
    for (let length = prefix?.length ?? 0; length <= key.length; length++) {
      subjects.push(querySubject.template(key.slice(0, length)))
    }
    const row = prefix === undefined ? undefined : this.#sql.template.get(prefix)
    const query = row === undefined ? undefined : queryOf(row)
    return { query, isTemplateById: false, subjects }
  }

  /** Whether a query has a name that ends with a dot and this one. */
  hasBelow(name: string): boolean {
    const above = reverseLabels(name.toLowerCase())
    // '/' is the character after '.': the range has exactly what begins with `above.`
    return this.#sql.below.get(`${above}.`, `${above}/`) !== undefined
  }

  /** As that of the catalog: it rises with every change of a subject, and never falls. */
  indexOf(subject: string): number {
    return this.#sql.index.get(subject) ?? forgottenUpTo(this.appliedIndex())
  }

  /** The last entry of the log that it shows. */
  appliedIndex(): number {
    return this.#sql.appliedIndex.get() ?? 0
  }

  /** The longest name of a template that is a prefix of `key`: each look-up skips all that are not. */
  #longestTemplate(key: string): string | undefined {
    for (let upTo = key; ;) {
      const found = this.#sql.templateUpTo.get(upTo)
      if (found === undefined || key.startsWith(found)) return found
      upTo = commonPrefix(key, found)
    }
  }
}

const nothing: FoundQuery = { query: undefined, isTemplateById: false, subjects: [] }

/** Of whole characters: SQLite knows no half of a surrogate pair. */
function commonPrefix(one: string, other: string): string {
  let length = 0
  while (length < one.length && one.charCodeAt(length) === other.charCodeAt(length)) length++
  const last = one.charCodeAt(length - 1)
  return one.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length)
}

function prepare(db: Database) {
  const rows = <P extends unknown[]>(text: string): Statement<P, QueryRow> =>
    db.prepare<P, QueryRow>(text)
  const one = <P extends unknown[], R>(text: string): Statement<P, R> =>
    db.prepare<P, R>(text).pluck()
  return {
    query: rows<[string]>('SELECT * FROM queries WHERE id = ?'),
    queries: rows<[string, number]>('SELECT * FROM queries WHERE id > ? ORDER BY id LIMIT ?'),
    named: rows<[string]>("SELECT * FROM queries WHERE name_key = ? AND name_key <> ''"),
    template: rows<[string]>('SELECT * FROM queries WHERE is_template = 1 AND name_key = ?'),
    templateUpTo: one<[string], string>(
      `SELECT name_key FROM queries WHERE is_template = 1 AND name_key <= ?
       ORDER BY name_key DESC LIMIT 1`,
    ),
    below: one<[string, string], number>(
      'SELECT 1 FROM queries WHERE reversed_key >= ? AND reversed_key < ? LIMIT 1',
    ),
    index: one<[string], number>('SELECT modify_index FROM subjects WHERE subject = ?'),
    appliedIndex: one<[], number>("SELECT value FROM meta WHERE key = 'applied_index'"),
  }
}
