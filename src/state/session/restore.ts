import type { SessionCommand } from './commands.ts'
import type { SessionReader } from './reader.ts'

/** Undefined: something was compared and is the same. */
type Steps = Generator<readonly SessionCommand[] | undefined>

/**
 * The commands that turn the present sessions and locks into those of the archive. Nodes, checks and keys
 * are restored before, by their families. A session whose checks do not allow it does not come back, and
 * its keys are not locked. Delays that are running continue.
 */
export function* restoreSessions(archived: SessionReader, present: SessionReader): Steps {
  for (const { id } of present.sessions()) {
    yield archived.has(id) ? undefined : [{ kind: 'session-destroy', id, keepsKeys: true }]
  }
  for (const session of archived.sessions()) {
    const { createIndex: _, modifyIndex: _1, ...definition } = session
    const command = { kind: 'session-create', ...definition, isRestored: true } as const
    yield present.has(session.id) ? undefined : [command]
  }
  yield* restoreLocks(archived, present)
  for (const { key, delayNs } of archived.lockDelaysAfter(0)) {
    const isThere = present.lockDelay(key) !== undefined
    yield isThere ? undefined : [{ kind: 'lock-delay-restore', key, delayNs }]
  }
}

function* restoreLocks(archived: SessionReader, present: SessionReader): Steps {
  for (const { key, session, lockIndex } of archived.locks()) {
    const now = present.lock(key)
    const isSame = now?.session === session && now.lockIndex >= lockIndex
    yield isSame ? undefined : [{ kind: 'lock-restore', key, session, lockIndex }]
  }
  for (const { key, session, lockIndex } of present.locks()) {
    const isFree = session === '' || (archived.lock(key)?.lockIndex ?? 0) > 0
    yield isFree ? undefined : [{ kind: 'lock-restore', key, session: '', lockIndex }]
  }
}
