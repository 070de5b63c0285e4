import type { Database, Statement } from 'better-sqlite3'
import type {
  CheckDefinition,
  Evidence,
  ServiceDefinition,
  Status,
} from '../../state/catalog/model.ts'

/** Format of agent.db: number n+1 is reached from n by migrations[n]. */
const version1 = `
  CREATE TABLE services (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    known_index INTEGER NOT NULL,
    synced_index INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE checks (
    check_id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL,
    body TEXT NOT NULL,
    run TEXT NOT NULL,
    status TEXT NOT NULL,
    output TEXT NOT NULL,
    ttl_left_ms REAL,
    saved_wall_ms REAL NOT NULL,
    known_index INTEGER NOT NULL,
    synced_index INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX checks_by_service ON checks (service_id, check_id);
  CREATE TABLE removals (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    known_index INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
`
const version2 = "ALTER TABLE checks ADD COLUMN evidence TEXT NOT NULL DEFAULT ''"
export const agentMigrations = [version1, version2]

/** How a row stands to the catalog. */
export interface Standing {
  /** The newest index that the agent knew of when it wrote the row: what changed later is newer. */
  readonly knownIndex: number
  /** The index at which the catalog acknowledged it as it is here; undefined before. */
  readonly syncedIndex: number | undefined
}

/** A service or a check without its contents. */
export interface Head extends Standing {
  readonly id: string
}

export interface StoredService extends Standing {
  readonly service: ServiceDefinition
}

/** A check with its present status and output. `Run` is how it is run, kept as JSON. */
export interface StoredCheck<Run> extends Standing {
  readonly check: CheckDefinition
  readonly run: Run
  /** The remaining time of its TTL when it was saved; undefined for other checks. */
  readonly ttlLeftMs: number | undefined
  /** When status, output and TTL were saved, in wall time. */
  readonly savedWallMs: number
}

export interface CheckProgress {
  readonly checkId: string
  readonly status: Status
  readonly evidence: Evidence
  readonly output: string
  readonly ttlLeftMs: number | undefined
  readonly savedWallMs: number
}

/** Something deregistered here of which the catalog has not heard yet. */
export interface Removal {
  readonly kind: 'service' | 'check'
  readonly id: string
}

export interface StoredRemoval extends Removal {
  readonly knownIndex: number
}

interface HeadRow {
  id: string
  known_index: number
  synced_index: number | null
}

interface ServiceRow extends HeadRow {
  body: string
}

interface CheckRow {
  check_id: string
  service_id: string
  body: string
  run: string
  status: string
  output: string
  ttl_left_ms: number | null
  saved_wall_ms: number
  known_index: number
  synced_index: number | null
  evidence: string
}

/** Rows per read: about a millisecond, with their further processing. */
export const pageRows = 100

/** The statements of agent.db. */
export function prepareAgentStatements(db: Database) {
  const sql: Prepare = (text) => db.prepare(text)
  return { ...ofServices(sql), ...ofChecks(sql), ...ofRemovals(sql) }
}

type Prepare = <P extends unknown[], R>(text: string) => Statement<P, R>

function ofServices(sql: Prepare) {
  return {
    addService: sql<[string, string, number], unknown>(
      'INSERT OR IGNORE INTO services VALUES (?, ?, ?, NULL)',
    ),
    replaceService: sql<[string, string, number], unknown>(
      'REPLACE INTO services VALUES (?, ?, ?, NULL)',
    ),
    service: sql<[string], ServiceRow>('SELECT * FROM services WHERE id = ?'),
    serviceName: sql<[string], string>("SELECT body ->> 'name' FROM services WHERE id = ?").pluck(),
    services: sql<[string], ServiceRow>(
      `SELECT * FROM services WHERE id > ? ORDER BY id LIMIT ${pageRows}`,
    ),
    servicesTelling: sql<[string], ServiceRow>(
      'SELECT * FROM services WHERE instr(body, ?) > 0 ORDER BY id',
    ),
    serviceHeads: sql<[string, number], HeadRow>(
      'SELECT id, known_index, synced_index FROM services WHERE id > ? ORDER BY id LIMIT ?',
    ),
    servicesWith: sql<[string], { id: string; body: string }>(
      'SELECT id, body FROM services WHERE instr(body, ?) > 0 ORDER BY id',
    ),
    hasService: sql<[string], unknown>('SELECT 1 FROM services WHERE id = ?'),
    counts: sql<[], { services: number; checks: number }>(
      `SELECT (SELECT count(*) FROM services) AS services,
       (SELECT count(*) FROM checks) AS checks`,
    ),
    deleteService: sql<[string], unknown>('DELETE FROM services WHERE id = ?'),
    serviceSynced: sql<[number, string], unknown>(
      'UPDATE services SET synced_index = ? WHERE id = ?',
    ),
  }
}

