import { must } from '../../src/base/assert.ts'
import type { ClusterServer } from './cluster-process.ts'

/** What the tests look at in an answer of the endpoints of tokens. */
type Json = Readonly<Record<string, string>>

export interface Answered {
  readonly status: number
  readonly text: string
}

/** Requests with one token, to whichever server. */
export class TokenClient {
  readonly secret: string

  constructor(secret: string) {
    this.secret = secret
  }

  /** Creates the first token. */
  static async bootstrap(server: Pick<ClusterServer, 'fetch'>): Promise<TokenClient> {
    const response = await server.fetch('acl/bootstrap', { method: 'PUT' })
    const text = await response.text()
    if (response.status !== 200) throw new Error(`${response.status} ${text}`)
    return new TokenClient(must((JSON.parse(text) as Json)['SecretID']))
  }

  async ask(
    server: Pick<ClusterServer, 'fetch'>,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answered> {
    const response = await server.fetch(path, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
      headers: this.secret === '' ? {} : { 'X-Consul-Token': this.secret },
    })
    return { status: response.status, text: await response.text() }
  }

  /** PUT; throws unless it is answered with 200. */
  async put(server: Pick<ClusterServer, 'fetch'>, path: string, body?: unknown): Promise<Json> {
    const { status, text } = await this.ask(server, 'PUT', path, body)
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
    return text === '' ? {} : (JSON.parse(text) as Json)
  }

  policy(server: Pick<ClusterServer, 'fetch'>, name: string, rules: string): Promise<Json> {
    return this.put(server, 'acl/policy', { Name: name, Rules: rules })
  }

  /** A token with these policies, and a client that sends it. */
  async token(
    server: Pick<ClusterServer, 'fetch'>,
    policies: readonly string[],
  ): Promise<{ readonly id: string; readonly client: TokenClient }> {
    const links = policies.map((name) => ({ Name: name }))
    const made = await this.put(server, 'acl/token', { Policies: links })
    return {
      id: must(made['AccessorID']),
      client: new TokenClient(must(made['SecretID'])),
    }
  }
}
