import type { Database, Statement } from 'better-sqlite3'
import type { CheckRow, ColumnValues, NodeRow, ServiceRow } from './rows.ts'
import { RowsInsert } from '../machine/rows-insert.ts'

/** Writes of single rows; only {@link file://./summed-rows.ts} runs them, which keeps the tables' sums. */
export interface RowWrites {
  putNode: Statement<[ColumnValues]>
  deleteNode: Statement<[string]>
  putService: Statement<[ColumnValues]>
  deleteService: Statement<[string, string]>
  putCheck: Statement<[ColumnValues]>
  setStatus: Statement<[string, string, number, string, string]>
  deleteCheck: Statement<[string, string]>
  putAddress: Statement<[string, string, string]>
  deleteAddress: Statement<[string, string, string]>
}

/** The other statements that apply uses, prepared once for the replica's connection. */
export interface ApplyStatements {
  node: Statement<[string], NodeRow>
  hasNode: Statement<[string]>
  nodesWithId: Statement<[string], NodeRow>
  service: Statement<[string, string], ServiceRow>
  servicesOfNode: Statement<[string], ServiceRow>
  hasService: Statement<[string, string]>
  check: Statement<[string, string], CheckRow>
  checksOfNode: Statement<[string], CheckRow>
  checksOfService: Statement<[string, string], CheckRow>
  subject: Statement<[string], [string, number]>
  touch: RowsInsert
  hasNamed: Statement<[string]>
  putGone: Statement<[string]>
  deleteGone: Statement<[string]>
  /** Returns what it deletes. */
  forgetSubjects: Statement<[number], [string, number]>
  /** Returns what it deletes. */
  forgetGone: Statement<[], [string]>
  request: Statement<[string], { outcome: string }>
  claimRequests: RowsInsert
  claimed: Statement<[number, number], { log_index: number }>
  putOutcome: Statement<[string, number]>
  /** Returns what it deletes. */
  forgetRequests: Statement<[number, number, number], ColumnValues>
  setMeta: Statement<[number | string, string]>
}

export function prepareApply(db: Database): ApplyStatements {
  // Each field's type above says what its statement takes and gives.
  const sql = (text: string): never => db.prepare(text) as never
  /** Its rows as lists of the values of all columns. */
  const rows = (text: string): never => db.prepare(text).raw() as never
  return {
    node: sql('SELECT * FROM nodes WHERE key = ?'),
    hasNode: sql('SELECT 1 FROM nodes WHERE key = ?'),
    nodesWithId: sql('SELECT * FROM nodes WHERE id = ? ORDER BY key'),
    service: sql('SELECT * FROM services WHERE node_key = ? AND id = ?'),
    servicesOfNode: sql('SELECT * FROM services WHERE node_key = ? ORDER BY id'),
    hasService: sql('SELECT 1 FROM services WHERE node_key = ? AND id = ?'),
    check: sql('SELECT * FROM checks WHERE node_key = ? AND check_id = ?'),
    checksOfNode: sql('SELECT * FROM checks WHERE node_key = ? ORDER BY check_id'),
    checksOfService: sql(
      `SELECT * FROM checks INDEXED BY checks_by_service
       WHERE node_key = ? AND service_id = ? ORDER BY check_id`,
    ),
    subject: rows('SELECT * FROM subjects WHERE subject = ?'),
    touch: new RowsInsert(db, {
      table: 'subjects',
      width: 2,
      onConflict: 'ON CONFLICT (subject) DO UPDATE SET modify_index = excluded.modify_index',
    }),
    hasNamed: sql('SELECT 1 FROM services WHERE name_key = ? LIMIT 1'),
    putGone: sql('INSERT INTO gone_subjects VALUES (?) ON CONFLICT DO NOTHING'),
    deleteGone: sql('DELETE FROM gone_subjects WHERE subject = ?'),
    forgetSubjects: rows(
      `DELETE FROM subjects
       WHERE subject IN (SELECT subject FROM gone_subjects) AND modify_index <= ? RETURNING *`,
    ),
    forgetGone: rows(
      `DELETE FROM gone_subjects WHERE subject NOT IN (SELECT subject FROM subjects) RETURNING *`,
    ),
    request: sql('SELECT outcome FROM requests WHERE request_id = ?'),
    claimRequests: new RowsInsert(db, {
      table: 'requests',
      width: 4,
      onConflict: 'ON CONFLICT DO NOTHING',
    }),
    claimed: sql('SELECT log_index FROM requests WHERE log_index BETWEEN ? AND ?'),
    putOutcome: sql('UPDATE requests SET outcome = ? WHERE log_index = ?'),
    // From the oldest one on, up to the first that is to be remembered: the rest is never looked at.
    forgetRequests: rows(
      `DELETE FROM requests WHERE log_index < (
         SELECT log_index FROM requests
         WHERE NOT (log_index <= ? OR (log_index <= ? AND time_ms < ?))
         ORDER BY log_index LIMIT 1) RETURNING *`,
    ),
    setMeta: sql('UPDATE meta SET value = ? WHERE key = ?'),
  }
}

export function prepareWrites(db: Database): RowWrites {
  const sql = (text: string): never => db.prepare(text) as never
  return {
    putNode: sql(upsert('nodes', 1, nodeColumns)),
    deleteNode: sql('DELETE FROM nodes WHERE key = ?'),
    putService: sql(upsert('services', 2, serviceColumns)),
    deleteService: sql('DELETE FROM services WHERE node_key = ? AND id = ?'),
    putCheck: sql(upsert('checks', 2, checkColumns)),
    setStatus: sql(
      'UPDATE checks SET status = ?, output = ?, modify_index = ? WHERE node_key = ? AND check_id = ?',
    ),
    deleteCheck: sql('DELETE FROM checks WHERE node_key = ? AND check_id = ?'),
    putAddress: sql('INSERT INTO addresses VALUES (?, ?, ?)'),
    deleteAddress: sql('DELETE FROM addresses WHERE ip = ? AND service_id = ? AND node_key = ?'),
  }
}

// The columns of a table, those of its key first, in the order in which it has them.

const nodeColumns: readonly (keyof NodeRow)[] = [
  'key',
  'reversed_key',
  'name',
  'id',
  'address',
  'tagged_addresses',
  'meta',
  'create_index',
  'modify_index',
]

const serviceColumns: readonly (keyof ServiceRow)[] = [
  'node_key',
  'id',
  'name',
  'name_key',
  'address',
  'port',
  'tags',
  'meta',
  'weight_passing',
  'weight_warning',
  'tagged_addresses',
  'enable_tag_override',
  'owner',
  'extra',
  'create_index',
  'modify_index',
]

const checkColumns: readonly (keyof CheckRow)[] = [
  'node_key',
  'check_id',
  'name',
  'status',
  'notes',
  'output',
  'service_id',
  'type',
  'interval',
  'timeout',
  'definition',
  'create_index',
  'modify_index',
]

export function nodeValues(row: NodeRow): ColumnValues {
  return nodeColumns.map((name) => row[name])
}

export function serviceValues(row: ServiceRow): ColumnValues {
  return serviceColumns.map((name) => row[name])
}

export function checkValues(row: CheckRow): ColumnValues {
  return checkColumns.map((name) => row[name])
}

function upsert(table: string, keyCount: number, columns: readonly string[]): string {
  const [keys, others] = [columns.slice(0, keyCount), columns.slice(keyCount)]
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
    ON CONFLICT (${keys.join(', ')}) DO UPDATE SET
    ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`
}
