import type { Database } from 'better-sqlite3'
import type { Check, Node, Service } from '../catalog/model.ts'
import { CatalogReader } from '../catalog/query.ts'
import { KvReader } from '../kv/reader.ts'
import type { KvEntry } from '../kv/reader.ts'
import type { ReadOp } from './commands.ts'
import type { Reason } from './outcome.ts'

/** What an operation that only reads finds. */
export type Found =
  | { readonly of: 'key'; readonly entry: KvEntry }
  /** There is no such key, and that is what was asked for. */
  | { readonly of: 'no-key' }
  | { readonly of: 'tree'; readonly entries: Generator<KvEntry, void> }
  | { readonly of: 'node'; readonly node: Node }
  | { readonly of: 'service'; readonly service: Service }
  | { readonly of: 'check'; readonly check: Check }
  | { readonly of: 'nothing'; readonly reason: Reason }

/** Reads for transactions, over one connection. */
export class TxnReader {
  readonly kv: KvReader
  readonly catalog: CatalogReader

  constructor(db: Database) {
    this.kv = new KvReader(db)
    this.catalog = new CatalogReader(db)
  }

  /** A tree is read while it is walked through. */
  find(op: ReadOp): Found {
    switch (op.verb) {
      case 'get-tree':
        return { of: 'tree', entries: this.kv.entries(op.key) }
      case 'get-node':
        return this.#node(op.node, op.id)
      case 'get-service': {
        const service = this.catalog.service(op.node, op.id)
        return service === undefined ? notThere : { of: 'service', service }
      }
      case 'get-check': {
        const check = this.catalog.check(op.node, op.id)
        return check === undefined ? notThere : { of: 'check', check }
      }
      case 'get':
      case 'get-or-empty':
      case 'check-index':
      case 'check-session':
      case 'check-not-exists':
        return this.#key(op)
    }
  }

  #node(name: string, id: string): Found {
    const node = id === '' ? this.catalog.node(name) : this.catalog.nodeById(id)
    return node === undefined ? notThere : { of: 'node', node }
  }

  #key(
    op: Exclude<ReadOp, { readonly verb: 'get-tree' | 'get-node' | 'get-service' | 'get-check' }>,
  ) {
    const entry = this.kv.entry(op.key)
    const found = judge(op, entry)
    if ('why' in found) return { of: 'nothing', reason: found } as const
    return found
  }
}

const notThere = { of: 'nothing', reason: { why: 'not-there' } } as const

type OfKey = Extract<
  ReadOp,
  {
    readonly verb: 'get' | 'get-or-empty' | 'check-index' | 'check-session' | 'check-not-exists'
  }
>

function judge(
  op: OfKey,
  entry: KvEntry | undefined,
): Reason | Extract<Found, { of: 'key' | 'no-key' }> {
  if (op.verb === 'check-not-exists')
    return entry === undefined ? { of: 'no-key' } : { why: 'there' }
  if (entry === undefined) {
    return op.verb === 'get-or-empty' ? { of: 'no-key' } : { why: 'not-there' }
  }
  const { modifyIndex, session } = entry
  if (op.verb === 'check-index' && op.index !== String(modifyIndex)) {
    return { why: 'other-index', index: modifyIndex }
  }
  if (op.verb === 'check-session' && op.session !== session) {
    return { why: 'other-session', session }
  }
  return { of: 'key', entry }
}
