/** What a thread does beside answering packets, when it blocks in poll() instead of an event loop. */
export interface PolledWork {
  /** The descriptor to wait for. */
  readonly fd: number
  /** Whether something is expected to come to it. */
  readonly isWaiting: boolean
  /** When it is due at the latest, by `performance.now()`; Infinity: only when something comes. */
  readonly dueMs: number
  /** Takes what has come, and does what is due, without waiting. */
  readonly turn: (isReadable: boolean) => void
}
