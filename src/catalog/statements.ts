import type { Database, Statement } from 'better-sqlite3'
import type { CheckRow, NodeRow, ServiceRow } from './rows.ts'

/** The statements that apply uses, prepared once for the replica's connection. */
export interface ApplyStatements {
  node: Statement<[string], NodeRow>
  putNode: Statement<NodeRow>
  deleteNode: Statement<[string]>
  service: Statement<[string, string], ServiceRow>
  servicesOfNode: Statement<[string], ServiceRow>
  putService: Statement<ServiceRow>
  deleteService: Statement<[string, string]>
  check: Statement<[string, string], CheckRow>
  checksOfNode: Statement<[string], CheckRow>
  checksOfService: Statement<[string, string], CheckRow>
  putCheck: Statement<CheckRow>
  setStatus: Statement<[string, string, number, string, string]>
  deleteCheck: Statement<[string, string]>
  putAddress: Statement<[string, string, string]>
  deleteAddress: Statement<[string, string, string]>
  touch: Statement<[string, number, number]>
  request: Statement<[string], { outcome: string }>
  putRequest: Statement<[number, string, number, string]>
  forgetRequests: Statement<[number, number, number]>
  setMeta: Statement<[number, string]>
}

export function prepareApply(db: Database): ApplyStatements {
  // Each field's type above says what its statement takes and gives.
  const sql = (text: string): never => db.prepare(text) as never
  return {
    node: sql('SELECT * FROM nodes WHERE key = ?'),
    putNode: sql(upsert('nodes', ['key'], nodeColumns)),
    deleteNode: sql('DELETE FROM nodes WHERE key = ?'),
    service: sql('SELECT * FROM services WHERE node_key = ? AND id = ?'),
    servicesOfNode: sql('SELECT * FROM services WHERE node_key = ? ORDER BY id'),
    putService: sql(upsert('services', ['node_key', 'id'], serviceColumns)),
    deleteService: sql('DELETE FROM services WHERE node_key = ? AND id = ?'),
    check: sql('SELECT * FROM checks WHERE node_key = ? AND check_id = ?'),
    checksOfNode: sql('SELECT * FROM checks WHERE node_key = ? ORDER BY check_id'),
    checksOfService: sql(
      `SELECT * FROM checks INDEXED BY checks_by_service
       WHERE node_key = ? AND service_id = ? ORDER BY check_id`,
    ),
    putCheck: sql(upsert('checks', ['node_key', 'check_id'], checkColumns)),
    setStatus: sql(
      'UPDATE checks SET status = ?, output = ?, modify_index = ? WHERE node_key = ? AND check_id = ?',
    ),
    deleteCheck: sql('DELETE FROM checks WHERE node_key = ? AND check_id = ?'),
    putAddress: sql('INSERT INTO addresses VALUES (?, ?, ?)'),
    deleteAddress: sql('DELETE FROM addresses WHERE ip = ? AND service_id = ? AND node_key = ?'),
    touch: sql(
      `INSERT INTO subjects VALUES (?, ?, ?)
       ON CONFLICT (subject) DO UPDATE SET modify_index = excluded.modify_index`,
    ),
    request: sql('SELECT outcome FROM requests WHERE request_id = ?'),
    putRequest: sql('INSERT INTO requests VALUES (?, ?, ?, ?)'),
    forgetRequests: sql(
      'DELETE FROM requests WHERE log_index <= ? OR (log_index <= ? AND time_ms < ?)',
    ),
    setMeta: sql('UPDATE meta SET value = ? WHERE key = ?'),
  }
}

const nodeColumns = [
  'reversed_key',
  'name',
  'id',
  'address',
  'tagged_addresses',
  'meta',
  'create_index',
  'modify_index',
]

const serviceColumns = [
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

const checkColumns = [
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

function upsert(table: string, keys: readonly string[], columns: readonly string[]): string {
  const all = [...keys, ...columns]
  return `INSERT INTO ${table} (${all.join(', ')}) VALUES (${all.map((name) => `@${name}`).join(', ')})
    ON CONFLICT (${keys.join(', ')}) DO UPDATE SET
    ${columns.map((name) => `${name} = excluded.${name}`).join(', ')}`
}
