import { svcdError } from '../base/errors.ts'
import { refusedReason, refusedStatus } from './client.ts'
import type { Client } from './client.ts'
import { entryOf } from './kv.ts'
import type { KvEntry } from './kv.ts'
import type { KeyRow } from './rows.ts'
import { withTextFlags } from './text-flags.ts'

/** An operation on a key. Flags and indexes are decimal, up to 2^64-1; left out they are 0. */
export interface KeyOp {
  readonly verb:
    | 'set'
    | 'cas'
    | 'lock'
    | 'unlock'
    | 'get'
    | 'get-or-empty'
    | 'get-tree'
    | 'check-index'
    | 'check-session'
    | 'check-not-exists'
    | 'delete'
    | 'delete-cas'
    | 'delete-tree'
  /** Of `get-tree` and `delete-tree` the prefix. */
  readonly key: string
  readonly value?: Uint8Array | undefined
  readonly flags?: string | undefined
  readonly index?: string | undefined
  readonly session?: string | undefined
}

/** Why a transaction was not done. */
export interface TxnFault {
  /** The position of the operation that failed. */
  readonly op: number
  readonly what: string
}

export type TxnOutcome =
  /** All was done. Deletions give no entry, and only entries that were read have a value. */
  | { readonly isDone: true; readonly entries: readonly KvEntry[] }
  /** Nothing was done. */
  | { readonly isDone: false; readonly faults: readonly TxnFault[] }

export interface TxnOptions {
  readonly datacenter?: string | undefined
  /** If it only reads: as the agent that is asked has it, also without a leader. */
  readonly stale?: boolean | undefined
}

interface Answer {
  readonly Results: readonly { readonly KV?: KeyRow }[] | null
  readonly Errors: readonly { readonly OpIndex: number; readonly What: string }[] | null
}

/** Transactions on keys as a function, which fails as those of {@link Client} do. */
export class TxnClient {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** Does all operations at one moment, or none of them. At most 128, and 512 KiB in JSON. */
  async run(ops: readonly KeyOp[], options: TxnOptions = {}): Promise<TxnOutcome> {
    const body = Buffer.from(`[${ops.map(opJson).join()}]`)
    const { Results, Errors } = answerOf(await this.#answer(body, options))
    if (Errors !== null) {
      return { isDone: false, faults: Errors.map(({ OpIndex: op, What: what }) => ({ op, what })) }
    }
    return { isDone: true, entries: (Results ?? []).flatMap(({ KV }) => (KV ? entryOf(KV) : [])) }
  }

  async #answer(body: Uint8Array, { datacenter, stale }: TxnOptions): Promise<string> {
    const query = new URLSearchParams()
    if (datacenter !== undefined) query.set('dc', datacenter)
    if (stale === true) query.set('stale', '')
    const asked = query.size === 0 ? 'txn' : `txn?${query.toString()}`
    try {
      return await this.#client.text('PUT', asked, body)
    } catch (error) {
      const told = refusedStatus(error) === 409 ? refusedReason(error) : undefined
      if (told === undefined) throw error
      return told
    }
  }
}

function answerOf(text: string): Answer {
  try {
    return JSON.parse(withTextFlags(text, 'Flags')) as Answer
  } catch (error) {
    throw svcdError('agent-refused', { agent: '', reason: 'The answer is not JSON.' }, error)
  }
}

/** Numbers are written as they are: no number of JavaScript holds all of them. */
function opJson({ verb, key, value, flags, index, session }: KeyOp): string {
  const fields = [
    `"Verb":${JSON.stringify(verb)}`,
    `"Key":${JSON.stringify(key)}`,
    ...(value === undefined ? [] : [`"Value":"${Buffer.from(value).toString('base64')}"`]),
    ...(flags === undefined ? [] : [`"Flags":${flags}`]),
    ...(index === undefined ? [] : [`"Index":${index}`]),
    ...(session === undefined ? [] : [`"Session":${JSON.stringify(session)}`]),
  ]
  return `{"KV":{${fields.join()}}}`
}
