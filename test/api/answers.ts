import type { Test } from 'tap'
import { isConsul } from './kv/kv-api.ts'
import type { KvApi, KvReply } from './kv/kv-api.ts'

/** What a request is answered: `{A}` stands for the ID of what a row calls `A`. */
interface Answer {
  readonly status: number
  /** JSON without spaces, indexes, times and hashes, or the text, or where it begins (with … at the end). */
  readonly body: string
}

export interface Row extends Answer {
  /** Method and path without `/v1/`. */
  readonly ask: string
  readonly send?: string
  /** The name of what it creates; the body is then `{"ID":"{…}"}`. */
  readonly creates?: string
  /** Where svcd differs from Consul on purpose, with the reason. */
  readonly svcd?: Partial<Answer> & { readonly because: string }
}

/** Tables of requests and answers. With SVCD_CONSUL_URL, those of Consul. */
export class Answers {
  readonly #kv: KvApi
  readonly #ids = new Map<string, string>()

  constructor(kv: KvApi) {
    this.#kv = kv
  }

  async check(t: Test, rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      const answer: Answer = isConsul ? row : { ...row, ...row.svcd }
      const [method = '', path = ''] = this.#filled(row.ask).split(/ (.*)/s)
      const sent = row.send === undefined ? {} : { body: this.#filled(row.send) }
      const reply = await this.#kv.ask(method, path, sent)
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
    .replaceAll(/,"(?:CreatedAt|UpdatedAt|Hash)":"[^"]*"/g, '')
}
