import { anonymous } from '../access/caller.ts'
import type { Tokens } from '../ports/tokens.ts'

/** Access control is off. */
export const noTokens: Tokens = Object.freeze({
  isEnabled: false,
  defaultPolicy: 'allow',
  requester: () => ({ caller: anonymous, accessorId: '' }),
  onChange: () => () => {},
})
