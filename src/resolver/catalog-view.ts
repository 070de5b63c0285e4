import type { Caller } from '../access/caller.ts'
import { everything } from '../access/rights.ts'
import type { Resource } from '../access/rules/resource.ts'
import type { IpBytes } from '../base/ip.ts'
import { reachOfNode } from '../state/catalog/addresses.ts'
import type { Candidate } from '../state/catalog/candidates.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type { SessionReader } from '../state/session/reader.ts'
import type { Node } from '../state/catalog/model.ts'
import type { ServiceQuery } from '../state/query/model.ts'
import type { QueryReader } from '../state/query/reader.ts'
import { querySubject } from '../state/query/subjects.ts'
import type {
  Addresses,
  Endpoint,
  Holder,
  NodeEntry,
  Queried,
  QueryTarget,
  ServiceLookup,
  View,
} from '../dns/view.ts'
import { judge } from '../health/judge.ts'
import { chooserOf, nearFirst } from '../prepared-query/choose.ts'
import { Queries } from '../prepared-query/queries.ts'
import { ttlSeconds } from '../prepared-query/validate.ts'

export interface CatalogViewOptions {
  /** Whose answers are made from it. A wire cache has the answers of one view, so of one caller. */
  readonly caller: Caller
  /** Leave instances with a warning out too. */
  readonly onlyPassing: boolean
  /** The node of this agent, which a prepared query calls `_agent`. */
  readonly nodeName: string
}

/** What the view reads. */
export interface ViewReaders {
  readonly catalog: CatalogReader
  readonly sessions: SessionReader
  readonly queries: QueryReader
}

/** The servers register themselves under this name, as Consul's do. */
const serverService = 'consul'
const serversMax = 3
/** How many entries are looked at for one that the caller may read: a question must not cost a walk through all. */
const lookedAtMax = 1000
/** The same for names of services: more than a thousand fit into one answer. */
const namesLookedAtMax = 4096

/** What DNS answers are made from: the place where rows become endpoints. */
export class CatalogView implements View {
  readonly #catalog: CatalogReader
  readonly #reader: QueryReader
  readonly #queries: Queries
  readonly #sessions: SessionReader
  readonly #options: CatalogViewOptions
  #caller: Caller
  #hidden = 0

  constructor({ catalog, queries, sessions }: ViewReaders, options: CatalogViewOptions) {
    this.#catalog = catalog
    this.#reader = queries
    this.#queries = new Queries(queries)
    this.#sessions = sessions
    this.#options = options
    this.#caller = options.caller
  }

  get hidden(): number {
    return this.#hidden
  }

  /** Whose answers it gives from now on. Cached answers belong to the caller before. */
  set caller(caller: Caller) {
    this.#caller = caller
  }

