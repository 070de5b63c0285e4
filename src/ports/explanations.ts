import type { Explanation } from '../access/rules/authorizer.ts'
import type { EffectiveRule } from '../access/rules/effective-rules.ts'
import type { Access, Resource } from '../access/rules/resource.ts'

/** What a question about a token is about. `name` is empty for resources without names. */
export interface AccessQuestion {
  readonly resource: Resource
  readonly name: string
  readonly access: Access
}

/** Why tokens may or may not do something. */
export interface Explanations {
  /** By the public ID of a token; undefined: there is no such token, or it has expired. */
  explain(accessorId: string, question: AccessQuestion): ExplainedToken | undefined
  /** All that decides about a token; undefined as above. */
  rulesOf(accessorId: string): TokenRules | undefined
}

export interface TokenRules {
  readonly accessorId: string
  readonly description: string
  readonly rules: readonly EffectiveRule[]
}

export interface ExplainedToken extends Explanation {
  readonly accessorId: string
  readonly description: string
}
