import type { KvStore } from '../kv/store.ts'
import type { EntryRow } from '../kv/tables.ts'
import type { SessionStore } from '../session/store.ts'
import type { KeyOp, ReadOp } from './commands.ts'
import type { Reason } from './outcome.ts'

/** An operation that writes keys. */
export type KeyWriteOp = Exclude<KeyOp, ReadOp>

export interface KeyStores {
  readonly kv: KvStore
  readonly sessions: SessionStore
}

/** What became of it: the row that the key has now, nothing to tell (null), or why it failed. */
export function writeKey(op: KeyWriteOp, { kv, sessions }: KeyStores): EntryRow | null | Reason {
  switch (op.verb) {
    case 'set': {
      const { key, index } = op
      if (index === undefined) return kv.set(key, fieldsOf(op))
      return kv.setIf(key, fieldsOf(op), index) ?? stale
    }
    case 'lock':
      return lock(op, { kv, sessions })
    case 'unlock': {
      if (op.session === '') return { why: 'no-session' }
      const isDone = sessions.release(op.key, fieldsOf(op), op.session)
      return (isDone ? kv.entry(op.key) : undefined) ?? { why: 'not-held' }
    }
    case 'delete':
      if (op.index === undefined) kv.delete(op.key)
      else if (!kv.deleteIf(op.key, op.index)) return stale
      return null
    case 'delete-tree':
      kv.deleteTree(op.key)
      return null
  }
}

const stale: Reason = { why: 'stale' }

function lock(
  op: Extract<KeyWriteOp, { readonly verb: 'lock' | 'unlock' }>,
  { kv, sessions }: KeyStores,
): EntryRow | Reason {
  if (op.session === '') return { why: 'no-session' }
  const acquired = sessions.acquire(op.key, fieldsOf(op), op.session)
  if (acquired !== 'acquired') return { why: acquired }
  return kv.entry(op.key) ?? { why: 'not-there' }
}

function fieldsOf({
  value,
  flags = '0',
}: {
  readonly value: string
  readonly flags?: string | undefined
}) {
  return { value: Buffer.from(value, 'base64'), flags }
}
