import type { Row } from '../kv/table.ts'

// Rows of a table (`checkTable`) whose requests are transactions.

/** Base64 of a text. */
export function b64(text: string): string {
  return Buffer.from(text).toString('base64')
}

export interface ShownKey {
  readonly value?: string
  readonly modify?: number
  readonly flags?: string
  readonly lock?: number
}

/** A result that is a key; its indexes are symbols of the table. */
export function key(name: string, create: number, shown: ShownKey = {}): string {
  const { value, modify = create, flags = '0', lock = 0 } = shown
  return (
    `{"KV":{"LockIndex":${lock},"Key":${JSON.stringify(name)},"Flags":${flags},` +
    `"Value":${value === undefined ? 'null' : JSON.stringify(b64(value))},` +
    `"CreateIndex":<${create}>,"ModifyIndex":<${modify}>}}`
  )
}

const meta = ',"Index":0,"LastContact":0,"KnownLeader":true,"ConsistencyLevel":""'
const json = { 'content-type': 'application/json' }

type Ops = readonly object[] | string

function ask(ops: Ops): Pick<Row, 'ask' | 'send'> {
  return { ask: 'PUT txn', send: typeof ops === 'string' ? ops : JSON.stringify(ops) }
}

/** A transaction with writes that is done. */
export function done(ops: Ops, ...results: readonly string[]): Row {
  const body = `{"Results":[${results.join()}],"Errors":null}`
  return { ...ask(ops), status: 200, body, headers: json }
}

/** One that only reads. */
export function read(ops: Ops, ...results: readonly string[]): Row {
  const body = `{"Results":[${results.join()}],"Errors":null${meta}}`
  return { ...ask(ops), status: 200, body, index: '*', headers: json }
}

type Fault = readonly [op: number, what: string]

function errors(faults: readonly Fault[]): string {
  return JSON.stringify(faults.map(([op, what]) => ({ OpIndex: op, What: what })))
}

/** One with writes that is not done. `svcd`: the same positions, in our words. */
export function refused(ops: Ops, faults: readonly Fault[], svcd?: readonly string[]): Row {
  const body = `{"Results":null,"Errors":${errors(faults)}}`
  const row = { ...ask(ops), status: 409, body, headers: json }
  if (svcd === undefined) return row
  const own = errors(faults.map(([op], at) => [op, svcd[at] ?? '']))
  return { ...row, svcd: { body: `{"Results":null,"Errors":${own}}`, because: 'it tells more' } }
}

/** One that only reads, and does not find what it asks for. */
export function missed(ops: Ops, ...faults: readonly Fault[]): Row {
  const body = `{"Results":null,"Errors":${errors(faults)}${meta}}`
  return { ...ask(ops), status: 409, body, index: '*', headers: json }
}

/** A body that is no transaction. */
export function unreadable(body: string, reason: string, svcd?: string): Row {
  const row = { ...ask(body), status: 400, body: `Failed to parse body: ${reason}` }
  return svcd === undefined
    ? row
    : { ...row, svcd: { body: `Failed to parse body: ${svcd}`, because: 'it tells more' } }
}

type KeyFields = Readonly<Record<string, unknown>>

/** An operation on a key. */
export function kv(Verb: string, Key: string, fields: KeyFields = {}): object {
  return { KV: { Verb, Key, ...fields } }
}
