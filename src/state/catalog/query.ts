import type { Database, Statement } from 'better-sqlite3'
import type { IpBytes } from '../../base/ip.ts'
import { addressKey } from './addresses.ts'
import { CandidateReader } from './candidates.ts'
import type { Candidate, ServiceRows } from './candidates.ts'
import { prepareCounts } from './counts.ts'
import type { CatalogCounts } from './counts.ts'
import { prepareEntryTimes } from '../machine/entry-times.ts'
import type { EntryTimes } from '../machine/entry-times.ts'
import { forgottenUpTo } from '../machine/subjects.ts'
import type { Check, Instance, Node, Owner, Service, Status } from './model.ts'
import { CatalogPages, addTags } from './pages.ts'
import {
  checkColumns,
  checkOf,
  mergeById,
  nodeOf,
  parseTags,
  reverseLabels,
  serviceOf,
} from './rows.ts'
import type { JoinedCheckRow } from './rows.ts'
import type { NodeRow, ServiceRow } from './tables.ts'
import { subject } from './subjects.ts'

// Left to itself SQLite walks all checks of the node by primary key, to spare the sort.
const checksByService = checkColumns.replace('checks c', 'checks c INDEXED BY checks_by_service')

/** What tells whether a check changed, as {@link ServiceHead} does for services. */
export interface CheckHead {
  readonly id: string
  readonly status: Status
  readonly modifyIndex: number
}

/** What tells whether a service changed, without reading it: nodes may have very many. */
export interface ServiceHead {
  readonly id: string
  readonly owner: Owner
  readonly modifyIndex: number
}

/** Somebody with an address: the node itself, or a service on it. */
export interface AddressHolder {
  readonly node: string
  readonly service: string | undefined
}

/** A node that has a service of some id. */
export interface ServicePlace {
  readonly node: string
  readonly address: string
}

const holdersMax = 16

/** Names of services behind one, for `EXPLAIN QUERY PLAN` too. DISTINCT would walk all instances of each name. */
export const serviceKeysQuery = `WITH RECURSIVE names (key) AS (
    SELECT (SELECT name_key FROM services WHERE name_key > ? ORDER BY name_key LIMIT 1)
    UNION ALL
    SELECT (SELECT name_key FROM services WHERE name_key > key ORDER BY name_key LIMIT 1)
    FROM names WHERE key IS NOT NULL
  ) SELECT key FROM names WHERE key IS NOT NULL LIMIT ?`

