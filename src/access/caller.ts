/**
 * Who asks, as far as the answer depends on it. All clients with the same rights are one object, which is
 * the key of the answers that they share. Two callers with different rights never share bytes.
 */
export interface Caller {
  /** For logs. */
  readonly name: string
}

/** A client without a token: so far, every client. */
export const anonymous: Caller = Object.freeze({ name: 'anonymous' })
