import { isUuid } from '../../base/uuid.ts'

/** A prepared query as its author defines it; the fields are Consul's. */
export interface QueryDefinition {
  /** '' for none: then it is bound to a session, or a template for all names. */
  readonly name: string
  /** The session that it ends with; '' for none. */
  readonly session: string
  readonly token: string
  readonly template: QueryTemplate
  readonly service: ServiceQuery
  /** `ttl` as Go writes durations; '': that of the service. */
  readonly dns: { readonly ttl: string }
}

export interface QueryTemplate {
  /** '' for a query that is not a template. */
  readonly type: string
  readonly regexp: string
  readonly removeEmptyTags: boolean
}

/** Null and an empty list mean the same, and clients get back what they have sent. */
export interface ServiceQuery {
  readonly service: string
  readonly failover: QueryFailover
  readonly onlyPassing: boolean
  readonly ignoreCheckIds: readonly string[] | null
  readonly near: string
  /** Tags that an instance must have, and with `!` in front, must not have. */
  readonly tags: readonly string[] | null
  readonly nodeMeta: Readonly<Record<string, string>> | null
  readonly serviceMeta: Readonly<Record<string, string>> | null
  readonly connect: boolean
}

export interface QueryFailover {
  readonly nearestN: number
  readonly datacenters: readonly string[] | null
}

export interface PreparedQuery extends QueryDefinition {
  readonly id: string
  readonly createIndex: number
  readonly modifyIndex: number
}

/** A prefix match on the name: the only type of template. */
export const namePrefixMatch = 'name_prefix_match'

export function isTemplate({ template }: Pick<QueryDefinition, 'template'>): boolean {
  return template.type !== ''
}

/** Longer names find nothing: no DNS name is a quarter as long. */
export const queryNameMax = 1000

/** Whether a text has the form of an ID, so that a query may be found by it. */
export function isQueryId(text: string): boolean {
  return isUuid(text)
}