function prepare(db: Database) {
  const sql = <P extends unknown[], R>(text: string): Statement<P, R> => db.prepare<P, R>(text)
  return {
    nodes: sql<[], NodeRow>('SELECT * FROM nodes ORDER BY key'),
    node: sql<[string], NodeRow>('SELECT * FROM nodes WHERE key = ?'),
    nodesWithId: sql<[string], NodeRow>('SELECT * FROM nodes WHERE id = ? ORDER BY key'),
    nodeById: sql<[string], NodeRow>('SELECT * FROM nodes WHERE id = ? ORDER BY key LIMIT 1'),
    nodeBelow: sql<[string, string], { key: string }>(
      'SELECT key FROM nodes WHERE reversed_key >= ? AND reversed_key < ? LIMIT 1',
    ),
    holders: sql<[string, number], { node: string; service: string | null }>(
      `SELECT n.name AS node, s.name AS service
       FROM addresses a JOIN nodes n ON n.key = a.node_key
       LEFT JOIN services s ON s.node_key = a.node_key AND s.id = a.service_id AND a.service_id <> ''
       WHERE a.ip = ? ORDER BY a.service_id, a.node_key LIMIT ?`,
    ),
    addressBelow: sql<[string, string], { ip: string }>(
      'SELECT ip FROM addresses WHERE ip >= ? AND ip < ? LIMIT 1',
    ),
    holdersBelow: sql<[string, string, number], { node: string; service: string | null }>(
      `SELECT n.name AS node, s.name AS service
       FROM addresses a JOIN nodes n ON n.key = a.node_key
       LEFT JOIN services s ON s.node_key = a.node_key AND s.id = a.service_id AND a.service_id <> ''
       WHERE a.ip >= ? AND a.ip < ? LIMIT ?`,
    ),
    nodesBelow: sql<[string, string, number], { name: string }>(
      'SELECT name FROM nodes WHERE reversed_key >= ? AND reversed_key < ? LIMIT ?',
    ),
    spellings: sql<[string], { name: string }>(
      'SELECT DISTINCT name FROM services WHERE name_key = ?',
    ),
    serviceKeys: sql<[string, number], { key: string }>(serviceKeysQuery),
    serviceTags: sql<[], { name: string; name_key: string; tags: string }>(
      'SELECT DISTINCT name_key, name, tags FROM services ORDER BY name_key, name',
    ),
    named: sql<[string], ServiceRow>(
      'SELECT * FROM services WHERE name_key = ? ORDER BY node_key, id',
    ),
    servicesOfNode: sql<[string], ServiceRow & { node_name: string }>(
      `SELECT s.*, n.name AS node_name FROM services s JOIN nodes n ON n.key = s.node_key
       WHERE s.node_key = ? ORDER BY s.id`,
    ),
    serviceHeads: sql<[string, string, number], ServiceHead>(
      `SELECT id, owner, modify_index AS modifyIndex FROM services
       WHERE node_key = ? AND id > ? ORDER BY id LIMIT ?`,
    ),
    serviceHead: sql<[string, string], ServiceHead>(
      `SELECT id, owner, modify_index AS modifyIndex FROM services WHERE node_key = ? AND id = ?`,
    ),
    service: sql<[string, string], ServiceRow & { node_name: string }>(
      `SELECT s.*, n.name AS node_name FROM services s JOIN nodes n ON n.key = s.node_key
       WHERE s.node_key = ? AND s.id = ?`,
    ),
    ...prepareChecks(db),
    index: sql<[string], { modify_index: number }>(
      'SELECT modify_index FROM subjects WHERE subject = ?',
    ),
    applied: sql<[], { value: number }>("SELECT value FROM meta WHERE key = 'applied_index'"),
  }
}

function prepareChecks(db: Database) {
  const sql = <P extends unknown[], R>(text: string): Statement<P, R> => db.prepare<P, R>(text)
  return {
    check: sql<[string, string], JoinedCheckRow>(
      `${checkColumns} WHERE c.node_key = ? AND c.check_id = ?`,
    ),
    checkHeads: sql<[string, string, number], CheckHead>(
      `SELECT check_id AS id, status, modify_index AS modifyIndex FROM checks
       WHERE node_key = ? AND check_id > ? ORDER BY check_id LIMIT ?`,
    ),
    checkHead: sql<[string, string], CheckHead>(
      `SELECT check_id AS id, status, modify_index AS modifyIndex FROM checks
       WHERE node_key = ? AND check_id = ?`,
    ),
    checksOfNode: sql<[string], JoinedCheckRow>(
      `${checkColumns} WHERE c.node_key = ? ORDER BY c.check_id`,
    ),
    instanceChecks: sql<[string], JoinedCheckRow>(
      `${checksByService} WHERE c.node_key = ? AND c.service_id = '' ORDER BY c.check_id`,
    ),
    ownChecks: sql<[string, string], JoinedCheckRow>(
      `${checksByService} WHERE c.node_key = ? AND c.service_id = ? ORDER BY c.check_id`,
    ),
  }
}

/**
 * Reads of the replicated catalog over one connection. Names match without regard to case; results
 * are in order of node name, then id. Wrap several calls in one read transaction to see one state.
 */
export class CatalogReader {
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepare>
  readonly #candidates: CandidateReader
  #pages: CatalogPages | undefined
  readonly #counts: () => CatalogCounts
  #entryTimes: ((indexes: readonly number[]) => EntryTimes) | undefined
  #places: Statement<[string, number], ServicePlace> | undefined

  constructor(db: Database) {
    this.#db = db
    this.#sql = prepare(db)
    this.#candidates = new CandidateReader(db)
    this.#counts = prepareCounts(db)
  }

