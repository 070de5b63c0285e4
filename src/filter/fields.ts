/** The kind of a selector's field. It decides which values and operators are valid. */
export type Field =
  | { readonly kind: 'string' | 'integer' | 'boolean' }
  /** A list of strings. */
  | { readonly kind: 'strings' }
  /** A map with any keys; its values have the kind `of`. */
  | { readonly kind: 'map'; readonly of: Field }
  | { readonly kind: 'object'; readonly fields: Fields }
  /** A list of objects; a match holds if it holds for one of them. */
  | { readonly kind: 'objects'; readonly fields: Fields }

/** The fields of a row, by the keys of its JSON. */
export type Fields = Readonly<Record<string, Field>>
