import type { Database, Statement } from 'better-sqlite3'
import { must } from '../../base/assert.ts'
import type { Check, Instance, Node, Service, Status } from './model.ts'
import { checkColumns, checkOf, mergeById, nodeOf, parseTags, serviceOf } from './rows.ts'
import type { JoinedCheckRow } from './rows.ts'
import type { NodeRow, ServiceRow } from './tables.ts'

/** Rows per read: about a millisecond. */
const pageRows = 200

// Left to itself SQLite walks all checks of the node by primary key, to spare the sort.
const checksByService = checkColumns.replace('checks c', 'checks c INDEXED BY checks_by_service')

function prepare(db: Database) {
  const sql = <P extends unknown[], R>(text: string): Statement<P, R> => db.prepare<P, R>(text)
  return {
    nodes: sql<[string], NodeRow>(
      `SELECT * FROM nodes WHERE key > ? ORDER BY key LIMIT ${pageRows}`,
    ),
    names: sql<[string], { name_key: string }>(
      `SELECT DISTINCT name_key FROM services WHERE name_key > ? ORDER BY name_key LIMIT ${pageRows}`,
    ),
    addresses: sql<[string], { ip: string }>(
      `SELECT DISTINCT ip FROM addresses WHERE ip > ? ORDER BY ip LIMIT ${pageRows}`,
    ),
    node: sql<[string], NodeRow>('SELECT * FROM nodes WHERE key = ?'),
    tagsOfName: sql<[string], { name: string; tags: string }>(
      'SELECT DISTINCT name, tags FROM services WHERE name_key = ? ORDER BY name',
    ),
    named: sql<[string, string, string], ServiceRow>(
      `SELECT * FROM services WHERE name_key = ? AND (node_key, id) > (?, ?)
       ORDER BY node_key, id LIMIT ${pageRows}`,
    ),
    serviceIds: sql<[string, string], { node_key: string; id: string }>(
      `SELECT node_key, id FROM services WHERE (node_key, id) > (?, ?)
       ORDER BY node_key, id LIMIT ${pageRows}`,
    ),
    // What holds the word may be something else: the row is looked at.
    proxies: sql<[string, string, string, string], ServiceRow>(
      `SELECT * FROM services WHERE (node_key, id) > (?, ?) AND (node_key, id) <= (?, ?)
       AND extra LIKE '%connect-proxy%' ORDER BY node_key, id`,
    ),
    servicesOfNode: sql<[string, string], ServiceRow & { node_name: string }>(
      `SELECT s.*, n.name AS node_name FROM services s JOIN nodes n ON n.key = s.node_key
       WHERE s.node_key = ? AND s.id > ? ORDER BY s.id LIMIT ${pageRows}`,
    ),
    checksOfNode: sql<[string, string], JoinedCheckRow>(
      `${checkColumns} WHERE c.node_key = ? AND c.check_id > ? ORDER BY c.check_id LIMIT ${pageRows}`,
    ),
    ownChecks: sql<[string, string], JoinedCheckRow>(
      `${checksByService} WHERE c.node_key = ? AND c.service_id = ? ORDER BY c.check_id`,
    ),
    checkKeys: sql<[string, string], { node_key: string; check_id: string }>(
      `SELECT node_key, check_id FROM checks WHERE (node_key, check_id) > (?, ?)
       ORDER BY node_key, check_id LIMIT ${pageRows}`,
    ),
    checks: sql<[string, string, string, string], JoinedCheckRow>(
      `${checkColumns} WHERE (c.node_key, c.check_id) > (?, ?) AND (c.node_key, c.check_id) <= (?, ?)
       ORDER BY c.node_key, c.check_id`,
    ),
    checksInState: sql<[string, string, string, string, string], JoinedCheckRow>(
      `${checkColumns} WHERE (c.node_key, c.check_id) > (?, ?) AND (c.node_key, c.check_id) <= (?, ?)
       AND c.status = ? ORDER BY c.node_key, c.check_id`,
    ),
  }
}

/** Adds the tags of one instance to those of its service's name. */
export function addTags(
  byName: Map<string, Set<string>>,
  name: string,
  tags: readonly string[],
): void {
  const known = byName.get(name)
  if (known === undefined) byName.set(name, new Set(tags))
  else for (const tag of tags) known.add(tag)
}

/**
 * Lists of any length, read page by page while they are walked through, so that the caller can stop
 * in between. The rows are of one moment only inside one read transaction.
 */
export class CatalogPages {
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  *nodes(): Generator<Node, void> {
    let after = ''
    for (;;) {
      const rows = this.#sql.nodes.all(after)
      for (const row of rows) yield nodeOf(row)
      const last = rows.at(-1)
      if (last === undefined || rows.length < pageRows) return
      after = last.key
    }
  }

  /**
   * Every service name with the sorted union of its instances' tags. A name in several spellings is
   * listed in each of them: some readers look names up exactly.
   */
  *serviceNames(): Generator<readonly [name: string, tags: readonly string[]], void> {
    for (const key of this.serviceKeys()) {
      const byName = new Map<string, Set<string>>()
      for (const row of this.#sql.tagsOfName.all(key)) {
        addTags(byName, row.name, parseTags(row.tags))
      }
      for (const [name, tags] of byName) yield [name, [...tags].toSorted()]
    }
  }