  /** What DNS needs of the instances of a service; empty when the name is unknown. */
  candidates(serviceName: string): readonly Candidate[] {
    return this.#candidates.candidates(serviceName)
  }

  /** The same in parts, of which an answer may need only one; undefined when the name is unknown. */
  serviceRows(serviceName: string): ServiceRows | undefined {
    return this.#candidates.lookUp(serviceName)
  }

  /** The same rows as lists of any length, to be walked through with pauses. */
  get pages(): CatalogPages {
    this.#pages ??= new CatalogPages(this.#db)
    return this.#pages
  }

  nodes(): readonly Node[] {
    return this.#sql.nodes.all().map(nodeOf)
  }

  node(name: string): Node | undefined {
    const row = this.#sql.node.get(name.toLowerCase())
    return row === undefined ? undefined : nodeOf(row)
  }

  /** The node of a UUID. Names may change hands, ids do not. */
  nodeById(id: string): Node | undefined {
    const row = this.#sql.nodeById.get(id)
    return row === undefined ? undefined : nodeOf(row)
  }

  /** More than one only where an earlier release took a renamed node for another one. */
  nodesWithId(id: string): readonly Node[] {
    return this.#sql.nodesWithId.all(id).map(nodeOf)
  }

  /** Whether some node's name ends with `.suffix`. */
  hasNodeBelow(suffix: string): boolean {
    const above = reverseLabels(suffix.toLowerCase())
    // '/' is the character after '.': the range holds exactly what begins with `above.`
    return this.#sql.nodeBelow.get(`${above}.`, `${above}/`) !== undefined
  }

  /**
   * Who has an address: nodes first, then services by their id. No more than the first few, as the
   * containers of one host may be many.
   */
  holdersOf(ip: IpBytes): readonly AddressHolder[] {
    return this.#sql.holders
      .all(addressKey(ip), holdersMax)
      .map(({ node, service }) => ({ node, service: service ?? undefined }))
  }

  /** Whether somebody has an address whose {@link addressKey} begins so. */
  hasAddressBelow(prefix: string): boolean {
    // 'g' is the character after 'f'.
    return this.#sql.addressBelow.get(prefix, `${prefix}g`) !== undefined
  }

  /** The first holders of addresses of which {@link hasAddressBelow} tells. */
  holdersBelow(prefix: string, limit: number): readonly AddressHolder[] {
    return this.#sql.holdersBelow
      .all(prefix, `${prefix}g`, limit)
      .map(({ node, service }) => ({ node, service: service ?? undefined }))
  }

  /** The first nodes of which {@link hasNodeBelow} tells. */
  nodesBelow(suffix: string, limit: number): readonly string[] {
    const above = reverseLabels(suffix.toLowerCase())
    return this.#sql.nodesBelow.all(`${above}.`, `${above}/`, limit).map(({ name }) => name)
  }

  /** The spellings in which the instances of a service are registered. */
  spellingsOf(serviceName: string): readonly string[] {
    return this.#sql.spellings.all(serviceName.toLowerCase()).map(({ name }) => name)
  }

  /** The first names of services behind `after`, in lower case and in order. */
  serviceKeys(after: string, limit: number): readonly string[] {
    return this.#sql.serviceKeys.all(after, limit).map(({ key }) => key)
  }

