import type { Check, Node, Service } from '../catalog/model.ts'
import type { Json } from '../machine/command.ts'

// What the outcome of a transaction carries. It is JSON, and it is part of the replicated state, because a
// request that is repeated must have the same outcome: so it holds no texts, and nothing that is known anyway.

/** Why an operation failed, and with it the transaction. */
export type Reason =
  /** The index that it names is not that of what is there. */
  | { readonly why: 'stale' }
  /** There is no such key or entry. */
  | { readonly why: 'not-there' }
  | { readonly why: 'there' }
  /** `check-index`: the key has this one. */
  | { readonly why: 'other-index'; readonly index: number }
  /** `check-session`: the key has this one. */
  | { readonly why: 'other-session'; readonly session: string }
  | { readonly why: 'no-session' | 'unknown-session' | 'held' | 'lock-delay' | 'not-held' }
  /** The service belongs to a node, or the check to a node or service, that is not there. */
  | { readonly why: 'unknown-node' | 'unknown-service' }
  /** A node whose agent lives has the name. */
  | { readonly why: 'name-taken'; readonly id: string; readonly address: string }
  /** What the transaction reads is larger than {@link readCharsMax}. */
  | { readonly why: 'too-large' }

/** `op`: the position of the operation. */
export type Failure = Reason & { readonly op: number }

/**
 * A key after it was written: its create index, modify index, lock index and session. A single number is the
 * create index of a key without a lock that has changed now, and 0 if it was created now.
 */
export type Written = number | readonly [number, number, number, string]

/** A key that was read: flags, lock index, session, create index, modify index, and the value in base64. */
export type Stored = readonly [string, number, string, number, number, string]

/** A key that was checked, without its value. */
export type Checked = readonly [string, number, string, number, number]

/** What each operation gives; null: nothing. Which of them it is, its verb tells. */
export type Result =
  | null
  | Written
  | Stored
  | Checked
  | readonly (readonly [string, ...Stored])[]
  | Node
  | Service
  | Check

/** The value of an outcome. Without one, the transaction was done, and all results are null or 0. */
export type TxnValue =
  { readonly failures: readonly Failure[] } | { readonly results: readonly Result[] }

/** How many characters the results may have that a transaction with writes reads: more than the largest value. */
export const readCharsMax = 1024 * 1024

export function failed(failures: readonly Failure[]): Json {
  return { failures }
}

/** Undefined when there is nothing to tell. */
export function done(results: readonly Result[]): Json | undefined {
  if (results.every((result) => result === null || result === 0)) return undefined
  return { results } as unknown as Json
}

/** The value of the outcome of a transaction of `count` operations. */
export function txnValue(value: Json | undefined, count: number): TxnValue {
  if (value !== undefined) return value as unknown as TxnValue
  return { results: Array.from({ length: count }, () => 0) }
}

/** What {@link Written} says, of a transaction that was applied at `index`. */
export interface WrittenKey {
  readonly createIndex: number
  readonly modifyIndex: number
  readonly lockIndex: number
  readonly session: string
}

export function packWritten(
  row: {
    readonly create_index: number
    readonly modify_index: number
    readonly lock_index: number
    readonly session: string
  },
  index: number,
): Written {
  const { create_index, modify_index, lock_index, session } = row
  if (modify_index === index && lock_index === 0 && session === '') {
    return create_index === index ? 0 : create_index
  }
  return [create_index, modify_index, lock_index, session]
}

export function unpackWritten(written: Written, index: number): WrittenKey {
  if (typeof written === 'number') {
    const createIndex = written === 0 ? index : written
    return { createIndex, modifyIndex: index, lockIndex: 0, session: '' }
  }
  const [createIndex, modifyIndex, lockIndex, session] = written
  return { createIndex, modifyIndex, lockIndex, session }
}