  get #seesAll(): boolean {
    return this.#caller.rights === everything
  }

  /** Whether the caller may read it; if not, it is as if it did not exist. */
  #sees(resource: Resource, name: string): boolean {
    if (this.#caller.rights.allows(resource, name, 'read')) return true
    this.#hidden++
    return false
  }

  /** The instances of a service that the caller may read. */
  #candidates(name: string, rows = this.#catalog.serviceRows(name)): readonly Candidate[] {
    const all = rows?.candidates() ?? []
    if (this.#seesAll || all.length === 0) return all
    return this.#seesService(name) ? all.filter(({ node }) => this.#sees('node', node)) : []
  }

  lookUp(name: string): ServiceLookup | undefined {
    const rows = this.#catalog.serviceRows(name)
    if (rows === undefined) return undefined
    return {
      // What the caller may not read is left out one by one.
      addresses: () => (this.#seesAll ? rows.addresses() : undefined),
      endpoints: () => this.#endpoints(this.#candidates(name, rows)),
    }
  }

  /** Names match without regard to case, rules do not: all spellings must be readable. */
  #seesService(name: string): boolean {
    if (this.#seesAll) return true
    return this.#catalog.spellingsOf(name).every((each) => this.#sees('service', each))
  }

  serviceNames(limit: number, isWanted: (name: string) => boolean): readonly string[] {
    const names: string[] = []
    let after = ''
    for (let lookedAt = 0; lookedAt < namesLookedAtMax && names.length < limit;) {
      const page = this.#catalog.serviceKeys(after, limit - names.length)
      names.push(...page.filter((name) => isWanted(name) && this.#seesService(name)))
      const last = page.at(-1)
      if (last === undefined) break
      lookedAt += page.length
      after = last
    }
    return names
  }

  service(name: string): readonly Endpoint[] | undefined {
    return this.#endpoints(this.#candidates(name))
  }

  #endpoints(candidates: readonly Candidate[]): readonly Endpoint[] | undefined {
    if (candidates.length === 0) return undefined
    const endpoints: Endpoint[] = []
    for (const candidate of candidates) {
      const verdict = judge(candidate, this.#options)
      if (!verdict.inAnswer) continue
      endpoints.push(new CandidateEndpoint(candidate, verdict.weight))
    }
    return endpoints
  }

  query(name: string): Queried {
    const { found, subjects } = this.#queries.find(name)
    const all = [...subjects, querySubject.below(name)]
    // A template that has no value for this name has none for DNS; `explain` tells why.
    if (found.kind !== 'query') {
      return { subjects: all, target: undefined, hasBelow: this.#reader.hasBelow(name) }
    }
    const { query, isOfTemplate } = found
    const { service } = query
    const target: QueryTarget = {
      service: service.service,
      ttl: ttlSeconds(query),
      isOfTemplate,
      ...this.#chosen(service),
    }
    const isEmpty = target.endpoints.length === 0
    return { subjects: all, target, hasBelow: isEmpty && this.#reader.hasBelow(name) }
  }

  #chosen(query: ServiceQuery): Pick<QueryTarget, 'endpoints' | 'near'> {
    const choose = chooserOf(query)
    const endpoints: Endpoint[] = []
    for (const candidate of this.#candidates(query.service)) {
      const verdict = choose(candidate, () => this.#catalog.node(candidate.node)?.meta ?? {})
      if (verdict !== undefined) endpoints.push(new CandidateEndpoint(candidate, verdict.weight))
    }
    const asked = query.near === '_agent' ? this.#options.nodeName : query.near
    const { ordered, near } = nearFirst(endpoints, ({ node }) => node, asked)
    return { endpoints: ordered, near }
  }

  node(name: string): NodeEntry | undefined {
    return this.#entryOf(this.#catalog.node(name))
  }

  nodeById(id: string): NodeEntry | undefined {
    return this.#entryOf(this.#catalog.nodeById(id))
  }

  #entryOf(node: Node | undefined): NodeEntry | undefined {
    return node !== undefined && this.#sees('node', node.name) ? nodeEntry(node) : undefined
  }

  #seesHolder({ node, service }: Holder): boolean {
    return this.#sees('node', node) && (service === undefined || this.#sees('service', service))
  }

  holders(ip: IpBytes): readonly Holder[] {
    return this.#catalog.holdersOf(ip).filter((holder) => this.#seesHolder(holder))
  }

  hasAddressBelow(prefix: string): boolean {
    if (this.#seesAll) return this.#catalog.hasAddressBelow(prefix)
    const holders = this.#catalog.holdersBelow(prefix, lookedAtMax)
    return holders.some((holder) => this.#seesHolder(holder))
  }

  servers(): readonly NodeEntry[] {
    const healthy = this.#catalog
      .instances(serverService)
      .filter((instance) => judge(instance, this.#options).inAnswer)
      .filter(({ node, service: { name } }) => this.#seesHolder({ node: node.name, service: name }))
    return healthy.slice(0, serversMax).map(({ node }) => nodeEntry(node))
  }

  hasNodeBelow(suffix: string): boolean {
    if (this.#seesAll) return this.#catalog.hasNodeBelow(suffix)
    const names = this.#catalog.nodesBelow(suffix, lookedAtMax)
    return names.some((name) => this.#sees('node', name))
  }

  lockHolder(key: string): string | undefined {
    const session = this.#sessions.lock(key)?.session
    if (session !== undefined && !this.#sees('key', key)) return undefined
    return session === undefined ? undefined : (this.#sessions.session(session)?.node ?? '')
  }
}

/** What a candidate reads only when it is asked for it, an endpoint does too. */
class CandidateEndpoint implements Endpoint {
  readonly weight: number
  readonly #candidate: Candidate

  constructor(candidate: Candidate, weight: number) {
    this.weight = weight
    this.#candidate = candidate
  }

  get id(): string {
    return this.#candidate.service.id
  }

  get node(): string {
    return this.#candidate.node
  }

  get nodeAddresses(): Addresses {
    return this.#candidate.nodeReach
  }

  get port(): number {
    return this.#candidate.service.port
  }

  get service(): Addresses {
    return this.#candidate.service.reach
  }

  get tags(): readonly string[] {
    return this.#candidate.service.tags
  }

  get meta(): Readonly<Record<string, string>> {
    return this.#candidate.service.meta
  }
}

function nodeEntry(node: Node): NodeEntry {
  return { node: node.name, addresses: reachOfNode(node), meta: node.meta }
}
