import type { Test } from 'tap'
import { Answers } from '../answers.ts'
import type { Row } from '../answers.ts'
import { KvApi } from '../kv/kv-api.ts'

/** The endpoints of prepared queries, with a registry that all tables know. With SVCD_CONSUL_URL, those of Consul. */
export class QueryApi {
  readonly kv: KvApi
  readonly #answers: Answers

  private constructor(kv: KvApi) {
    this.kv = kv
    this.#answers = new Answers(kv)
  }

  static async start(t: Test): Promise<QueryApi> {
    const api = new QueryApi(await KvApi.start(t))
    const queries = JSON.parse(await api.text('GET', 'query')) as { ID: string }[]
    for (const { ID } of queries) await api.text('DELETE', `query/${ID}`)
    for (const node of ['m1', 'm2', 'm3']) {
      await api.text('PUT', 'catalog/deregister', { Node: node })
    }
    await api.register('m1', { Tags: ['M', 's'], Meta: { v: '1' } }, { NodeMeta: { os: 'linux' } })
    await api.register('m2', { Tags: ['m'] })
    await api.register('m3', { Tags: [] })
    return api
  }

  /** An instance of `db`. */
  async register(node: string, service: object, rest: object = {}): Promise<void> {
    const Address = `10.0.1.${node.slice(1)}`
    const Service = { Service: 'db', ID: 'db', Port: 80, ...service }
    await this.text('PUT', 'catalog/register', { Node: node, Address, Service, ...rest })
  }

  /** The instances that a query chooses, as names of nodes. */
  async nodes(asked: string): Promise<readonly string[]> {
    const text = await this.text('GET', asked)
    const { Nodes } = JSON.parse(text) as { Nodes: { Node: { Node: string } }[] }
    return Nodes.map(({ Node }) => Node.Node)
  }

  /** Returns its ID. */
  async create(definition: object): Promise<string> {
    return (JSON.parse(await this.text('POST', 'query', definition)) as { ID: string }).ID
  }

  async text(method: string, path: string, body?: object): Promise<string> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const reply = await this.kv.ask(method, path, sent)
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.body.toString()}`)
    return reply.body.toString()
  }

  check(t: Test, rows: readonly Row[]): Promise<void> {
    return this.#answers.check(t, rows)
  }
}
