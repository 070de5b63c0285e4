import type { Database } from 'better-sqlite3'
import { must } from '../../base/assert.ts'
import { reachOfNode, reachOfService } from './addresses.ts'
import type { Reach } from './addresses.ts'
import type { Status, TaggedAddress } from './model.ts'
import { plainAddresses } from './plain-addresses.ts'
import type { PlainAddresses } from './plain-addresses.ts'
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

/** An instance as DNS needs it. Its fields of the node are read when they are asked for, in the same transaction. */
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

type CompactRow = [count: number, tells: number | null, text: string | null]
type InstanceRow = [
  address: string,
  passing: number,
  warning: number,
  taggedAddresses: string,
  nodeKey: string,
  port: number,
  tags: string,
  id: string,
]
type NodeRow = [key: string, name: string, address: string, taggedAddresses: string]
type CheckRow = [nodeKey: string, serviceId: string, checkId: string, status: Status]

/** Between the fields of all instances in one text. No text of a registration should have it; see `fieldsIn`. */
const separator = '\u001f'
const fieldsPerInstance = 8

/**
 * The condition of the index `checks_that_tell`, in the same words. Otherwise SQLite would not use
 * it.
 */
const tells = `(c.status <> 'passing' OR (c.check_id >= '_' AND c.check_id < '\`'))`

const hasTelling = (condition: string): string =>
  `EXISTS (SELECT 1 FROM checks c INDEXED BY checks_that_tell
    WHERE c.node_key = s.node_key ${condition} AND ${tells})`

/** The questions DNS asks, for `EXPLAIN QUERY PLAN` too. */
export const candidateQueries = {
  // One text of all instances, in the order of the index: a value for each field of each instance costs more than
  // reading them. Most nodes have no check that tells anything, so one look-up for each is enough.
  compact: `SELECT count(*),
    max(${hasTelling('')} AND (${hasTelling("AND c.service_id = ''")} OR ${hasTelling('AND c.service_id = s.id')})),
    group_concat(concat_ws('${separator}', s.address, s.weight_passing, s.weight_warning, s.tagged_addresses,
      s.node_key, s.port, s.tags, s.id), '${separator}')
    FROM services s INDEXED BY services_by_name WHERE s.name_key = ?`,
  instances: `SELECT address, weight_passing, weight_warning, tagged_addresses, node_key, port, tags, id
    FROM services INDEXED BY services_by_name WHERE name_key = ? ORDER BY node_key, id`,
  metas:
    'SELECT meta FROM services INDEXED BY services_by_name WHERE name_key = ? ORDER BY node_key, id',
  nodes: `SELECT n.key, n.name, n.address, n.tagged_addresses
    FROM (SELECT DISTINCT node_key FROM services INDEXED BY services_by_name WHERE name_key = ?) s
    CROSS JOIN nodes n ON n.key = s.node_key`,
  ownChecks: `SELECT c.node_key, c.service_id, c.check_id, c.status
    FROM services s INDEXED BY services_by_name
    CROSS JOIN checks c INDEXED BY checks_that_tell
    ON c.node_key = s.node_key AND c.service_id = s.id WHERE s.name_key = ? AND ${tells}`,
  nodeChecks: `SELECT c.node_key, c.service_id, c.check_id, c.status
    FROM (SELECT DISTINCT node_key FROM services INDEXED BY services_by_name WHERE name_key = ?) n
    CROSS JOIN checks c INDEXED BY checks_that_tell
    ON c.node_key = n.node_key AND c.service_id = '' WHERE ${tells}`,
} as const

const noChecks: readonly TellingCheck[] = []

interface NodeEntry {
  readonly name: string
  readonly reach: Reach
}

/** What most answers do not need, which is read when it is asked for. */
interface Later {
  node(key: string): NodeEntry
  tags(text: string): readonly string[]
  /** Of the instance at this place. */
  meta(at: number): Readonly<Record<string, string>>
}

class CandidateService {
  readonly id: string
  readonly port: number
  readonly weights: { readonly passing: number; readonly warning: number }
  readonly reach: Reach
  readonly #tags: string
  readonly #at: number
  readonly #later: Later

  constructor(
    id: string,
    port: number,
    passing: number,
    warning: number,
    reach: Reach,
    tags: string,
    at: number,
    later: Later,
  ) {
    this.id = id
    this.port = port
    this.weights = { passing, warning }
    this.reach = reach
    this.#tags = tags
    this.#at = at
    this.#later = later
  }

  get tags(): readonly string[] {
    return this.#later.tags(this.#tags)
  }

  get meta(): Readonly<Record<string, string>> {
    return this.#later.meta(this.#at)
  }
}

class LazyCandidate implements Candidate {
  readonly service: CandidateService
  readonly checks: readonly TellingCheck[]
  readonly #nodeKey: string
  readonly #later: Later

  constructor(
    service: CandidateService,
    checks: readonly TellingCheck[],
    nodeKey: string,
    later: Later,
  ) {
    this.service = service
    this.checks = checks
    this.#nodeKey = nodeKey
    this.#later = later
  }

  get node(): string {
    return this.#later.node(this.#nodeKey).name
  }

  get nodeReach(): Reach {
    return this.#later.node(this.#nodeKey).reach
  }
}

