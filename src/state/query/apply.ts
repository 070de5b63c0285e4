import type { Database } from 'better-sqlite3'
import { reverseLabels } from '../catalog/rows.ts'
import type { Change } from '../machine/change.ts'
import type { Outcome } from '../machine/command.ts'
import type { Applier } from '../machine/family.ts'
import { isSameRow } from '../machine/table.ts'
import { sessionsTable } from '../session/tables.ts'
import type { QueryCommand, QueryPutCommand, QueryRefusal } from './commands.ts'
import { isQueryId } from './model.ts'
import { rowOf } from './rows.ts'
import { namesAbove, querySubject } from './subjects.ts'
import { queriesTable } from './tables.ts'
import type { QueryRow } from './tables.ts'

/** What the commands are applied with; one for a connection. */
interface QueryChange {
  readonly gate: Change
  readonly sql: ReturnType<typeof prepare>
}

export function openQueries(db: Database, gate: Change): Applier<QueryCommand> {
  const change = { gate, sql: prepare(db) }
  gate.after(sessionsTable, (row, before) => {
    if (row !== undefined || before === undefined) return
    for (const bound of change.sql.ofSession.all(before.id)) removeRow(bound, change)
  })
  return {
    apply(body): Outcome {
      const { index } = gate
      const refusal = body.kind === 'query-put' ? put(body, change) : remove(body.id, change)
      return refusal === undefined ? { ok: true, index } : { ok: true, index, value: refusal }
    },
  }
}

function prepare(db: Database) {
  return {
    query: db.prepare<[string], QueryRow>('SELECT * FROM queries WHERE id = ?'),
    named: db.prepare<[string], QueryRow>(
      "SELECT * FROM queries WHERE name_key = ? AND name_key <> ''",
    ),
    wildcard: db.prepare<[], QueryRow>(
      "SELECT * FROM queries WHERE is_template = 1 AND name_key = ''",
    ),
    ofSession: db.prepare<[string], QueryRow>(
      "SELECT * FROM queries WHERE session = ? AND session <> '' ORDER BY id",
    ),
    session: db.prepare<[string]>('SELECT 1 FROM sessions WHERE id = ?'),
    below: db.prepare<[string, string]>(
      'SELECT 1 FROM queries WHERE reversed_key >= ? AND reversed_key < ? LIMIT 1',
    ),
  }
}

function put(body: QueryPutCommand, change: QueryChange): QueryRefusal | undefined {
  const { gate, sql } = change
  const id = body.id.toLowerCase()
  const before = sql.query.get(id)
  const { index } = gate
  const create = before?.create_index ?? index
  const row = rowOf(id, body.definition, { create, modify: index })
  const refusal = refusalOf(body, before, row, change)
  if (refusal !== undefined) return refusal
  if (before !== undefined && isSameRow(before, row)) return undefined
  gate.put(queriesTable, row, before)
  touch(row, gate)
  for (const subject of [querySubject.one(id), ...subjectsOf(row)]) gate.come(subject)
  if (before !== undefined) forsake(before, change)
  return undefined
}

/** Names are unique, and none is the ID of another query: people could take what others rely on. */
function refusalOf(
  { mode }: QueryPutCommand,
  before: QueryRow | undefined,
  row: QueryRow,
  { sql }: QueryChange,
): QueryRefusal | undefined {
  if (mode === 'create' && before !== undefined) return 'taken-id'
  if (mode === 'update' && before === undefined) return 'unknown-query'
  const isOther = (other: QueryRow | undefined): boolean =>
    other !== undefined && other.id !== row.id
  if (row.name !== '' && isOther(sql.named.get(row.name_key))) return 'taken-name'
  const isWildcard = row.name === '' && row.is_template === 1
  if (isWildcard && isOther(sql.wildcard.get())) return 'taken-wildcard'
  if (isQueryId(row.name) && sql.query.get(row.name_key) !== undefined) return 'name-of-id'
  if (row.session !== '' && sql.session.get(row.session) === undefined) return 'unknown-session'
  return undefined
}

function remove(asked: string, change: QueryChange): QueryRefusal | undefined {
  const row = change.sql.query.get(asked.toLowerCase())
  if (row === undefined) return 'unknown-query'
  removeRow(row, change)
  return undefined
}

function removeRow(row: QueryRow, change: QueryChange): void {
  change.gate.remove(queriesTable, row)
  forsake(row, change)
  change.gate.gone(querySubject.one(row.id))
}

function touch(row: QueryRow, gate: Change): void {
  gate.touch(querySubject.all)
  gate.touch(querySubject.one(row.id))
  for (const subject of subjectsOf(row)) gate.touch(subject)
}

/** Those of the name of a query. */
function* subjectsOf({ name_key: name, is_template: template }: QueryRow): Generator<string> {
  if (name !== '') yield querySubject.name(name)
  if (template === 1) yield querySubject.template(name)
  for (const above of namesAbove(name)) yield querySubject.below(above)
}

/** A query no longer has its name, or it is no longer what it was. */
function forsake(before: QueryRow, change: QueryChange): void {
  const { gate, sql } = change
  touch(before, gate)
  for (const subject of subjectsOf(before)) {
    if (!isInUse(subject, before, sql)) gate.gone(subject)
  }
}

function isInUse(subject: string, before: QueryRow, sql: QueryChange['sql']): boolean {
  const { name_key: name } = before
  if (subject === querySubject.name(name)) return sql.named.get(name) !== undefined
  if (subject === querySubject.template(name)) {
    const row = name === '' ? sql.wildcard.get() : sql.named.get(name)
    return row?.is_template === 1
  }
  const above = reverseLabels(subject.slice(querySubject.below('').length))
  return sql.below.get(`${above}.`, `${above}/`) !== undefined
}
