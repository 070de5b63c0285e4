import type { Caller } from '../access/caller.ts'
import type { IpBytes } from '../base/ip.ts'
import { reachOfNode } from '../state/catalog/addresses.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type { SessionReader } from '../state/session/reader.ts'
import type { Node } from '../state/catalog/model.ts'
import type { Endpoint, Holder, NodeEntry, View } from '../dns/view.ts'
import { judge } from '../health/judge.ts'

export interface CatalogViewOptions {
  /** Whose answers are made from it. A wire cache has the answers of one view, so of one caller. */
  readonly caller: Caller
  /** Leave instances with a warning out too. */
  readonly onlyPassing: boolean
}

/** The servers register themselves under this name, as Consul's do. */
const serverService = 'consul'
const serversMax = 3

/** What the view reads. */
export interface ViewReaders {
  readonly catalog: CatalogReader
  readonly sessions: SessionReader
}

/** What DNS answers are made from: the place where rows become endpoints. */
export class CatalogView implements View {
  readonly #catalog: CatalogReader
  readonly #sessions: SessionReader
  readonly #options: CatalogViewOptions

  constructor({ catalog, sessions }: ViewReaders, options: CatalogViewOptions) {
    this.#catalog = catalog
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
      const { node, service, nodeReach } = candidate
      const { tags, port, reach, meta } = service
      const { weight } = verdict
      endpoints.push({ node, tags, port, weight, service: reach, nodeAddresses: nodeReach, meta })
    }
    return endpoints
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

function nodeEntry(node: Node): NodeEntry {
  return { node: node.name, addresses: reachOfNode(node), meta: node.meta }
}