  /** Every service name, in each of its spellings, with the sorted union of its instances' tags. */
  serviceNames(): ReadonlyMap<string, readonly string[]> {
    const byName = new Map<string, Set<string>>()
    for (const row of this.#sql.serviceTags.all()) addTags(byName, row.name, parseTags(row.tags))
    return new Map([...byName].map(([name, tags]) => [name, [...tags].toSorted()]))
  }

  /** All instances of a service, whatever their health; empty when the name is unknown. */
  instances(serviceName: string): readonly Instance[] {
    const nodes = new Map<string, { node: Node; checks: readonly Check[] }>()
    return this.#sql.named.all(serviceName.toLowerCase()).map((row) => {
      const { node, checks } = this.#nodeWithChecks(row.node_key, nodes)
      const own = this.#sql.ownChecks.all(row.node_key, row.id).map(checkOf)
      return { node, service: serviceOf(row, node.name), checks: mergeById(own, checks) }
    })
  }

  /** Many instances share a node, so each node's rows are read once an answer. */
  #nodeWithChecks(
    key: string,
    seen: Map<string, { node: Node; checks: readonly Check[] }>,
  ): { node: Node; checks: readonly Check[] } {
    const known = seen.get(key)
    if (known !== undefined) return known
    const row = this.#sql.node.get(key) as NodeRow
    const entry = { node: nodeOf(row), checks: this.#sql.instanceChecks.all(key).map(checkOf) }
    seen.set(key, entry)
    return entry
  }

  servicesOfNode(nodeName: string): readonly Service[] {
    const rows = this.#sql.servicesOfNode.all(nodeName.toLowerCase())
    return rows.map((row) => serviceOf(row, row.node_name))
  }

  /** Up to `limit` services of a node, from the first id behind `afterId`, without their contents. */
  serviceHeads(nodeName: string, afterId: string, limit: number): readonly ServiceHead[] {
    return this.#sql.serviceHeads.all(nodeName.toLowerCase(), afterId, limit)
  }

  serviceHead(nodeName: string, id: string): ServiceHead | undefined {
    return this.#sql.serviceHead.get(nodeName.toLowerCase(), id)
  }

  service(nodeName: string, id: string): Service | undefined {
    const row = this.#sql.service.get(nodeName.toLowerCase(), id)
    return row === undefined ? undefined : serviceOf(row, row.node_name)
  }

  check(nodeName: string, checkId: string): Check | undefined {
    const row = this.#sql.check.get(nodeName.toLowerCase(), checkId)
    return row === undefined ? undefined : checkOf(row)
  }

  /** As {@link serviceHeads}, of checks. */
  checkHeads(nodeName: string, afterId: string, limit: number): readonly CheckHead[] {
    return this.#sql.checkHeads.all(nodeName.toLowerCase(), afterId, limit)
  }

  checkHead(nodeName: string, checkId: string): CheckHead | undefined {
    return this.#sql.checkHead.get(nodeName.toLowerCase(), checkId)
  }

  checksOfNode(nodeName: string): readonly Check[] {
    return this.#sql.checksOfNode.all(nodeName.toLowerCase()).map(checkOf)
  }

  /** The checks of one instance and of its node; of the node alone when `serviceId` is ''. */
  checksOfInstance(nodeName: string, serviceId: string): readonly Check[] {
    const key = nodeName.toLowerCase()
    const own = serviceId === '' ? [] : this.#sql.ownChecks.all(key, serviceId).map(checkOf)
    return mergeById(own, this.#sql.instanceChecks.all(key).map(checkOf))
  }

  /**
   * An index that rises with every change of a subject and never falls: that of its last change, or,
   * where this is forgotten or there was none, of the last entry that it may have been.
   */
  indexOf(asked: string): number {
    if (asked === subject.anything) return this.appliedIndex()
    return this.#sql.index.get(asked)?.modify_index ?? forgottenUpTo(this.appliedIndex())
  }

  /** How much there is. Walks indexes, not tables: some milliseconds for 100,000 instances. */
  counts(): CatalogCounts {
    return this.#counts()
  }

  /** When these entries of the log were written. */
  entryTimes(indexes: readonly number[]): EntryTimes {
    this.#entryTimes ??= prepareEntryTimes(this.#db)
    return this.#entryTimes(indexes)
  }

  /** The nodes that have a service with this id, the first few by name. */
  placesOfService(id: string, limit: number): readonly ServicePlace[] {
    this.#places ??= this.#db.prepare<[string, number], ServicePlace>(
      `SELECT n.name AS node, n.address AS address FROM nodes n
       CROSS JOIN services s ON s.node_key = n.key AND s.id = ? ORDER BY n.key LIMIT ?`,
    )
    return this.#places.all(id, limit)
  }

  /** The log index of the last command applied. */
  appliedIndex(): number {
    return this.#sql.applied.get()?.value ?? 0
  }
}
