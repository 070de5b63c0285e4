import { parseRules } from './parse-rules.ts'
import type { Rule } from './rule.ts'

/** A policy as the authorizer needs it. */
export interface Policy {
  /** For explanations. */
  readonly name: string
  readonly rules: readonly Rule[]
}

/** Reads the text of a policy. Throws as {@link parseRules}. */
export function policyFrom(name: string, text: string): Policy {
  return { name, rules: parseRules(text) }
}
