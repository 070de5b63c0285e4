import type { Model } from './linearizability.ts'

/**
 * One operation of a client on one key. Times are virtual; an operation without an end may take
 * effect at any later time, or never.
 */
export interface Operation {
  readonly client: number
  /** Of the command that carries it, see machine.ts; a read has none. */
  readonly command: string
  readonly key: string
  readonly op: Op
  readonly invokedMs: number
  returnedMs: number
  result: number | boolean | undefined
}

/** Registers, as the checker of histories needs them. */
export const registerModel: Model<Operation, number> = {
  initial: 0,
  next(state, { op, returnedMs, result }) {
    const after = applyOp(state, op)
    return returnedMs === Infinity || after.result === result ? after.state : undefined
  },
  name: (state) => state,
  isRead: ({ op }) => op.kind === 'read',
}

/** A register holds a number: the hash of all that was appended to it, so that order shows. */
export type Op =
  | { readonly kind: 'read' }
  | { readonly kind: 'append'; readonly value: number }
  | { readonly kind: 'swap'; readonly expected: number; readonly value: number }

export function applyOp(state: number, op: Op): { state: number; result: number | boolean } {
  if (op.kind === 'read') return { state, result: state }
  if (op.kind === 'append') {
    const next = (Math.imul(state, 31) + op.value) >>> 0
    return { state: next, result: next }
  }
  return state === op.expected ? { state: op.value, result: true } : { state, result: false }
}

/** All operations of one run. */
export class History {
  readonly operations: Operation[] = []

  invoke(asked: Pick<Operation, 'client' | 'command' | 'key' | 'op'>, nowMs: number): Operation {
    const operation = {
      ...asked,
      invokedMs: nowMs,
      returnedMs: Infinity,
      result: undefined,
    }
    this.operations.push(operation)
    return operation
  }
}
