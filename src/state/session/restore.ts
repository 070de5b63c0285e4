import type { SessionCommand } from './commands.ts'
import type { Session } from './model.ts'
import type { SessionReader } from './reader.ts'

/** Undefined: something was compared and is the same. */
type Steps = Generator<readonly SessionCommand[] | undefined>

/**
 * The commands that turn the present sessions and locks into those of the archive. Nodes, checks and keys
 * are restored before, by their families. A session whose checks do not allow it does not come back, and
 * its keys are not locked. Delays that are running continue.
 */
export function* restoreSessions(archived: SessionReader, present: SessionReader): Steps {
  // What was yielded need not show yet in `present`.
  const ended = new Set<string>()
  for (const session of present.sessions()) {
    const { id } = session
    if (isSame(session, archived.session(id))) yield undefined
    else {
      ended.add(id)
      yield [{ kind: 'session-destroy', id, keepsKeys: true }]
    }
  }
  for (const session of archived.sessions()) {
    const isThere = !ended.has(session.id) && present.has(session.id)
    yield isThere ? undefined : [createOf(session)]
  }
  yield* restoreLocks(archived, present, ended)
  for (const { key, delayNs } of archived.lockDelaysAfter(0)) {
    const isThere = present.lockDelay(key) !== undefined
    yield isThere ? undefined : [{ kind: 'lock-delay-restore', key, delayNs }]
  }
}

function isSame(session: Session, other: Session | undefined): boolean {
  return (
    other !== undefined && JSON.stringify(createOf(session)) === JSON.stringify(createOf(other))
  )
}

function createOf({ createIndex: _, modifyIndex: _1, ...definition }: Session): SessionCommand {
  return { kind: 'session-create', ...definition, isRestored: true }
}

function* restoreLocks(
  archived: SessionReader,
  present: SessionReader,
  ended: ReadonlySet<string>,
): Steps {
  for (const { key, session, lockIndex } of archived.locks()) {
    const now = present.lock(key)
    const isHeld = now?.session === session && !ended.has(session)
    const isLocked = isHeld && now.lockIndex >= lockIndex
    yield isLocked ? undefined : [{ kind: 'lock-restore', key, session, lockIndex }]
  }
  for (const { key, session, lockIndex } of present.locks()) {
    const isDone = session === '' || (archived.lock(key)?.lockIndex ?? 0) > 0
    yield isDone ? undefined : [{ kind: 'lock-restore', key, session: '', lockIndex }]
  }
}
