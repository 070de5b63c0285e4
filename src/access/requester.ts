import { anonymous } from './caller.ts'
import type { Caller } from './caller.ts'

/** Who sends a request. */
export interface Requester {
  /** Its rights. Requesters with the same rights have the same caller. */
  readonly caller: Caller
  /** The public ID of its token; '' while access control is off. */
  readonly accessorId: string
}

/** Who sends any request while access control is off. */
export const anybody: Requester = Object.freeze({ caller: anonymous, accessorId: '' })
