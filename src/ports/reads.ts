import type { ReadableFamily } from '../state/machine/family.ts'
import type { Waits } from './waits.ts'

/** Reads of this server's own copy of the state; `R` reads one family of it. */
export interface Reads<R> {
  /** Runs `query` inside one read transaction; `query` must be synchronous. */
  read<T>(query: (reader: R) => T): T
  /**
   * A long read in one read transaction, a few steps at a time, so that others get their turn in
   * between. Resolves with what `steps` returns.
   */
  readSliced<T>(steps: (reader: R) => Generator<void, T>): Promise<T>
}

/** Reads of one family of the state, and waits for its changes. */
export interface FamilyReads<R> extends Reads<R>, Waits {
  /**
   * Tells without a read whether a subject is still as it was when `version()` gave `since`. Of ten thousand subjects
   * that takes less than a millisecond.
   */
  unchanged(subject: string): (since: number) => boolean
}

/** The families of the state. */
export interface Families {
  /** The same object each time, because answers are kept by it. */
  of<R>(family: ReadableFamily<R>): FamilyReads<R>
}
