import type { Test } from 'tap'
import { isConsul } from '../kv/kv-api.ts'
import type { KvApi } from '../kv/kv-api.ts'

/** A request with its answer, the same at svcd and at Consul. */
export interface Row {
  /** Method and path without `/v1/`. `$name` stands for the ID of a session. */
  readonly ask: string
  readonly send?: unknown
  readonly status?: number
  /**
   * JSON without spaces, or the text with which the answer begins; Consul's is this text. Each index is
   * `#`, and the ID of a session that a row has created is its `$name`.
   */
  readonly body: string
  /** Of the session that the row creates. */
  readonly creates?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Where svcd differs from Consul on purpose, with the reason. */
  readonly svcd?: { readonly body: string; readonly status?: number; readonly because: string }
}

/** A session in an answer. */
export function sessionText(
  name: string,
  {
    lockDelay = 15_000_000_000,
    behavior = 'release',
    ttl = '',
    nodeChecks = '["serfHealth"]',
    serviceChecks = 'null',
    label = '',
    node = 'n1',
  } = {},
): string {
  return (
    `{"ID":"$${name}","Name":"${label}","Node":"${node}","LockDelay":${lockDelay},"Behavior":"${behavior}",` +
    `"TTL":"${ttl}","NodeChecks":${nodeChecks},"ServiceChecks":${serviceChecks},"CreateIndex":#,"ModifyIndex":#}`
  )
}

/** Asks the rows one after another and compares. Returns the IDs of the sessions. */
export async function checkRows(
  t: Test,
  api: KvApi,
  rows: readonly Row[],
  ids = new Map<string, string>(),
): Promise<ReadonlyMap<string, string>> {
  for (const row of rows) {
    const path = row.ask.replaceAll(/\$(\w+)/g, (_, name: string) => ids.get(name) ?? name)
    const [method = '', rest = ''] = path.split(/ (.*)/s)
    const body =
      row.send === undefined || typeof row.send === 'string' ? row.send : JSON.stringify(row.send)
    const reply = await api.ask(method, rest, { body })
    const text = compact(reply.body.toString())
    if (row.creates !== undefined) {
      const [, id] = /"ID":"([^"]+)"/.exec(text) ?? []
      t.ok(id, `${row.ask} creates ${row.creates}: ${text}`)
      ids.set(row.creates, id ?? '')
    }
    const expected = isConsul ? row : { ...row, ...row.svcd }
    const name = `${row.ask} ${typeof body === 'string' ? body : ''} → ${expected.status ?? 200}`
    t.equal(reply.status, expected.status ?? 200, `${name}: ${text}`)
    const shown = named(text, ids)
    const isText = !/^[[{]|^true|^false/.test(expected.body) && !isConsul
    t.equal(isText ? shown.slice(0, expected.body.length) : shown, expected.body, name)
    for (const [header, value] of Object.entries(row.headers ?? {})) {
      t.equal(reply.headers[header], value, `${name}: ${header}`)
    }
  }
  return ids
}

function compact(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}

function named(text: string, ids: ReadonlyMap<string, string>): string {
  let shown = text.replaceAll(/"(CreateIndex|ModifyIndex)":\d+/g, '"$1":#')
  for (const [name, id] of ids) shown = shown.replaceAll(id, `$${name}`)
  return shown
}
