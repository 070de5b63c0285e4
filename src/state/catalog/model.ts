// The rows of the catalog, as every room that reads it sees them.

import type { PlainDefinition } from './service-fields.ts'

export type Status = 'passing' | 'warning' | 'critical'

/**
 * What a status other than passing rests on. `proof`: the target answered and said no, or its host refused.
 * `absence`: nothing was heard, which may be the blindness of the observer. `intent`: an operator wants it
 * (maintenance). '' where that is not known, and of a passing check.
 */
export type Evidence = '' | 'proof' | 'absence' | 'intent'

/** The authority for a row: its agent (anti-entropy may remove it), or the client that wrote it. */
export type Owner = 'agent' | 'catalog' | 'file' | 'lease'

/**
 * Whether an agent is responsible for the row: anti-entropy removes rows that the agent no longer
 * has.
 */
export function isOfAgent({ owner }: { readonly owner: Owner }): boolean {
  return owner === 'agent' || owner === 'file'
}

/** The ID of the service that each server registers of itself, on its own node. */
export const serverServiceId = 'consul'

/** Consul's name for the check that says whether the agent of a node is alive. */
export const nodeCheckId = 'serfHealth'

export interface TaggedAddress {
  readonly address: string
  readonly port: number
}

export interface Weights {
  readonly passing: number
  readonly warning: number
}

/** What a registration says of a node. */
export interface NodeDefinition {
  readonly name: string
  /** A UUID, or '' when the writer gave none. */
  readonly id: string
  /** IPv4, IPv6 or a host name. */
  readonly address: string
  readonly taggedAddresses: Readonly<Record<string, string>>
  readonly meta: Readonly<Record<string, string>>
}

/** What a registration says of a service instance. Its plain fields are in `service-fields.ts`. */
export interface ServiceDefinition extends PlainDefinition {
  /** Unique on its node. */
  readonly id: string
  readonly name: string
  /** '' = the node's address. */
  readonly address: string
  /** 0 = none. */
  readonly port: number
  readonly tags: readonly string[]
  readonly meta: Readonly<Record<string, string>>
  readonly weights: Weights
  readonly taggedAddresses: Readonly<Record<string, TaggedAddress>>
  readonly owner: Owner
  /** Fields of Consul's that svcd stores and returns but does not act on (Kind, Proxy, Connect, …). */
  readonly extra: Readonly<Record<string, unknown>>
}

/** The field of a check's definition that no API shows: headers and bodies may hold credentials. */
export const privateField = 'Private'

/** What a registration says of a check. `serviceId` '' = a check of the node. */
export interface CheckDefinition {
  /** Unique on its node. */
  readonly checkId: string
  readonly name: string
  readonly status: Status
  /** Default ''. A catalog keeps it from format 8 on, and none of a passing check. */
  readonly evidence?: Evidence
  readonly notes: string
  /** At most 4 KiB. */
  readonly output: string
  readonly serviceId: string
  /** 'ttl', 'http', … or '' when no probe runs. */
  readonly type: string
  /** Consul's duration text, or ''. */
  readonly interval: string
  readonly timeout: string
  /** Consul's HealthCheck.Definition, as JSON says it. */
  readonly definition: Readonly<Record<string, unknown>>
}

interface Indexed {
  readonly createIndex: number
  readonly modifyIndex: number
}

export interface Node extends NodeDefinition, Indexed {}

export interface Service extends ServiceDefinition, Indexed {
  /** The node's name as the node row spells it. */
  readonly node: string
}

export interface Check extends CheckDefinition, Indexed {
  readonly evidence: Evidence
  readonly node: string
  /** '' for a check of the node. */
  readonly serviceName: string
  readonly serviceTags: readonly string[]
}

/** One instance of a service with all that decides whether it is in an answer. */
export interface Instance {
  readonly node: Node
  readonly service: Service
  /** The service's checks and the node's, sorted by check id. */
  readonly checks: readonly Check[]
}
