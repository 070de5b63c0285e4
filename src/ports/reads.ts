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
