import type { IpBytes } from '../base/ip.ts'

/** One address of an instance or node, already parsed: an IP, or the name of a host elsewhere. */
export type Host = { readonly ip: IpBytes } | { readonly name: string }

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

/** What the DNS answers are made from. `node/catalog-view.ts` reads it from the catalog. */
export interface View {
  /** The instances to answer with, empty when none is healthy; undefined: no instance is registered. */
  service(name: string): readonly Endpoint[] | undefined
  node(name: string): NodeEntry | undefined
  /** Up to three live servers, for NS. */
  servers(): readonly NodeEntry[]
}
