import type { Wait } from '../../ports/backend.ts'

/** What the API reads one family of the replicated state by. */
export interface FamilyReads<Reader> {
  /** Runs `query` inside one read transaction; `query` must be synchronous. */
  read<T>(query: (reader: Reader) => T): T
  /**
   * A long read in one read transaction, a few steps at a time, so that others get their turn in
   * between. Resolves with what `steps` returns.
   */
  readSliced<T>(steps: (reader: Reader) => Generator<void, T>): Promise<T>
  /** To be taken *before* `read`: a change after it wakes `waitForChange`, so none falls in between. */
  version(): number
  /** Ends when the subject may have changed since `version()` gave `since`, or after `timeoutMs`. */
  waitForChange(subject: string, since: number, timeoutMs: number): Wait
}
