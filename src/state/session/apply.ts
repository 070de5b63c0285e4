import type { Database } from 'better-sqlite3'
import { KvStore } from '../kv/store.ts'
import type { Change } from '../machine/change.ts'
import type { Outcome } from '../machine/command.ts'
import type { Applier } from '../machine/family.ts'
import type {
  KvAcquireCommand,
  KvReleaseCommand,
  SessionCommand,
  SessionCreateCommand,
  SessionDestroyCommand,
} from './commands.ts'
import { SessionStore } from './store.ts'

export function openSessions(db: Database, gate: Change): Applier<SessionCommand> {
  const store = new SessionStore(db, gate, new KvStore(db, gate.of('kv')))
  store.watchCatalog()
  return {
    apply(body): Outcome {
      switch (body.kind) {
        case 'session-create':
          return create(body, store, gate)
        case 'session-destroy':
          destroy(body, store, gate)
          break
        case 'kv-acquire':
          return acquire(body, store, gate)
        case 'kv-release':
          return release(body, store, gate)
        case 'lock-delay-end':
          store.delays.end(body.key, body.index)
          break
        case 'lock-restore':
          store.restoreLock(body.key, body.session, body.lockIndex)
          break
        case 'lock-delay-restore':
          store.delays.begin(body.key, body.delayNs)
          break
      }
      return { ok: true, index: gate.index }
    },
  }
}

function create(body: SessionCreateCommand, store: SessionStore, { index }: Change): Outcome {
  const { id, isRestored } = body
  // It was asked for twice: IDs are not given out again.
  if (store.session(id) !== undefined) return { ok: true, index }
  const refusal = store.refusal(body)
  if (refusal === undefined) store.create(body)
  else if (isRestored !== true) return { ok: false, index, ...refusal }
  return { ok: true, index }
}

function destroy(
  { id, term, keepsKeys }: SessionDestroyCommand,
  store: SessionStore,
  gate: Change,
) {
  if (term === undefined || term === gate.term) store.end(id, keepsKeys)
}

function acquire(body: KvAcquireCommand, store: SessionStore, { index }: Change): Outcome {
  const { key, session } = body
  const acquired = store.acquire(key, fieldsOf(body), session)
  switch (acquired) {
    case 'acquired':
      return { ok: true, index }
    case 'held':
      return { ok: true, index, value: false }
    case 'lock-delay':
      return { ok: true, index, value: acquired }
    case 'unknown-session':
      return { ok: false, index, error: acquired, subject: session }
  }
}

function release(body: KvReleaseCommand, store: SessionStore, { index }: Change): Outcome {
  const isDone = store.release(body.key, fieldsOf(body), body.session)
  return isDone ? { ok: true, index } : { ok: true, index, value: false }
}

function fieldsOf({ value, flags }: KvAcquireCommand | KvReleaseCommand) {
  return { value: Buffer.from(value, 'base64'), flags }
}
