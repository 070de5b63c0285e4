import type { Consistency } from '../../../src/http/parameters.ts'
import type { Index, NodeId } from '../../../src/raft/entry.ts'
import type { KvCommand } from '../../../src/state/kv/commands.ts'
import { checkHistory } from '../linearizability.ts'
import type { KvAcquireCommand, KvReleaseCommand } from '../../../src/state/session/commands.ts'
import type { Interval, Model, Verdict } from '../linearizability.ts'
import { write } from './twin.ts'
import type { KeyWrite, Stored } from './twin.ts'

/** A GET: of one key, or of all below a prefix. */
export interface ReadAsked {
  readonly key: string
  readonly isTree: boolean
  readonly consistency: Consistency
}

export interface ReadAnswer {
  /** X-Consul-Index. */
  readonly index: Index
  readonly rows: readonly (Stored & { readonly key: string })[]
  /** Who answered, and which entry it had applied last. No client knows that. */
  readonly by: NodeId
  readonly applied: Index
  /** What was committed when it answered. */
  readonly committed: Index
}

export interface WriteAnswer {
  readonly index: Index
  /** As the API says it. */
  readonly isDone: boolean
}

/** One request of a client, from its first attempt to its answer. */
export interface Request<Asked, Answer> {
  readonly client: number
  /** Of all attempts of a write. */
  readonly id: string
  readonly asked: Asked
  readonly invokedMs: number
  /** Infinity: there was none. */
  returnedMs: number
  answer: Answer | undefined
}

export type WriteRequest = Request<KvCommand | KvAcquireCommand | KvReleaseCommand, WriteAnswer>
export type ReadRequest = Request<ReadAsked, ReadAnswer>

/** What one request does to one key, for the checker. */
export interface KeyOperation extends Interval {
  /** Of a write: the entry of the log that carries it. */
  readonly at?: Index
  readonly write?: KeyWrite
  /** What the client was told; undefined: nothing. */
  readonly isDone?: boolean | undefined
  readonly read?: {
    readonly stored: Stored | undefined
    /** Of the answer, where it is of this key alone. */
    readonly index?: Index
  }
}

interface KeyState {
  readonly stored: Stored | undefined
  /** The entry that changed it last, or that deleted it. */
  readonly changedAt: Index
  /** Of the last write. */
  readonly at: Index
}

/** Whether the history of one key is linearizable, its writes in the order of their entries. */
export function checkKey(operations: readonly KeyOperation[]): Verdict {
  const writes = operations.filter(({ write: asked }) => asked !== undefined)
  let before = 0
  const placed = new Map<KeyOperation, PlacedOperation>()
  for (const one of writes.toSorted((a, b) => (a.at ?? 0) - (b.at ?? 0))) {
    placed.set(one, { ...one, before })
    before = one.at ?? 0
  }
  return checkHistory<PlacedOperation, KeyState>(
    operations.map((one) => placed.get(one) ?? one),
    keyModel,
  )
}

/** `before`: the entry of the write that comes before this one. All were applied, so none is left out. */
interface PlacedOperation extends KeyOperation {
  readonly before?: Index
}

const keyModel: Model<PlacedOperation, KeyState> = {
  initial: { stored: undefined, changedAt: 0, at: 0 },
  next(state, operation) {
    const { read, at = 0 } = operation
    if (read !== undefined) {
      const isSame = isSameStored(state.stored, read.stored)
      const isIndex = read.index === undefined || read.index === Math.max(1, state.changedAt)
      return isSame && isIndex ? state : undefined
    }
    if (operation.write === undefined || operation.before !== state.at) return undefined
    const { stored, isDone } = write(state.stored, operation.write, at)
    const told = operation.isDone ?? isDone
    if (isDone !== undefined && told !== isDone) return undefined
    const after = told === false ? state.stored : stored
    return { stored: after, at, changedAt: after === state.stored ? state.changedAt : at }
  },
  name: ({ at }) => at,
  isRead: ({ read }) => read !== undefined,
}

export function isSameStored(one: Stored | undefined, other: Stored | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return (
    one.value === other.value &&
    one.flags === other.flags &&
    one.lockIndex === other.lockIndex &&
    one.session === other.session &&
    one.createIndex === other.createIndex &&
    one.modifyIndex === other.modifyIndex
  )
}
