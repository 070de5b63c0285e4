import { svcdError } from '../base/errors.ts'
import type { TokenEntry, WhyEntry, WhyQuestion, AclKinds, AclKind } from './acl-rows.ts'
import type { Client } from './client.ts'

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
