import type { Test } from 'tap'
import { must } from '../../../src/base/assert.ts'
import { indexOf, isConsul } from './kv-api.ts'
import type { Asked, KvApi, KvReply } from './kv-api.ts'

/** What a request is answered. */
export interface Answer {
  readonly status: number
  /** JSON without spaces, or the text; `<1>` stands for an index. */
  readonly body: string
  /** X-Consul-Index: `<1>`; `*` for any that is not below what this path had before; undefined: no such header. */
  readonly index?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * A request with its answer. `<1>`, `<2>` … are indexes: each stands for one number throughout a
 * table, and a greater one for a greater number.
 */
export interface Row extends Answer, Pick<Asked, 'chunks'> {
  /** Method and path without `/v1/`. */
  readonly ask: string
  /** The body of the request. */
  readonly send?: string | Buffer
  readonly contentType?: string
  /** Where svcd differs from Consul on purpose, with the reason. */
  readonly svcd?: Partial<Answer> & { readonly because: string }
}

/** An entry of a GET. `value` in base64; null for none. */
export function entry(
  key: string,
  value: string | null,
  create: number,
  { modify = create, flags = '0' }: { readonly modify?: number; readonly flags?: string } = {},
): string {
  return (
    `{"LockIndex":0,"Key":${JSON.stringify(key)},"Flags":${flags},` +
    `"Value":${value === null ? 'null' : `"${value}"`},` +
    `"CreateIndex":<${create}>,"ModifyIndex":<${modify}>}`
  )
}

/** Asks the rows one after another and compares. */
export async function checkTable(t: Test, api: KvApi, rows: readonly Row[]): Promise<void> {
  const symbols = new Map<string, number>()
  const seen = new Map<string, number>()
  for (const row of rows) {
    const answer: Answer = isConsul ? row : { ...row, ...row.svcd }
    const ask = withNumbers(row.ask, symbols)
    const [method = '', path = ''] = ask.split(/ (.*)/s)
    const headers = row.contentType === undefined ? {} : { 'content-type': row.contentType }
    const reply = await api.ask(method, path, { body: row.send, chunks: row.chunks, headers })
    const name = `${row.ask.slice(0, 80)} → ${answer.status}`
    t.equal(reply.status, answer.status, `${name}: ${reply.body.toString().slice(0, 200)}`)
    const [body, index = ''] = [compact(reply), shownIndex(reply)]
    const wanted = answer.index === '*' ? index : (answer.index ?? '')
    t.strictSame(
      [body, index],
      [bound(answer.body, body, symbols), bound(wanted, index, symbols)],
      name,
    )
    for (const [header, value] of Object.entries(answer.headers ?? {})) {
      t.equal(reply.headers[header], value, `${name}: ${header}`)
    }
    if (reply.headers['x-consul-index'] === undefined) continue
    t.ok(indexOf(reply) >= Math.max(1, seen.get(path) ?? 0), `${name}: its index never falls`)
    seen.set(path, indexOf(reply))
  }
  const numbers = [...symbols].toSorted((a, b) => Number(a[0]) - Number(b[0])).map(([, n]) => n)
  t.strictSame(
    numbers,
    [...new Set(numbers)].toSorted((a, b) => a - b),
    'a later index is a greater one',
  )
}

function shownIndex({ headers }: KvReply): string | undefined {
  return headers['x-consul-index']?.toString()
}

/** JSON without its spaces and without the escapes that only Go writes; any other text as it is. */
function compact({ body, headers }: KvReply): string {
  const text = body.toString()
  if (headers['content-type'] !== 'application/json') return text
  return text
    .replaceAll(/\n */g, '')
    .replaceAll('": ', '":')
    .replaceAll('\\u0026', '&')
    .replaceAll('\\u003c', '<')
    .replaceAll('\\u003e', '>')
}

/** `wanted` with the numbers that its symbols have; a new symbol takes the number that `got` has in its place. */
function bound(wanted: string, got: string, symbols: Map<string, number>): string {
  const parts = wanted.split(/<(\d+)>/)
  let at = 0
  let text = ''
  for (const [position, part] of parts.entries()) {
    if (position % 2 === 0) {
      text += part
      at += part.length
      continue
    }
    const found = /^\d+/.exec(got.slice(at))?.[0]
    if (!symbols.has(part) && found !== undefined) symbols.set(part, Number(found))
    const number = String(symbols.get(part) ?? `<${part}>`)
    text += number
    at += number.length
  }
  return text
}

function withNumbers(ask: string, symbols: ReadonlyMap<string, number>): string {
  return ask.replaceAll(/<(\d+)>/g, (_, symbol: string) =>
    String(must(symbols.get(symbol), `<${symbol}> was seen before`)),
  )
}
