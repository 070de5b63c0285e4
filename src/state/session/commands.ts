import {
  hasFields,
  isFlag,
  isListOf,
  isOneOf,
  isOptional,
  isText,
  isWhole,
} from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import { isKey, isUnsigned } from '../kv/commands.ts'
import type { CommandKind } from '../machine/family.ts'
import { lockDelayNsMax, ttlMsMax } from './model.ts'
import type { SessionDefinition } from './model.ts'
import { sessionFormat } from './schema.ts'

/**
 * Makes a session. It is refused when its node or one of its checks does not exist, or a check is critical:
 * the outcomes `unknown-node`, `unknown-check` and `critical-check`.
 */
export interface SessionCreateCommand extends SessionDefinition {
  readonly kind: 'session-create'
  /** Of a restore: it is left out where it would be refused. */
  readonly isRestored?: boolean | undefined
}

/** Ends a session, if it is there: its keys are released or deleted, with its lock-delay. */
export interface SessionDestroyCommand {
  readonly kind: 'session-destroy'
  readonly id: string
  /**
   * Of a leader whose deadline has passed: nothing is done in another term. In that, the session may have
   * been renewed.
   */
  readonly term?: number | undefined
  /** Of a restore: the keys are released, whatever its behavior is. */
  readonly keepsKeys?: boolean | undefined
}

/**
 * Locks a key for a session, and replaces its value and flags. The outcome has the value `false` when another
 * session holds it, and `lock-delay` while no session may have it; it is `unknown-session` when the session is not there.
 */
export interface KvAcquireCommand {
  readonly kind: 'kv-acquire'
  readonly key: string
  /** In base64. */
  readonly value: string
  readonly flags: string
  readonly session: string
}

/** Unlocks a key, and replaces its value and flags; the value `false` when the session does not hold it. */
export interface KvReleaseCommand {
  readonly kind: 'kv-release'
  readonly key: string
  /** In base64. */
  readonly value: string
  readonly flags: string
  readonly session: string
}

/** Ends the lock-delay of a key that began at entry `index`. */
export interface LockDelayEndCommand {
  readonly kind: 'lock-delay-end'
  readonly key: string
  readonly index: number
}

/** Of a restore: a key has the lock of an archive. A session that is not there does not hold it. */
export interface LockRestoreCommand {
  readonly kind: 'lock-restore'
  readonly key: string
  readonly session: string
  /** The present one stays if it is larger: it is a fencing token. */
  readonly lockIndex: number
}

/** Of a restore: a key has the lock-delay of an archive. */
export interface LockDelayRestoreCommand {
  readonly kind: 'lock-delay-restore'
  readonly key: string
  readonly delayNs: number
}

export type SessionCommand =
  | SessionCreateCommand
  | SessionDestroyCommand
  | KvAcquireCommand
  | KvReleaseCommand
  | LockDelayEndCommand
  | LockRestoreCommand
  | LockDelayRestoreCommand

const isId: Shape = (value) => typeof value === 'string' && value !== ''
const isUpTo =
  (max: number): Shape =>
  (value) =>
    isWhole(value) && Number(value) >= 0 && Number(value) <= max
const orNull =
  (shape: Shape): Shape =>
  (value) =>
    value === null || shape(value)
const isDelay = isUpTo(lockDelayNsMax)
const lockFields = { key: isKey, value: isText, flags: isUnsigned, session: isId }
const since = sessionFormat

const ofKey = ({ key }: { readonly key: string }) => ({ key })
const ofLock = ({ key, session }: { readonly key: string; readonly session: string }) => ({
  key,
  session,
})

export const sessionCommands: Readonly<Record<SessionCommand['kind'], CommandKind>> = {
  'session-create': {
    since,
    about: ({ id, node, name }: SessionCreateCommand) => ({ session: id, node, name }),
    shape: hasFields({
      id: isId,
      node: isId,
      name: isText,
      lockDelayNs: isDelay,
      behavior: isOneOf('release', 'delete'),
      ttl: isText,
      ttlMs: isUpTo(ttlMsMax),
      nodeChecks: orNull(isListOf(isText)),
      serviceChecks: orNull(isListOf(hasFields({ id: isText, namespace: isText }))),
      isRestored: isOptional(isFlag),
    }),
  },
  'session-destroy': {
    since,
    needs: 'little',
    about: ({ id }: SessionDestroyCommand) => ({ session: id }),
    shape: hasFields({ id: isId, term: isOptional(isWhole), keepsKeys: isOptional(isFlag) }),
  },
  'kv-acquire': { since, about: ofLock, shape: hasFields(lockFields) },
  'kv-release': { since, needs: 'little', about: ofLock, shape: hasFields(lockFields) },
  'lock-delay-end': {
    since,
    needs: 'none',
    about: ofKey,
    shape: hasFields({ key: isKey, index: isWhole }),
  },
  'lock-restore': {
    since,
    needs: 'little',
    about: ofLock,
    shape: hasFields({ key: isKey, session: isText, lockIndex: isUpTo(Number.MAX_SAFE_INTEGER) }),
  },
  'lock-delay-restore': {
    since,
    about: ofKey,
    shape: hasFields({ key: isKey, delayNs: isDelay }),
  },
}
