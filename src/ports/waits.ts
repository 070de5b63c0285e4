/** Somebody waits. Not a promise with an AbortSignal: of ten thousand that would be half the memory. */
export interface Wait {
  readonly ended: Promise<void>
  /** Ends it now, if it has not ended yet. */
  end(): void
}

/** Waits for changes of the state. */
export interface Waits {
  /** To be taken *before* a read: a change after it wakes `waitForChange`, so none falls in between. */
  version(): number
  /** Ends when the subject may have changed since `version()` gave `since`, or after `timeoutMs`. */
  waitForChange(subject: string, since: number, timeoutMs: number): Wait
}
