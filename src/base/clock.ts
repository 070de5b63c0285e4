/** Time as an argument, so that tests tick it. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. Deadlines and intervals use this one. */
  monotonicMs(): number
  /** Milliseconds since the Unix epoch; only ever stored as data. */
  wallMs(): number
}
