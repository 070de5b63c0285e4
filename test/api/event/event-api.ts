import type { Test } from 'tap'
import { eventIndex } from '../../../src/api/endpoints/event/event-json.ts'
import { isConsul, KvApi } from '../kv/kv-api.ts'
import type { KvReply } from '../kv/kv-api.ts'

/** An event as the API tells it. */
export interface EventRow {
  readonly ID: string
  readonly Name: string
  readonly Payload: string | null
  readonly LTime: number
}

export interface Answer {
  readonly status: number
  /** JSON without spaces, or the text. `<1>` stands for an ID, `<t>` for a Lamport time. */
  readonly body: string
  /** The X-Consul-Index: `<1>` for that of the event with that ID. */
  readonly index?: string | undefined
}

export interface Row extends Answer {
  /** Method and path without `/v1/`. */
  readonly ask: string
  /** The body of the request. */
  readonly send?: string | Buffer
  readonly chunks?: readonly string[]
  /** Where svcd differs from Consul on purpose, with the reason. */
  readonly svcd?: Partial<Answer> & { readonly because: string }
}

/** An event in an answer. */
export function event(
  id: number,
  name: string,
  rest: Readonly<Record<string, string>> = {},
): string {
  const { payload, node = '', service = '', tag = '', ltime = '<t>' } = rest
  const shown = payload === undefined ? 'null' : `"${payload}"`
  return (
    `{"ID":"<${id}>","Name":"${name}","Payload":${shown},"NodeFilter":"${node}",` +
    `"ServiceFilter":"${service}","TagFilter":"${tag}","Version":1,"LTime":${ltime}}`
  )
}

/** Asks the rows one after another, and compares. IDs are numbered as they come. */
export async function checkTable(t: Test, api: KvApi, rows: readonly Row[]): Promise<void> {
  const ids: string[] = []
  for (const row of rows) {
    const wanted: Answer = isConsul ? row : { ...row, ...row.svcd }
    const [method = '', path = ''] = row.ask.split(/ (.*)/s)
    const reply = await api.ask(method, path, { body: row.send, chunks: row.chunks })
    const got = { status: reply.status, body: shown(reply, ids), index: shownIndex(reply, ids) }
    const { status, body, index } = wanted
    t.strictSame(got, { status, body, index }, row.ask.slice(0, 80))
    // Consul's agent lists an event a moment after it answers.
    if (isConsul && method === 'PUT') await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function shown({ body, headers }: KvReply, ids: string[]): string {
  const text = body.toString()
  if (headers['content-type'] !== 'application/json') return text.trimEnd()
  return JSON.stringify(JSON.parse(text))
    .replaceAll(/"ID":"([^"]*)"/g, (_, id: string) => {
      if (!ids.includes(id)) ids.push(id)
      return `"ID":"<${ids.indexOf(id) + 1}>"`
    })
    .replaceAll(/"LTime":[1-9]\d*/g, '"LTime":<t>')
}

function shownIndex({ headers }: KvReply, ids: readonly string[]): string | undefined {
  const index = headers['x-consul-index']?.toString()
  const at = ids.findIndex((id) => eventIndex({ id }) === index)
  return at < 0 ? index : `<${at + 1}>`
}

export async function fired(api: KvApi, path: string, body?: string): Promise<EventRow> {
  const reply = await api.ask('PUT', `event/fire/${path}`, { body })
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.body.toString()}`)
  return JSON.parse(reply.body.toString()) as EventRow
}

export async function listed(api: KvApi, query = ''): Promise<readonly EventRow[]> {
  return JSON.parse((await api.ask('GET', `event/list${query}`)).body.toString()) as EventRow[]
}
