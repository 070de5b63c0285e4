import type { Database } from 'better-sqlite3'
import type { Change } from '../machine/change.ts'
import type { Outcome } from '../machine/command.ts'
import type { Applier } from '../machine/family.ts'
import type { KvCommand, KvDeleteCommand, KvPutCommand } from './commands.ts'
import { KvStore } from './store.ts'

export function openKv(db: Database, gate: Change): Applier<KvCommand> {
  const store = new KvStore(db, gate)
  const outcome = (isDone: boolean): Outcome => {
    const { index } = gate
    return isDone ? { ok: true, index } : { ok: true, index, value: false }
  }
  return {
    apply(body): Outcome {
      switch (body.kind) {
        case 'kv-put':
          return outcome(put(body, store))
        case 'kv-delete':
          return outcome(remove(body, store))
        case 'kv-delete-tree':
          store.deleteTree(body.prefix)
          return outcome(true)
      }
    },
    forget: (index) => store.forget(index),
  }
}

function put({ key, value, flags, cas }: KvPutCommand, store: KvStore): boolean {
  const fields = { value: Buffer.from(value, 'base64'), flags }
  if (cas !== undefined) return store.setIf(key, fields, cas) !== undefined
  store.set(key, fields)
  return true
}

function remove({ key, cas }: KvDeleteCommand, store: KvStore): boolean {
  if (cas !== undefined) return store.deleteIf(key, cas)
  store.delete(key)
  return true
}
