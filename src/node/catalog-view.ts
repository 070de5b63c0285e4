import { parseIp } from '../base/ip.ts'
import type { CatalogReader } from '../catalog/query.ts'
import type { Node, Service } from '../catalog/model.ts'
import type { Addresses, Endpoint, NodeEntry, View } from '../dns/view.ts'
import { judge } from '../health/select.ts'

export interface CatalogViewOptions {
  /** Leave instances with a warning out too. */
  readonly onlyPassing: boolean
}

/** The servers register themselves under this name, as Consul's do. */
const serverService = 'consul'
const serversMax = 3

/** What DNS answers are made from, read from the catalog: the place where rows become endpoints. */
export class CatalogView implements View {
  readonly #catalog: CatalogReader
  readonly #options: CatalogViewOptions

  constructor(catalog: CatalogReader, options: CatalogViewOptions) {
    this.#catalog = catalog
    this.#options = options
  }

  service(name: string): readonly Endpoint[] | undefined {
    const instances = this.#catalog.instances(name)
    if (instances.length === 0) return undefined
    const endpoints: Endpoint[] = []
    const nodes = new Map<string, Addresses>()
    for (const instance of instances) {
      const verdict = judge(instance, this.#options)
      if (!verdict.inAnswer) continue
      const { node, service } = instance
      let addresses = nodes.get(node.name)
      if (addresses === undefined) nodes.set(node.name, (addresses = nodeAddresses(node)))
      endpoints.push({
        node: node.name,
        tags: service.tags,
        port: service.port,
        weight: verdict.weight,
        service: serviceAddresses(service),
        nodeAddresses: addresses,
        meta: service.meta,
      })
    }
    return endpoints
  }

  node(name: string): NodeEntry | undefined {
    const node = this.#catalog.node(name)
    return node === undefined ? undefined : nodeEntry(node)
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
}

function nodeEntry(node: Node): NodeEntry {
  return { node: node.name, addresses: nodeAddresses(node), meta: node.meta }
}

function nodeAddresses(node: Node): Addresses {
  const tagged = node.taggedAddresses
  return addressesOf([node.address, tagged['lan_ipv4'], tagged['lan_ipv6']])
}

/** A service without an address of its own is reached at its node's. */
function serviceAddresses(service: Service): Addresses {
  const tagged = service.taggedAddresses
  if (service.address === '' && Object.keys(tagged).length === 0) return {}
  return addressesOf([service.address, tagged['lan_ipv4']?.address, tagged['lan_ipv6']?.address])
}

/** One address of each family, the first given wins; a host name counts when there is no IP. */
function addressesOf(texts: readonly (string | undefined)[]): Addresses {
  let [v4, v6]: [Uint8Array | undefined, Uint8Array | undefined] = [undefined, undefined]
  let name: string | undefined
  for (const text of texts) {
    if (text === undefined || text === '') continue
    const ip = parseIp(text)
    if (ip === undefined) name ??= text
    else if (ip.length === 4) v4 ??= ip
    else v6 ??= ip
  }
  return v4 === undefined && v6 === undefined ? { name } : { v4, v6 }
}