/**
 * The instances of a service with what decides about them, in the order of node and id. Most answers
 * need one look-up: no check tells anything, and the services have addresses of their own. Checks, nodes
 * and metadata are read only if they matter.
 */
export class CandidateReader {
  readonly #compact
  readonly #instances
  readonly #metas
  readonly #nodes
  readonly #ownChecks
  readonly #nodeChecks
  readonly #tags = new LastParsed(parseTags)
  readonly #meta = new LastParsed<Readonly<Record<string, string>>>(parseObject)

  constructor(db: Database) {
    const { compact, instances, metas, nodes, ownChecks, nodeChecks } = candidateQueries
    this.#compact = db.prepare<[string], CompactRow>(compact).raw()
    this.#instances = db.prepare<[string], InstanceRow>(instances).raw()
    this.#metas = db.prepare<[string], string>(metas).pluck()
    this.#nodes = db.prepare<[string], NodeRow>(nodes).raw()
    this.#ownChecks = db.prepare<[string], CheckRow>(ownChecks).raw()
    this.#nodeChecks = db.prepare<[string], CheckRow>(nodeChecks).raw()
  }

  /** Empty when the name is unknown. */
  candidates(serviceName: string): readonly Candidate[] {
    return this.lookUp(serviceName)?.candidates() ?? []
  }

  /** Undefined when the name is unknown. Read the rows in the same transaction. */
  lookUp(serviceName: string): ServiceRows | undefined {
    const nameKey = serviceName.toLowerCase()
    const [count = 0, tells, text] = this.#compact.get(nameKey) ?? []
    if (count === 0) return undefined
    return {
      addresses: () => (tells === 1 ? undefined : plainAddresses(text ?? '', count, separator)),
      candidates: () => {
        const later = this.#later(nameKey)
        const fields = tells === 1 ? undefined : fieldsIn(text ?? '', count)
        if (fields === undefined) return this.#withChecks(nameKey, later)
        return Array.from({ length: count }, (_, at) => candidateIn(fields, at, later))
      },
    }
  }

  #withChecks(nameKey: string, later: Later): readonly Candidate[] {
    const own = checksBy(this.#ownChecks.all(nameKey), instanceKey)
    const ofNodes = checksBy(this.#nodeChecks.all(nameKey), (nodeKey) => nodeKey)
    return this.#instances.all(nameKey).map((row, at) => {
      const [address, passing, warning, tagged, nodeKey, port, tags, id] = row
      const reach = reachIn(address, tagged)
      const service = new CandidateService(id, port, passing, warning, reach, tags, at, later)
      const ownChecks = own.get(instanceKey(nodeKey, id)) ?? noChecks
      const checks = [...ownChecks, ...(ofNodes.get(nodeKey) ?? noChecks)]
      return new LazyCandidate(service, checks, nodeKey, later)
    })
  }

  #later(nameKey: string): Later {
    let nodes: ReadonlyMap<string, NodeEntry> | undefined
    let metas: readonly string[] | undefined
    const readNodes = (): ReadonlyMap<string, NodeEntry> =>
      new Map(this.#nodes.all(nameKey).map((row) => [row[0], nodeEntryOf(row)]))
    return {
      node: (key) => must((nodes ??= readNodes()).get(key), 'a service has a node'),
      tags: (text) => this.#tags.of(text),
      meta: (at) => this.#meta.of(must((metas ??= this.#metas.all(nameKey))[at], 'it has meta')),
    }
  }
}

/** The rows of one service. */
export interface ServiceRows {
  /** Of all instances, if no check tells anything, and nothing else keeps them from being alike. */
  addresses(): PlainAddresses | undefined
  candidates(): readonly Candidate[]
}

function candidateIn(fields: readonly string[], at: number, later: Later): Candidate {
  const first = at * fieldsPerInstance
  const field = (offset: number): string => fields[first + offset] ?? ''
  const reach = reachIn(field(0), field(3))
  const [passing, warning, port] = [Number(field(1)), Number(field(2)), Number(field(5))]
  const [tags, id] = [field(6), field(7)]
  const service = new CandidateService(id, port, passing, warning, reach, tags, at, later)
  return new LazyCandidate(service, noChecks, field(4), later)
}

/** The fields of all instances; undefined if one of them has the separator in it: there are too many then. */
function fieldsIn(text: string, count: number): readonly string[] | undefined {
  const fields = text.split(separator)
  return fields.length === count * fieldsPerInstance ? fields : undefined
}

function reachIn(address: string, tagged: string): Reach {
  return reachOfService({ address, taggedAddresses: parseObject<TaggedAddress>(tagged) })
}

/** The instances of a service mostly have the same tags and the same metadata: they are parsed once. */
class LastParsed<T> {
  readonly #parse: (text: string) => T
  #last: { readonly text: string; readonly value: T } | undefined

  constructor(parse: (text: string) => T) {
    this.#parse = parse
  }

  of(text: string): T {
    if (this.#last?.text === text) return this.#last.value
    const value = this.#parse(text)
    this.#last = { text, value }
    return value
  }
}

function nodeEntryOf([, name, address, tagged]: NodeRow): NodeEntry {
  return { name, reach: reachOfNode({ address, taggedAddresses: parseObject<string>(tagged) }) }
}

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
