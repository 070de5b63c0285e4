import { anybody } from '../access/requester.ts'
import type { Explanations } from '../ports/explanations.ts'
import type { Tokens } from '../ports/tokens.ts'

/** Access control is off. */
export const noTokens: Tokens & Explanations = Object.freeze({
  isEnabled: false,
  defaultPolicy: 'allow',
  requester: () => anybody,
  isSecret: () => false,
  explain: () => undefined,
  rulesOf: () => undefined,
  onChange: () => () => {},
})
