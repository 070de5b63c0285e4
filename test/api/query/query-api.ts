import type { Test } from 'tap'
import { KvApi, isConsul } from '../kv/kv-api.ts'
import type { KvReply } from '../kv/kv-api.ts'

/** What a request is answered: `{A}` stands for the ID of the query that a row calls `A`. */
interface Answer {
  readonly status: number
  /** JSON without spaces and indexes, or the text, or where it begins (with … at the end). */
  readonly body: string
}

export interface Row extends Answer {
  /** Method and path without `/v1/`. */
  readonly ask: string
  readonly send?: string
  /** The name of the query that it creates; the body is then `{"ID":"{…}"}`. */
  readonly creates?: string
  /** Where svcd differs from Consul on purpose, with the reason. */
  readonly svcd?: Partial<Answer> & { readonly because: string }
}

/** The endpoints of prepared queries, with a registry that all tables know. With SVCD_CONSUL_URL, those of Consul. */
export class QueryApi {
  readonly kv: KvApi
  readonly #ids = new Map<string, string>()

  private constructor(kv: KvApi) {
    this.kv = kv
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

  async check(t: Test, rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      const answer: Answer = isConsul ? row : { ...row, ...row.svcd }
      const [method = '', path = ''] = this.#filled(row.ask).split(/ (.*)/s)
      const sent = row.send === undefined ? {} : { body: this.#filled(row.send) }
      const reply = await this.kv.ask(method, path, sent)
      const text = compact(reply)
      if (row.creates !== undefined) {
        const [, id = ''] = /"ID":"([^"]+)"/.exec(text) ?? []
        this.#ids.set(row.creates, id)
      }
      const wanted = this.#filled(answer.body)
      const got = wanted.endsWith('…') ? `${text.slice(0, wanted.length - 1)}…` : text
      t.strictSame([reply.status, got], [answer.status, wanted], `${row.ask} ${row.send ?? ''}`)
    }
  }

  #filled(text: string): string {
    return text.replaceAll(/\{([A-Z])\}/g, (_, name: string) => this.#ids.get(name) ?? name)
  }
}

function compact({ body, headers }: KvReply): string {
  const text = body.toString()
  if (headers['content-type'] !== 'application/json') return text
  return text
    .replaceAll(/\n */g, '')
    .replaceAll('": ', '":')
    .replaceAll('\\u003c', '<')
    .replaceAll('\\u003e', '>')
    .replaceAll('\\u0026', '&')
    .replaceAll(/,"(?:Create|Modify)Index":\d+/g, '')
}
