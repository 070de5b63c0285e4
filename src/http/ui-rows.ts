import type { Instance, Node } from '../state/catalog/model.ts'
import { checkRow, nodeServiceRow } from './row-schemas.ts'
import {
  list,
  object,
  opaque,
  orNull,
  schemaNamed,
  text,
  textMap,
  texts,
  whole,
} from './schemas.ts'

// The rows of internal/ui, which the web UI of Consul shows. Empty lists are null where that UI expects it.

export const uiServiceRow = schemaNamed(
  'UiService',
  object(
    {
      Kind: text,
      Name: text,
      Tags: orNull(texts),
      Nodes: texts,
      InstanceCount: whole,
      ProxyFor: texts,
      ChecksPassing: whole,
      ChecksWarning: whole,
      ChecksCritical: whole,
      ExternalSources: orNull(texts),
      GatewayConfig: opaque,
    },
    'Kind ProxyFor',
  ),
)

export const uiNodeRow = schemaNamed(
  'UiNode',
  object({
    ID: text,
    Node: text,
    Address: text,
    TaggedAddresses: textMap,
    Meta: textMap,
    Services: list(nodeServiceRow),
    Checks: list(checkRow),
  }),
)

/** A node without what is on it. */
export function uiNodeJson({ id, name, address, taggedAddresses, meta }: Node) {
  return { ID: id, Node: name, Address: address, TaggedAddresses: taggedAddresses, Meta: meta }
}

/** Adds up the instances of one service. */
export class UiService {
  readonly #name: string
  readonly #nodes: string[] = []
  readonly #tags = new Set<string>()
  readonly #sources = new Set<string>()
  readonly #destinations = new Set<string>()
  readonly #checks = { passing: 0, warning: 0, critical: 0 }
  #kind: unknown

  constructor(name: string) {
    this.#name = name
  }

  /** `sees`: whether the name of a service may be shown. */
  add({ node, service, checks }: Instance, sees: (name: string) => boolean): void {
    const { extra, meta, tags } = service
    this.#nodes.push(node.name)
    this.#kind = extra['Kind']
    for (const tag of tags) this.#tags.add(tag)
    for (const { status } of checks) this.#checks[status]++
    const source = meta['external-source'] ?? ''
    if (source !== '') this.#sources.add(source)
    const destination = (extra['Proxy'] as { DestinationServiceName?: string } | undefined)
      ?.DestinationServiceName
    if (destination !== undefined && sees(destination)) this.#destinations.add(destination)
  }

  json(): object {
    const { passing, warning, critical } = this.#checks
    return {
      ...(this.#kind === undefined ? {} : { Kind: this.#kind }),
      Name: this.#name,
      Tags: sortedOrNull(this.#tags),
      Nodes: this.#nodes.toSorted(),
      InstanceCount: this.#nodes.length,
      ...(this.#destinations.size === 0 ? {} : { ProxyFor: [...this.#destinations].toSorted() }),
      ChecksPassing: passing,
      ChecksWarning: warning,
      ChecksCritical: critical,
      ExternalSources: sortedOrNull(this.#sources),
      GatewayConfig: {},
    }
  }
}

function sortedOrNull(texts: ReadonlySet<string>): readonly string[] | null {
  return texts.size === 0 ? null : [...texts].toSorted()
}
