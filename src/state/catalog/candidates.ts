import type { Database } from 'better-sqlite3'
import { reachOfNode, reachOfService } from './addresses.ts'
import type { Reach } from './addresses.ts'
import type { Status, TaggedAddress } from './model.ts'
import { parseObject, parseTags } from './rows.ts'

/**
 * A check that may keep an instance out of answers: it does not pass, or it is a maintenance check.
 */
export interface TellingCheck {
  readonly checkId: string
  readonly status: Status
  /** '' for a check of the node. */
  readonly serviceId: string
}

/** An instance as DNS needs it. */
export interface Candidate {
  readonly node: string
  readonly nodeReach: Reach
  readonly service: {
    readonly id: string
    readonly port: number
    readonly tags: readonly string[]
    readonly meta: Readonly<Record<string, string>>
    readonly weights: { readonly passing: number; readonly warning: number }
    readonly reach: Reach
  }
  /** Of the service and of the node; checks that pass are left out. */
  readonly checks: readonly TellingCheck[]
}

type InstanceRow = [
  nodeKey: string,
  id: string,
  address: string,
  port: number,
  tags: string | null,
  meta: string | null,
  passing: number,
  warning: number,
  taggedAddresses: string | null,
]
type NodeRow = [name: string, address: string, taggedAddresses: string]
type CheckRow = [nodeKey: string, serviceId: string, checkId: string, status: Status]

/**
 * The condition of the index `checks_that_tell`, in the same words. Otherwise SQLite would not use
 * it.
 */
const tells = `(c.status <> 'passing' OR (c.check_id >= '_' AND c.check_id < '\`'))`

/** The questions DNS asks, for `EXPLAIN QUERY PLAN` too. */
export const candidateQueries = {
  // Empty values come as NULL: a string made for each instance costs more than reading its row.
  instances: `SELECT node_key, id, address, port, NULLIF(tags, '[]'), NULLIF(meta, '{}'),
    weight_passing, weight_warning, NULLIF(tagged_addresses, '{}')
    FROM services WHERE name_key = ? ORDER BY node_key, id`,
  node: 'SELECT name, address, tagged_addresses FROM nodes WHERE key = ?',
  ownChecks: `SELECT c.node_key, c.service_id, c.check_id, c.status
    FROM services s INDEXED BY services_by_name
    CROSS JOIN checks c INDEXED BY checks_that_tell
    ON c.node_key = s.node_key AND c.service_id = s.id WHERE s.name_key = ? AND ${tells}`,
  // All its nodes in one query: hardly any has one, and a query per node costs more than the rest.
  nodeChecks: `SELECT c.node_key, c.service_id, c.check_id, c.status
    FROM (SELECT DISTINCT node_key FROM services INDEXED BY services_by_name WHERE name_key = ?) n
    CROSS JOIN checks c INDEXED BY checks_that_tell
    ON c.node_key = n.node_key AND c.service_id = '' WHERE ${tells}`,
} as const

const noTags: readonly string[] = []
const empty: Readonly<Record<string, never>> = {}

interface NodeEntry {
  readonly name: string
  readonly reach: Reach
  readonly checks: readonly TellingCheck[]
}

/**
 * The instances of a service with what decides about them, in the order of node and id. Reads no
 * check that passes, and makes no object of what DNS never says: a question that is not in the
 * cache costs a tenth of what the whole rows do.
 */
export class CandidateReader {
  readonly #instances
  readonly #node
  readonly #ownChecks
  readonly #nodeChecks

  constructor(db: Database) {
    const { instances, node, ownChecks, nodeChecks } = candidateQueries
    this.#instances = db.prepare<[string], InstanceRow>(instances).raw()
    this.#node = db.prepare<[string], NodeRow>(node).raw()
    this.#ownChecks = db.prepare<[string], CheckRow>(ownChecks).raw()
    this.#nodeChecks = db.prepare<[string], CheckRow>(nodeChecks).raw()
  }

  /** Empty when the name is unknown. */
  candidates(serviceName: string): readonly Candidate[] {
    const nameKey = serviceName.toLowerCase()
    const rows = this.#instances.all(nameKey)
    if (rows.length === 0) return []
    const own = checksBy(this.#ownChecks.all(nameKey), instanceKey)
    const ofNodes = checksBy(this.#nodeChecks.all(nameKey), (nodeKey) => nodeKey)
    const nodes = new Map<string, NodeEntry>()
    return rows.map((row) => {
      const [nodeKey, id, address, port, tags, meta, passing, warning, tagged] = row
      let node = nodes.get(nodeKey)
      if (node === undefined)
        nodes.set(nodeKey, (node = this.#nodeOf(nodeKey, ofNodes.get(nodeKey))))
      const checks = own.size === 0 ? undefined : own.get(instanceKey(nodeKey, id))
      const taggedAddresses = tagged === null ? empty : parseObject<TaggedAddress>(tagged)
      return {
        node: node.name,
        nodeReach: node.reach,
        service: {
          id,
          port,
          tags: tags === null ? noTags : parseTags(tags),
          meta: meta === null ? empty : parseObject<string>(meta),
          weights: { passing, warning },
          reach: reachOfService({ address, taggedAddresses }),
        },
        checks: checks === undefined ? node.checks : [...checks, ...node.checks],
      }
    })
  }

  /** Many instances share a node, so each is read once an answer. */
  #nodeOf(key: string, checks: readonly TellingCheck[] = noChecks): NodeEntry {
    const [name, address, tagged] = this.#node.get(key) as NodeRow
    const taggedAddresses = parseObject<string>(tagged)
    return { name, reach: reachOfNode({ address, taggedAddresses }), checks }
  }
}

const noChecks: readonly TellingCheck[] = []

function instanceKey(nodeKey: string, serviceId: string): string {
  return `${nodeKey}\0${serviceId}`
}

function checksBy(
  rows: readonly CheckRow[],
  keyOf: (nodeKey: string, serviceId: string) => string,
): ReadonlyMap<string, readonly TellingCheck[]> {
  const found = new Map<string, TellingCheck[]>()
  for (const [nodeKey, serviceId, checkId, status] of rows) {
    const key = keyOf(nodeKey, serviceId)
    const checks = found.get(key)
    if (checks === undefined) found.set(key, [{ checkId, status, serviceId }])
    else checks.push({ checkId, status, serviceId })
  }
  return found
}
