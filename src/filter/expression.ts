/** The operators of a match, by go-bexpr's names, which appear in its error texts. */
export type MatchOperator =
  'Equal' | 'NotEqual' | 'In' | 'NotIn' | 'IsEmpty' | 'IsNotEmpty' | 'Matches' | 'NotMatches'

export interface Match {
  readonly kind: 'match'
  readonly operator: MatchOperator
  /** The selector's parts: `Service.Meta["a b"]` → Service, Meta, a b. */
  readonly path: readonly string[]
  /** Unquoted; '' for operators without a value. */
  readonly value: string
  /** The position of the match in the text, in UTF-16 units. */
  readonly at: number
}

/** A filter as a tree. Only parentheses make it deeper, not the number of `and` and `or`. */
export type Expression =
  | Match
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'all' | 'any'; readonly operands: readonly Expression[] }
