import type { ErrorCode } from '../base/errors.ts'
import type { Outcome } from '../catalog/command.ts'

// What the main thread and the replica thread say to each other.

export interface ReplicaWorkerData {
  readonly dataDirectory: string
  readonly versions: SharedArrayBuffer
  readonly stamp: SharedArrayBuffer
}

export type ToReplica =
  /** Proposals as JSON; their results come back in the same order. */
  { readonly type: 'propose'; readonly proposals: readonly string[] } | { readonly type: 'stop' }

export type FromReplica =
  | { readonly type: 'ready'; readonly appliedIndex: number }
  /** It cannot start: an operating error for the person who started the agent. */
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'results'; readonly outcomes: readonly Outcome[] }

/**
 * The replica's stamp: one shared number, odd while it is inside a disk write. A value that stays
 * odd and the same is a disk that hangs; main looks at it, for the replica itself cannot.
 */
export class Stamp {
  readonly buffer: SharedArrayBuffer
  readonly #cell: Int32Array

  constructor(buffer = new SharedArrayBuffer(4)) {
    this.buffer = buffer
    this.#cell = new Int32Array(buffer)
  }

  get value(): number {
    return Atomics.load(this.#cell, 0)
  }

  get writing(): boolean {
    return (this.value & 1) === 1
  }

  enter(): void {
    Atomics.add(this.#cell, 0, 1)
  }

  leave(): void {
    Atomics.add(this.#cell, 0, 1)
  }
}
