/** A mutex or a place in a semaphore that one session may hold. */
export interface Lock {
  /** The key that programs agree on. */
  readonly key: string
  /**
   * Waits until the session holds it. Resolves with the fencing token: the index of an entry of the log that
   * is not before the one by which it was taken. Every later holder gets a larger one. Undefined:
   * the signal ended the wait.
   */
  acquire(signal: AbortSignal): Promise<number | undefined>
  /** Resolves with the reason when it is lost, and with undefined when the signal ends. */
  lost(signal: AbortSignal): Promise<string | undefined>
  /** Gives it back. The next one in the queue then gets it. */
  release(): Promise<void>
  /** Removes the key, unless it is in use. */
  cleanUp(): Promise<void>
}

/** As Consul's clients mark the keys of their locks. */
export const lockFlags = String(0x2ddccbc058a50c18n)
export const semaphoreFlags = String(0xe0f69a2baa414de0n)

/** A blocking query ends after this time, so that a broken connection is noticed. */
export const waitMs = 60_000
