import { everything } from './rights.ts'
import type { Rights } from './rights.ts'

/**
 * Who asks, as far as the answer depends on it. All clients with the same rights are one object, which is
 * the key of the answers that they share. Two callers with different rights never share bytes.
 */
export interface Caller {
  /** For logs. */
  readonly name: string
  readonly rights: Rights
}

/** A client while access control is off: it may do everything. */
export const anonymous: Caller = Object.freeze({ name: 'anonymous', rights: everything })
