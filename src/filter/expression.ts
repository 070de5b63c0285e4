/** What a match compares by, in go-bexpr's names, which its error texts carry. */
export type MatchOperator =
  'Equal' | 'NotEqual' | 'In' | 'NotIn' | 'IsEmpty' | 'IsNotEmpty' | 'Matches' | 'NotMatches'

export interface Match {
  readonly kind: 'match'
  readonly operator: MatchOperator
  /** The selector's parts: `Service.Meta["a b"]` → Service, Meta, a b. */
  readonly path: readonly string[]
  /** Unquoted; '' for the operators that take none. */
  readonly value: string
  /** Where the match begins in the text, in UTF-16 units. */
  readonly at: number
}

/** A filter as a tree: as deep as its parentheses, however many `and` and `or` it has. */
export type Expression =
  | Match
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'all' | 'any'; readonly operands: readonly Expression[] }
