import type { Database, Statement } from 'better-sqlite3'
import type { Change } from '../machine/change.ts'
import type { CheckDefinition, Evidence, ServiceDefinition } from './model.ts'
import { evidenceFormat } from './schema.ts'
import { checksTable, nodesTable } from './tables.ts'
import type { CheckRow, NodeRow, ServiceRow } from './tables.ts'
import { subject } from './subjects.ts'

/** What the commands of the catalog are applied with; one for a connection. */
export interface CatalogChange {
  /** Everything is written through it. */
  readonly gate: Change
  readonly sql: ReturnType<typeof prepare>
  /** A put of a check of which status, output, evidence and modify index alone change. */
  readonly setStatus: (row: CheckRow, before: CheckRow) => void
  readonly nodes: KnownNodes
}

export function openChange(db: Database, gate: Change): CatalogChange {
  const sql = prepare(db)
  const setStatus = gate.patch(checksTable, 'status', 'output', 'modify_index', 'evidence')
  return { gate, sql, setStatus, nodes: new KnownNodes(gate, sql.hasNode) }
}

function prepare(db: Database) {
  return {
    node: db.prepare<[string], NodeRow>('SELECT * FROM nodes WHERE key = ?'),
    hasNode: db.prepare<[string]>('SELECT 1 FROM nodes WHERE key = ?'),
    nodesWithId: db.prepare<[string], NodeRow>('SELECT * FROM nodes WHERE id = ? ORDER BY key'),
    service: db.prepare<[string, string], ServiceRow>(
      'SELECT * FROM services WHERE node_key = ? AND id = ?',
    ),
    servicesOfNode: db.prepare<[string], ServiceRow>(
      'SELECT * FROM services WHERE node_key = ? ORDER BY id',
    ),
    serviceName: db
      .prepare<[string, string], string>('SELECT name FROM services WHERE node_key = ? AND id = ?')
      .pluck(),
    hasService: db.prepare<[string, string]>(
      'SELECT 1 FROM services WHERE node_key = ? AND id = ?',
    ),
    hasNamed: db.prepare<[string]>('SELECT 1 FROM services WHERE name_key = ? LIMIT 1'),
    check: db.prepare<[string, string], CheckRow>(
      'SELECT * FROM checks WHERE node_key = ? AND check_id = ?',
    ),
    checksOfNode: db.prepare<[string], CheckRow>(
      'SELECT * FROM checks WHERE node_key = ? ORDER BY check_id',
    ),
    checksOfService: db.prepare<[string, string], CheckRow>(
      `SELECT * FROM checks INDEXED BY checks_by_service
       WHERE node_key = ? AND service_id = ? ORDER BY check_id`,
    ),
  }
}

/** Which nodes are there, by their keys: most commands of a batch are of the same few. */
class KnownNodes {
  readonly #gate: Change
  readonly #hasNode: Statement<[string]>
  readonly #keys = new Set<string>()
  #batch = 0

  constructor(gate: Change, hasNode: Statement<[string]>) {
    this.#gate = gate
    this.#hasNode = hasNode
    gate.after(nodesTable, (row, before) => {
      if (row === undefined && before !== undefined) this.#keys.delete(before.key)
    })
  }

  has(key: string): boolean {
    if (this.#batch !== this.#gate.batch) {
      this.#batch = this.#gate.batch
      this.#keys.clear()
    }
    if (this.#keys.has(key)) return true
    if (this.#hasNode.get(key) === undefined) return false
    this.#keys.add(key)
    return true
  }
}

/** What a row keeps of the evidence that a command brings; see `commands.ts` for when it counts. */
export function keptEvidence(
  { status, evidence = '' }: Pick<CheckDefinition, 'status' | 'evidence'>,
  { usedFormat }: Pick<Change, 'usedFormat'>,
): Evidence {
  return status === 'passing' || usedFormat < evidenceFormat ? '' : evidence
}

/**
 * A check decides who is in the answers of its service, or of every service on its node. `known`: a service
 * of the node whose row was read or written just now.
 */
export function touchCheck(
  nodeKey: string,
  serviceId: string,
  change: CatalogChange,
  known?: Pick<ServiceDefinition, 'id' | 'name'>,
): void {
  const { gate, sql } = change
  gate.touch(subject.checks)
  gate.touch(subject.node(nodeKey))
  if (serviceId === '') {
    touchServices(nodeKey, change)
    return
  }
  const name = known?.id === serviceId ? known.name : sql.serviceName.get(nodeKey, serviceId)
  if (name !== undefined) gate.touch(subject.service(name))
}

/** Answers of a service carry its nodes' addresses and judge their checks. */
export function touchServices(nodeKey: string, { gate, sql }: CatalogChange): void {
  for (const row of sql.servicesOfNode.all(nodeKey)) gate.touch(subject.service(row.name))
}

/** An instance no longer has this name, and it may have been the last one. */
export function touchServiceGone(service: ServiceRow, { gate, sql }: CatalogChange): void {
  const name = subject.service(service.name)
  gate.touch(name)
  if (sql.hasNamed.get(service.name_key) === undefined) gate.gone(name)
}
