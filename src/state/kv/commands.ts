import { hasFields, isOptional, isText } from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import type { CommandKind } from '../machine/family.ts'
import { kvFormat } from './schema.ts'

// Flags and indexes to compare with are decimal texts: up to 2^64-1.

/** Adds a key or replaces its value and flags; a lock on it stays. */
export interface KvPutCommand {
  readonly kind: 'kv-put'
  readonly key: string
  /** In base64. */
  readonly value: string
  readonly flags: string
  /** The ModifyIndex that the key must have, 0 = it must not be there; else nothing changes. */
  readonly cas?: string | undefined
}

/** Removes a key, if it is there. */
export interface KvDeleteCommand {
  readonly kind: 'kv-delete'
  readonly key: string
  /** The ModifyIndex that the key must have if it is there; else nothing changes. */
  readonly cas?: string | undefined
}

/** Removes all keys that begin with a prefix. */
export interface KvDeleteTreeCommand {
  readonly kind: 'kv-delete-tree'
  readonly prefix: string
}

/**
 * The outcome has the value `false` when the key did not have the index that `cas` names. It has none
 * when all is done: that costs no row.
 */
export type KvCommand = KvPutCommand | KvDeleteCommand | KvDeleteTreeCommand

export const isKey: Shape = (value) => typeof value === 'string' && value !== ''
export const isUnsigned: Shape = (value) =>
  typeof value === 'string' && /^(?:0|[1-9]\d{0,19})$/.test(value)

const ofKey = ({ key }: { readonly key: string }) => ({ key })

export const kvCommands: Readonly<Record<KvCommand['kind'], CommandKind>> = {
  'kv-put': {
    since: kvFormat,
    about: ofKey,
    shape: hasFields({ key: isKey, value: isText, flags: isUnsigned, cas: isOptional(isUnsigned) }),
  },
  'kv-delete': {
    since: kvFormat,
    needs: 'none',
    about: ofKey,
    shape: hasFields({ key: isKey, cas: isOptional(isUnsigned) }),
  },
  'kv-delete-tree': {
    since: kvFormat,
    needs: 'none',
    about: ({ prefix }: KvDeleteTreeCommand) => ({ prefix }),
    shape: hasFields({ prefix: isText }),
  },
}
