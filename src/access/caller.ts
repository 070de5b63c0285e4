/**
 * Who asks, as far as the answer depends on it. All who have the same rights are one object: what is
 * shared between clients is kept by it. Two callers with different rights never share bytes.
 */
export interface Caller {
  /** For logs. */
  readonly name: string
}

/** Whoever says nothing of themselves: so far, everybody. */
export const anonymous: Caller = Object.freeze({ name: 'anonymous' })
