import type { Caller } from '../access/caller.ts'
import type { IpBytes } from '../base/ip.ts'
import { reachOfNode } from '../state/catalog/addresses.ts'
import type { Candidate } from '../state/catalog/candidates.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type { SessionReader } from '../state/session/reader.ts'
import type { Node } from '../state/catalog/model.ts'
import type { ServiceQuery } from '../state/query/model.ts'
import type { QueryReader } from '../state/query/reader.ts'
import { querySubject } from '../state/query/subjects.ts'
import type { Endpoint, Holder, NodeEntry, Queried, QueryTarget, View } from '../dns/view.ts'
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

/** What DNS answers are made from: the place where rows become endpoints. */
export class CatalogView implements View {
  readonly #catalog: CatalogReader
  readonly #reader: QueryReader
  readonly #queries: Queries
  readonly #sessions: SessionReader
  readonly #options: CatalogViewOptions

  constructor({ catalog, queries, sessions }: ViewReaders, options: CatalogViewOptions) {
    this.#catalog = catalog
    this.#reader = queries
    this.#queries = new Queries(queries)
    this.#sessions = sessions
    this.#options = options
  }

  service(name: string): readonly Endpoint[] | undefined {
    const candidates = this.#catalog.candidates(name)
    if (candidates.length === 0) return undefined
    const endpoints: Endpoint[] = []
    for (const candidate of candidates) {
      const verdict = judge(candidate, this.#options)
      if (!verdict.inAnswer) continue
      endpoints.push(endpointOf(candidate, verdict.weight))
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
    for (const candidate of this.#catalog.candidates(query.service)) {
      const verdict = choose(candidate, () => this.#catalog.node(candidate.node)?.meta ?? {})
      if (verdict !== undefined) endpoints.push(endpointOf(candidate, verdict.weight))
    }
    const asked = query.near === '_agent' ? this.#options.nodeName : query.near
    const { ordered, near } = nearFirst(endpoints, ({ node }) => node, asked)
    return { endpoints: ordered, near }
  }

  node(name: string): NodeEntry | undefined {
    const node = this.#catalog.node(name)
    return node === undefined ? undefined : nodeEntry(node)
  }

  nodeById(id: string): NodeEntry | undefined {
    const node = this.#catalog.nodeById(id)
    return node === undefined ? undefined : nodeEntry(node)
  }

  holders(ip: IpBytes): readonly Holder[] {
    return this.#catalog.holdersOf(ip)
  }

  hasAddressBelow(prefix: string): boolean {
    return this.#catalog.hasAddressBelow(prefix)
  }

  servers(): readonly NodeEntry[] {
    const healthy = this.#catalog
      .instances(serverService)
      .filter((instance) => judge(instance, this.#options).inAnswer)
    return healthy.slice(0, serversMax).map(({ node }) => nodeEntry(node))
  }

  hasNodeBelow(suffix: string): boolean {
    return this.#catalog.hasNodeBelow(suffix)
  }

  lockHolder(key: string): string | undefined {
    const session = this.#sessions.lock(key)?.session
    return session === undefined ? undefined : (this.#sessions.session(session)?.node ?? '')
  }
}

function endpointOf(candidate: Candidate, weight: number): Endpoint {
  const { node, service, nodeReach } = candidate
  const { tags, port, reach, meta } = service
  return { node, tags, port, weight, service: reach, nodeAddresses: nodeReach, meta }
}

function nodeEntry(node: Node): NodeEntry {
  return { node: node.name, addresses: reachOfNode(node), meta: node.meta }
}
