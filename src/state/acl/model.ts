import { isUuid } from '../../base/uuid.ts'

/** What a token or a role grants, beside the roles of a token. */
export interface Grants {
  /** IDs of policies. Some may be gone: they grant nothing. */
  readonly policies: readonly string[]
  readonly serviceIdentities: readonly ServiceIdentity[]
  readonly nodeIdentities: readonly NodeIdentity[]
}

/** Lets register a service and find others. */
export interface ServiceIdentity {
  readonly serviceName: string
  /** Where it counts; empty: everywhere. */
  readonly datacenters: readonly string[]
}

/** Lets register a node and find services, in one datacenter. */
export interface NodeIdentity {
  readonly nodeName: string
  readonly datacenter: string
}

/** A token as its author defines it. */
export interface TokenDefinition extends Grants {
  readonly description: string
  /** IDs of roles, as those of policies. */
  readonly roles: readonly string[]
  readonly isLocal: boolean
  readonly createTimeMs: number
  /** 0: it does not expire. */
  readonly expirationTimeMs: number
}

export interface AclToken extends TokenDefinition {
  /** Public. */
  readonly accessorId: string
  /** SHA-256 of the secret, in hex. The secret itself is not stored. */
  readonly secretHash: string
  readonly createIndex: number
  readonly modifyIndex: number
}

/** A policy as its author defines it. */
export interface PolicyDefinition {
  readonly name: string
  readonly description: string
  /** Its text in the rule language. */
  readonly rules: string
  /** Where it counts; empty: everywhere. */
  readonly datacenters: readonly string[]
}

export interface AclPolicy extends PolicyDefinition {
  readonly id: string
  readonly createIndex: number
  readonly modifyIndex: number
}

/** A role as its author defines it. */
export interface RoleDefinition extends Grants {
  readonly name: string
  readonly description: string
}

export interface AclRole extends RoleDefinition {
  readonly id: string
  readonly createIndex: number
  readonly modifyIndex: number
}

/** A linked policy or role, by its present name. */
export interface AclLink {
  readonly id: string
  readonly name: string
}

/** The token of requests without a secret. It always exists. */
export const anonymousToken: AclToken = {
  accessorId: '00000000-0000-0000-0000-000000000002',
  // Of the secret `anonymous`.
  secretHash: '2f183a4e64493af3f377f745eda502363cd3e7ef6e4d266d444758de0a85fcc8',
  description: 'Anonymous Token',
  policies: [],
  roles: [],
  serviceIdentities: [],
  nodeIdentities: [],
  isLocal: false,
  createTimeMs: 0,
  expirationTimeMs: 0,
  createIndex: 1,
  modifyIndex: 1,
}

/** The policies that every cluster has. `access/rules/built-in.ts` has their rules. */
export const builtInPolicies: readonly AclLink[] = [
  { id: '00000000-0000-0000-0000-000000000001', name: 'global-management' },
  { id: '00000000-0000-0000-0000-000000000002', name: 'builtin/global-read-only' },
]

export const globalManagementId = '00000000-0000-0000-0000-000000000001'

/** Whether a text has the form of the ID of a token, policy or role. */
export function isAclId(text: string): boolean {
  return isUuid(text)
}

/** IDs with this beginning belong to Consul's built-in objects. */
export const reservedIdPrefix = '00000000-0000-0000-0000-0000000000'
