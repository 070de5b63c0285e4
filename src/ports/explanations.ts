import type { Explanation } from '../access/rules/authorizer.ts'
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
}

export interface ExplainedToken extends Explanation {
  readonly accessorId: string
  readonly description: string
}