function ofChecks(sql: Prepare) {
  return {
    putCheck: sql<[Omit<CheckRow, 'synced_index'>], unknown>(
      `INSERT OR REPLACE INTO checks VALUES
       (:check_id, :service_id, :body, :run, :status, :output, :ttl_left_ms, :saved_wall_ms,
        :known_index, NULL, :evidence)`,
    ),
    checkHeads: sql<[string, number], HeadRow>(
      `SELECT check_id AS id, known_index, synced_index FROM checks
       WHERE check_id > ? ORDER BY check_id LIMIT ?`,
    ),
    checksWith: sql<[string], { id: string; body: string }>(
      'SELECT check_id AS id, run AS body FROM checks WHERE instr(run, ?) > 0 ORDER BY check_id',
    ),
    check: sql<[string], CheckRow>('SELECT * FROM checks WHERE check_id = ?'),
    checks: sql<[string], CheckRow>(
      `SELECT * FROM checks WHERE check_id > ? ORDER BY check_id LIMIT ${pageRows}`,
    ),
    checksOfService: sql<[string], CheckRow>(
      'SELECT * FROM checks WHERE service_id = ? ORDER BY check_id',
    ),
    checkIdsOfService: sql<[string], { check_id: string }>(
      'SELECT check_id FROM checks WHERE service_id = ? ORDER BY check_id',
    ),
    deleteCheck: sql<[string], unknown>('DELETE FROM checks WHERE check_id = ?'),
    deleteChecksOfService: sql<[string], unknown>('DELETE FROM checks WHERE service_id = ?'),
    checkSynced: sql<[number, string], unknown>(
      'UPDATE checks SET synced_index = ? WHERE check_id = ?',
    ),
    saveProgress: sql<[string, string, string, number | null, number, string], unknown>(
      `UPDATE checks SET status = ?, evidence = ?, output = ?, ttl_left_ms = ?, saved_wall_ms = ?
       WHERE check_id = ?`,
    ),
  }
}

function ofRemovals(sql: Prepare) {
  return {
    putRemoval: sql<[string, string, number], unknown>(
      'INSERT OR REPLACE INTO removals VALUES (?, ?, ?)',
    ),
    deleteRemoval: sql<[string, string], unknown>('DELETE FROM removals WHERE kind = ? AND id = ?'),
    removals: sql<[], StoredRemoval>(
      'SELECT kind, id, known_index AS knownIndex FROM removals ORDER BY kind, id',
    ),
  }
}

export function serviceOf(row: ServiceRow): StoredService {
  return {
    service: JSON.parse(row.body) as ServiceDefinition,
    knownIndex: row.known_index,
    syncedIndex: row.synced_index ?? undefined,
  }
}

export function checkOf<Run>(row: CheckRow): StoredCheck<Run> {
  const check = JSON.parse(row.body) as CheckDefinition
  return {
    check: {
      ...check,
      status: row.status as Status,
      evidence: row.evidence as Evidence,
      output: row.output,
    },
    run: JSON.parse(row.run) as Run,
    ttlLeftMs: row.ttl_left_ms ?? undefined,
    savedWallMs: row.saved_wall_ms,
    knownIndex: row.known_index,
    syncedIndex: row.synced_index ?? undefined,
  }
}

export function headOf(row: HeadRow): Head {
  return {
    id: row.id,
    knownIndex: row.known_index,
    syncedIndex: row.synced_index ?? undefined,
  }
}
