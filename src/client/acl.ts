import { svcdError } from '../base/errors.ts'
import type { Client } from './client.ts'

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

const lists: Readonly<Record<AclKind, string>> = {
  token: 'tokens',
  policy: 'policies',
  role: 'roles',
}

/** The endpoints of access control as functions, which fail as those of {@link Client} do. */
export class AclClient {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** Creates the first token. */
  bootstrap(): Promise<TokenEntry> {
    return this.#json('PUT', 'bootstrap')
  }

  list<K extends AclKind>(kind: K): Promise<readonly AclKinds[K][]> {
    return this.#json('GET', lists[kind])
  }

  read<K extends AclKind>(kind: K, id: string): Promise<AclKinds[K]> {
    return this.#json('GET', `${kind}/${encodeURIComponent(id)}`)
  }

  /** A policy or a role by its name. */
  readNamed<K extends 'policy' | 'role'>(kind: K, name: string): Promise<AclKinds[K]> {
    return this.#json('GET', `${kind}/name/${encodeURIComponent(name)}`)
  }

  /** The token of the request. */
  self(): Promise<TokenEntry> {
    return this.#json('GET', 'token/self')
  }

  create<K extends AclKind>(kind: K, fields: object): Promise<AclKinds[K]> {
    return this.#json('PUT', kind, fields)
  }

  update<K extends AclKind>(kind: K, id: string, fields: object): Promise<AclKinds[K]> {
    return this.#json('PUT', `${kind}/${encodeURIComponent(id)}`, fields)
  }

  clone(accessorId: string, fields: object): Promise<TokenEntry> {
    return this.#json('PUT', `token/${encodeURIComponent(accessorId)}/clone`, fields)
  }

  async delete(kind: AclKind, id: string): Promise<void> {
    await this.#client.text('DELETE', `acl/${kind}/${encodeURIComponent(id)}`)
  }

  why({ accessor, resource, access, name }: WhyQuestion): Promise<WhyEntry> {
    const asked = new URLSearchParams({ resource, access, name })
    if (accessor !== undefined) asked.set('accessor', accessor)
    return this.#json('GET', `why?${asked.toString()}`)
  }

  async #json<T>(method: string, path: string, body?: object): Promise<T> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const text = await this.#client.text(method, `acl/${path}`, bytes)
    try {
      return JSON.parse(text) as T
    } catch (error) {
      throw svcdError('agent-refused', { agent: '', reason: 'The answer is not JSON.' }, error)
    }
  }
}
