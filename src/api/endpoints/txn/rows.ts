import type { Check, Node, Service } from '../../../state/catalog/model.ts'
import type { KvEntry } from '../../../state/kv/reader.ts'
import type { TxnOp } from '../../../state/txn/commands.ts'
import { unpackWritten } from '../../../state/txn/outcome.ts'
import type { Checked, Result, Stored, Written } from '../../../state/txn/outcome.ts'
import { FlatJson } from '../../../http/answer.ts'
import { checkJson, nodeJson, nodeServiceJson } from '../../../http/encode.ts'
import { entryRow } from '../kv/entry-row.ts'

// Consul's TxnResult: an object with one of KV, Node, Service and Check. Here alone, a list or map without
// entries is null, as it is in Consul for all that its Go client has written: that client compares.

/** A key; its value in base64, or '' if it was not asked for. */
export function keyRow(entry: Omit<KvEntry, 'value'> & { readonly value: string }): FlatJson {
  return new FlatJson([['KV', entryRow(entry)]])
}

/** What `get-or-empty` gives where there is no such key. */
export function emptyKeyRow(key: string): FlatJson {
  const nothing = { flags: '0', lockIndex: 0, session: '', createIndex: 0, modifyIndex: 0 }
  return keyRow({ key, value: '', ...nothing })
}

export function nodeRow(node: Node, datacenter: string): object {
  return { Node: nullIfEmpty(nodeJson(node, datacenter), 'TaggedAddresses', 'Meta') }
}

export function serviceRow(service: Service): object {
  return { Service: nullIfEmpty(nodeServiceJson(service), 'Tags', 'Meta') }
}

export function checkRow(check: Check): object {
  return { Check: nullIfEmpty(checkJson(check), 'ServiceTags') }
}

function nullIfEmpty<T extends object>(row: T, ...names: readonly (keyof T)[]): object {
  const empty = names.filter((name) => Object.keys(row[name] as object).length === 0)
  return empty.length === 0
    ? row
    : { ...row, ...Object.fromEntries(empty.map((name) => [name, null])) }
}

/** The rows of what an operation of a transaction came to, which was applied at `index`. */
export function rowsOfResult(
  op: TxnOp,
  result: Result,
  { index, datacenter }: { readonly index: number; readonly datacenter: string },
): readonly object[] {
  switch (op.verb) {
    case 'set':
    case 'lock':
    case 'unlock': {
      const { key, flags = '0' } = op
      return [keyRow({ key, flags, value: '', ...unpackWritten(result as Written, index) })]
    }
    case 'get':
      return [keyRow(entryOf(op.key, result as Stored))]
    case 'get-or-empty':
      // An outcome without results says 0 of each operation, also of those that gave nothing.
      return [
        result === null || result === 0
          ? emptyKeyRow(op.key)
          : keyRow(entryOf(op.key, result as Stored)),
      ]
    case 'check-index':
    case 'check-session':
      return [keyRow(entryOf(op.key, result as Checked))]
    case 'get-tree':
      return (result as readonly (readonly [string, ...Stored])[]).map(([key, ...stored]) =>
        keyRow(entryOf(key, stored)),
      )
    case 'get-node':
    case 'set-node':
      return [nodeRow(result as Node, datacenter)]
    case 'get-service':
    case 'set-service':
      return [serviceRow(result as Service)]
    case 'get-check':
    case 'set-check':
      return [checkRow(result as Check)]
    case 'check-not-exists':
    case 'delete':
    case 'delete-tree':
    case 'delete-node':
    case 'delete-service':
    case 'delete-check':
      return []
  }
}

function entryOf(key: string, result: Stored | Checked) {
  const [flags, lockIndex, session, createIndex, modifyIndex, value = ''] = result
  return { key, flags, lockIndex, session, createIndex, modifyIndex, value }
}
