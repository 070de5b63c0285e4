/** What kind of thing a selector names, which decides what it can be compared with, and how. */
export type Field =
  | { readonly kind: 'string' | 'integer' | 'boolean' }
  /** A list of strings. */
  | { readonly kind: 'strings' }
  /** A map of any keys, each to a thing of the kind `of`. */
  | { readonly kind: 'map'; readonly of: Field }
  | { readonly kind: 'object'; readonly fields: Fields }
  /** A list of objects: a match holds when it holds for one of them. */
  | { readonly kind: 'objects'; readonly fields: Fields }

/** The selectors of a row, by the keys that its JSON has. */
export type Fields = Readonly<Record<string, Field>>
