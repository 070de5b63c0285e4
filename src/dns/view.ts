import type { IpBytes } from '../base/ip.ts'

/** An instance that belongs in an answer (DNS does not evaluate health; `health/` has done so). */
export interface Endpoint {
  /** The node's name, as registered. */
  readonly node: string
  /** The ID of the instance, which is unique on its node. */
  readonly id: string
  readonly tags: readonly string[]
  readonly port: number
  /** SRV weight, 0–65535, for the instance's current status. */
  readonly weight: number
  /** The service's own addresses by family; empty when it registered none. */
  readonly service: Addresses
  /** The node's addresses. */
  readonly nodeAddresses: Addresses
  /** The instance's meta, for TXT, SVCB and HTTPS. */
  readonly meta?: Readonly<Record<string, string>> | undefined
}

/** Addresses of a node or service: at most one per family, or a host name instead. */
export interface Addresses {
  readonly v4?: IpBytes | undefined
  readonly v6?: IpBytes | undefined
  readonly name?: string | undefined
}

export interface NodeEntry {
  readonly node: string
  readonly addresses: Addresses
  readonly meta: Readonly<Record<string, string>>
}

/** The holder of an address: the node itself, or a service on it. */
export interface Holder {
  readonly node: string
  readonly service: string | undefined
}

/** A registered service, of which an answer may need only a part. */
export interface ServiceLookup {
  /**
   * The addresses of all instances, if these are all healthy, have equal weights and one address of their own each,
   * all of one family: then they are the whole answer. Undefined: look at the endpoints.
   */
  addresses(): PlainAddresses | undefined
  /** As `View.service`. */
  endpoints(): readonly Endpoint[] | undefined
}

/** Different addresses of one family. */
export interface PlainAddresses {
  /** The octets of one address: 4 or 16. */
  readonly size: 4 | 16
  /** All addresses, one after the other. */
  readonly octets: Uint8Array
}

/** What a name below `query` finds. */
export interface Queried {
  /** Names of what the result depends on, in the family of prepared queries. */
  readonly subjects: readonly string[]
  /** Undefined if there is no such query. */
  readonly target: QueryTarget | undefined
  /** Whether a query has a name below this one, as `a.b` is below `b`. */
  readonly hasBelow: boolean
}

/** A prepared query, rendered for a name. */
export interface QueryTarget {
  readonly service: string
  /** Seconds; undefined: that of the service. */
  readonly ttl: number | undefined
  /** It also has answers for other names. */
  readonly isOfTemplate: boolean
  /** The chosen instances, the near ones first. */
  readonly endpoints: readonly Endpoint[]
  /** How many of them are near: they stay in front. */
  readonly near: number
}

/**
 * The data of DNS answers. `resolver/catalog-view.ts` reads it from the catalog. Names are passed in lower
 * case and match case-insensitively. The order of a list must not change while the catalog does not
 * change; the wire cache rotates it.
 */
export interface View {
  /** How many things were left out so far because they may not be shown. Absent: none ever are. */
  readonly hidden?: number
  /** The instances for an answer, empty if none is healthy; undefined if none is registered. */
  service(name: string): readonly Endpoint[] | undefined
  /** The service of {@link service}, to be read in the same moment. Absent: there is only the other way. */
  lookUp?(name: string): ServiceLookup | undefined
  /** The first names of registered services that are wanted, in lower case and in order; at most `limit`. */
  serviceNames(limit: number, isWanted: (name: string) => boolean): readonly string[]
  /** The prepared query of this name. */
  query(name: string): Queried
  node(name: string): NodeEntry | undefined
  /** The node with this UUID. */
  nodeById(id: string): NodeEntry | undefined
  /** The holders of an address, nodes first, healthy or not. */
  holders(ip: IpBytes): readonly Holder[]
  /** Whether a known address has this prefix: `4` or `6`, then hexadecimal digits. */
  hasAddressBelow(prefix: string): boolean
  /** Up to three live servers, for NS. */
  servers(): readonly NodeEntry[]
  /** Whether some node's name ends with `.suffix`, so that the suffix is an empty non-terminal. */
  hasNodeBelow(suffix: string): boolean
  /** The name of the node whose session holds the lock of a key; '' for none, undefined without such a key. */
  lockHolder(key: string): string | undefined
}
