/** A link to a policy or a role, by its ID and its present name. */
export interface AclLink {
  readonly ID?: string
  readonly Name?: string
}

export interface ServiceIdentityEntry {
  readonly ServiceName: string
  readonly Datacenters?: readonly string[] | null
}

export interface NodeIdentityEntry {
  readonly NodeName: string
  readonly Datacenter: string
}

/** What a token or a role grants, as the API writes it. */
export interface GrantsEntry {
  readonly Policies?: readonly AclLink[] | null
  readonly ServiceIdentities?: readonly ServiceIdentityEntry[] | null
  readonly NodeIdentities?: readonly NodeIdentityEntry[] | null
}

interface Indexed {
  readonly Hash?: string
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

/** A token, as the API writes it. */
export interface TokenEntry extends GrantsEntry, Indexed {
  readonly AccessorID: string
  /** `<hidden>` for clients that may not see it. */
  readonly SecretID?: string
  readonly Description: string
  readonly Roles?: readonly AclLink[] | null
  readonly Local: boolean
  readonly CreateTime?: string
  readonly ExpirationTime?: string
}

/** A policy, as the API writes it. Lists have no rules. */
export interface PolicyEntry extends Indexed {
  readonly ID: string
  readonly Name: string
  readonly Description: string
  readonly Rules?: string
  readonly Datacenters?: readonly string[] | null
}

/** A role, as the API writes it. */
export interface RoleEntry extends GrantsEntry, Indexed {
  readonly ID: string
  readonly Name: string
  readonly Description: string
}

/** A rule that says something about a question. */
export interface WhyRule {
  readonly Policy: string
  /** Line of the policy, from 1. */
  readonly Line: number
  /** The rule in the rule language. */
  readonly Rule: string
}

/** Whether a token may do something, and why. */
export interface WhyEntry {
  readonly AccessorID: string
  readonly Description: string
  readonly Resource: string
  readonly Access: string
  readonly Name: string
  readonly Allowed: boolean
  readonly DefaultPolicy: string
  /** Null: no rule says anything, and the default policy decided. */
  readonly DecidedBy: WhyRule | null
  /** Other rules of the same name. */
  readonly Others: readonly WhyRule[]
  /** The rule that would allow it, if a rule can be added; '' otherwise. */
  readonly Missing: string
}

/** What a token may do, or not: the fields of a question. */
export interface WhyQuestion {
  /** An accessor ID; undefined for the token of the request. */
  readonly accessor?: string | undefined
  readonly resource: string
  readonly access: string
  readonly name: string
}

/** The three kinds of objects, by the name of their path. */
export interface AclKinds {
  readonly token: TokenEntry
  readonly policy: PolicyEntry
  readonly role: RoleEntry
}

export type AclKind = keyof AclKinds

/** A rule that counts for a token: of several for the same name, the one that wins. */
export interface RightsRule {
  readonly Resource: string
  /** Whether it is about all names that begin with `Name`. */
  readonly Prefix: boolean
  readonly Name: string
  readonly Level: string
  readonly Policy: string
  readonly Line: number
}

/** The answer of acl/rights. */
export interface RightsEntry {
  readonly AccessorID: string
  readonly Description: string
  readonly DefaultPolicy: string
  readonly Rules: readonly RightsRule[]
}

/** The answer of acl/status. */
export interface AclStatus {
  /** Whether the first token was created. */
  readonly Bootstrapped: boolean
  readonly DefaultPolicy: string
}
