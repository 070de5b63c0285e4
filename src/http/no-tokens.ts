import { anonymous } from '../access/caller.ts'
import type { Explanations } from '../ports/explanations.ts'
import type { Tokens } from '../ports/tokens.ts'

/** Access control is off. */
export const noTokens: Tokens & Explanations = Object.freeze({
  isEnabled: false,
  defaultPolicy: 'allow',
  requester: () => ({ caller: anonymous, accessorId: '' }),
  isSecret: () => false,
  explain: () => undefined,
  onChange: () => () => {},
})
