import { Agent, request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { Test } from 'tap'
import { TestApi } from '../support.ts'

/**
 * The same tables run against Consul: start `consul agent -dev`, whose store is emptied, and set
 * SVCD_CONSUL_URL to its address. The tables were written from what Consul 1.8.7 answered.
 */
const consulUrl = process.env['SVCD_CONSUL_URL']
export const isConsul = consulUrl !== undefined

export interface KvReply {
  readonly status: number
  readonly body: Buffer
  readonly headers: IncomingHttpHeaders
}

export interface Asked {
  readonly body?: string | Buffer | undefined
  /** Sent one after another without a Content-Length. */
  readonly chunks?: readonly (string | Buffer)[] | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** The key/value endpoints over real sockets: paths leave as they are written here. */
export class KvApi {
  /** Undefined when Consul is asked. */
  readonly api: TestApi | undefined
  readonly #url: URL
  readonly #agent = new Agent({ keepAlive: true })

  private constructor(url: string, api: TestApi | undefined) {
    this.#url = new URL(url)
    this.api = api
  }

  static async start(t: Test): Promise<KvApi> {
    if (consulUrl !== undefined) {
      const consul = new KvApi(consulUrl, undefined)
      t.teardown(() => consul.#agent.destroy())
      await consul.ask('DELETE', 'kv/?recurse')
      return consul
    }
    const api = new TestApi(t)
    const svcd = new KvApi(await api.app.listen({ host: '127.0.0.1', port: 0 }), api)
    t.teardown(() => svcd.#agent.destroy())
    return svcd
  }

  /** `path` without `/v1/`. */
  ask(method: string, path: string, { body, chunks, headers }: Asked = {}): Promise<KvReply> {
    const { hostname, port } = this.#url
    const sent = typeof body === 'string' ? Buffer.from(body) : body
    const length = sent === undefined ? {} : { 'content-length': String(sent.length) }
    return new Promise((resolve, reject) => {
      const asked = request({
        agent: this.#agent,
        host: hostname,
        port,
        method,
        path: `/v1/${path}`,
        headers: { ...length, ...headers },
      })
      asked.on('error', reject)
      asked.on('response', (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => {
          const { statusCode: status = 0 } = response
          resolve({ status, body: Buffer.concat(parts), headers: response.headers })
        })
      })
      for (const chunk of chunks ?? []) asked.write(chunk)
      asked.end(sent)
    })
  }

  get url(): string {
    return this.#url.origin
  }

  /** For preparing a table. */
  async put(path: string, body: string | Buffer = 'v'): Promise<void> {
    const { status, body: answer } = await this.ask('PUT', `kv/${path}`, { body })
    if (status !== 200) throw new Error(`PUT kv/${path}: ${status} ${answer.toString()}`)
  }

  async index(path: string): Promise<number> {
    return indexOf(await this.ask('GET', path))
  }
}

export function indexOf(reply: KvReply): number {
  return Number(reply.headers['x-consul-index'])
}
