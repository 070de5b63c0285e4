import type { IpBytes } from '../base/ip.ts'

/** An instance that belongs in an answer (the verdict has been given; DNS does not judge health). */
export interface Endpoint {
  /** The node's name, as registered. */
  readonly node: string
  readonly tags: readonly string[]
  readonly port: number
  /** SRV weight, 0–65535, for the instance's present status. */
  readonly weight: number
  /** The service's own addresses by family; empty when it registered none. */
  readonly service: Addresses
  /** The node's addresses. */
  readonly nodeAddresses: Addresses
  /** The instance's meta, for TXT. */
  readonly meta?: Readonly<Record<string, string>> | undefined
}

/** Addresses of one thing: at most one of each family, or a host name instead of both. */
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

/** Somebody with an address: the node itself, or a service on it. */
export interface Holder {
  readonly node: string
  readonly service: string | undefined
}

/**
 * What the DNS answers are made from. `node/catalog-view.ts` reads it from the catalog. Names are
 * given in lower case and match without regard to it. The order of a list must not change while the
 * catalog does not; turning it is the wire cache's work.
 */
export interface View {
  /** The instances to answer with, empty when none is healthy; undefined: no instance is registered. */
  service(name: string): readonly Endpoint[] | undefined
  node(name: string): NodeEntry | undefined
  /** The node of a UUID. */
  nodeById(id: string): NodeEntry | undefined
  /** Who has an address, nodes first, whatever their health. */
  holders(ip: IpBytes): readonly Holder[]
  /** Whether somebody has an address that begins so: `4` or `6`, then hexadecimal digits. */
  hasAddressBelow(prefix: string): boolean
  /** Up to three live servers, for NS. */
  servers(): readonly NodeEntry[]
  /** Whether some node's name ends with `.suffix`, so that the suffix is an empty non-terminal. */
  hasNodeBelow(suffix: string): boolean
}
