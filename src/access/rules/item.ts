/** A word or a quoted text of the rules. */
export interface Word {
  readonly text: string
  /** Offset in the text. */
  readonly at: number
}

/** `KEY = VALUE`, or a block: `KEY "NAME" { … }`. JSON has only the first. */
export interface Item {
  readonly keys: readonly [Word, ...Word[]]
  readonly value: Value
}

export type Value =
  | {
      readonly kind: 'text'
      readonly text: string
      readonly isHeredoc: boolean
      readonly at: number
    }
  | { readonly kind: 'object'; readonly items: readonly Item[]; readonly at: number }
  | { readonly kind: 'list'; readonly values: readonly Value[]; readonly at: number }
  /** A number, a truth value, `null`, or a word without quotes. */
  | { readonly kind: 'other'; readonly text: string; readonly at: number }

/** How deep objects and lists may be nested. Rules need at most five levels. */
export const depthMax = 8