  /** Every service name in lower case, by which {@link instances} finds all spellings of it. */
  *serviceKeys(): Generator<string, void> {
    let after = ''
    for (;;) {
      const keys = this.#sql.names.all(after)
      for (const { name_key: key } of keys) yield key
      const last = keys.at(-1)
      if (last === undefined || keys.length < pageRows) return
      after = last.name_key
    }
  }

  /** The key of every address that a node or service has; see `addressKey`. */
  *addressKeys(): Generator<string, void> {
    let after = ''
    for (;;) {
      const rows = this.#sql.addresses.all(after)
      for (const { ip } of rows) yield ip
      const last = rows.at(-1)
      if (last === undefined || rows.length < pageRows) return
      after = last.ip
    }
  }

  /** All instances of a service, whatever their health. */
  *instances(serviceName: string): Generator<Instance, void> {
    let node:
      { readonly key: string; readonly of: Node; readonly checks: readonly Check[] } | undefined
    for (const row of this.#named(serviceName.toLowerCase())) {
      const { node_key: key, id } = row
      // In order of nodes: each node's rows are read once.
      if (node?.key !== key) node = { key, of: this.#node(key), checks: this.#checks(key, '') }
      const service = serviceOf(row, node.of.name)
      yield { node: node.of, service, checks: mergeById(this.#checks(key, id), node.checks) }
    }
  }

  /**
   * The instances of all names that are of the kind `connect-proxy`. No index leads to them, so all services
   * are walked through; undefined between pages.
   */
  *proxies(): Generator<Instance | undefined, void> {
    let [node, id] = ['', '']
    for (;;) {
      const keys = this.#sql.serviceIds.all(node, id)
      const last = keys.at(-1)
      if (last === undefined) return
      for (const row of this.#sql.proxies.all(node, id, last.node_key, last.id)) {
        const of = this.#node(row.node_key)
        const service = serviceOf(row, of.name)
        if (service.extra['Kind'] !== 'connect-proxy') continue
        const checks = mergeById(this.#checks(row.node_key, row.id), this.#checks(row.node_key, ''))
        yield { node: of, service, checks }
      }
      if (keys.length < pageRows) return
      yield undefined
      node = last.node_key
      id = last.id
    }
  }

  /**
   * The checks of a service itself, in order of node, service id and check id; undefined between
   * instances, for many may have none.
   */
  *checksOfService(serviceName: string): Generator<Check | undefined, void> {
    for (const { node_key: key, id } of this.#named(serviceName.toLowerCase())) {
      yield* this.#checks(key, id)
      yield undefined
    }
  }

  *servicesOfNode(nodeName: string): Generator<Service, void> {
    let after = ''
    for (;;) {
      const rows = this.#sql.servicesOfNode.all(nodeName.toLowerCase(), after)
      for (const row of rows) yield serviceOf(row, row.node_name)
      const last = rows.at(-1)
      if (last === undefined || rows.length < pageRows) return
      after = last.id
    }
  }

  *checksOfNode(nodeName: string): Generator<Check, void> {
    let after = ''
    for (;;) {
      const rows = this.#sql.checksOfNode.all(nodeName.toLowerCase(), after)
      for (const row of rows) yield checkOf(row)
      const last = rows.at(-1)
      if (last === undefined || rows.length < pageRows) return
      after = last.check_id
    }
  }

  /**
   * The checks of all nodes; `any` = whatever their state. Undefined between pages, for many may hold
   * no check of that state.
   */
  *checks(status: Status | 'any'): Generator<Check | undefined, void> {
    let [node, check] = ['', '']
    for (;;) {
      // The page is cut before the state is looked at: checks that fit may be far apart.
      const keys = this.#sql.checkKeys.all(node, check)
      const last = keys.at(-1)
      if (last === undefined) return
      const range = [node, check, last.node_key, last.check_id] as const
      const rows =
        status === 'any'
          ? this.#sql.checks.all(...range)
          : this.#sql.checksInState.all(...range, status)
      for (const row of rows) yield checkOf(row)
      if (keys.length < pageRows) return
      yield undefined
      node = last.node_key
      check = last.check_id
    }
  }

  *#named(nameKey: string): Generator<ServiceRow, void> {
    let [node, id] = ['', '']
    for (;;) {
      const rows = this.#sql.named.all(nameKey, node, id)
      yield* rows
      const last = rows.at(-1)
      if (last === undefined || rows.length < pageRows) return
      node = last.node_key
      id = last.id
    }
  }

  #node(key: string): Node {
    return nodeOf(must(this.#sql.node.get(key), 'a service is on a node'))
  }

  /** `serviceId` '' = the checks of the node. */
  #checks(nodeKey: string, serviceId: string): readonly Check[] {
    return this.#sql.ownChecks.all(nodeKey, serviceId).map(checkOf)
  }
}
