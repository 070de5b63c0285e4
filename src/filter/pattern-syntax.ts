/** Whether a character, as a code point, belongs to a set. */
export type CharacterTest = (code: number) => boolean

export type Assertion = 'text-begin' | 'text-end' | 'line-begin' | 'line-end' | 'word' | 'no-word'

/** A regular expression as a tree. */
export type Pattern =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Pattern[] }
  /** The matched part of the text can be read afterwards. Groups are numbered from 1, in the order of the opening parentheses. */
  | { readonly kind: 'group'; readonly of: Pattern; readonly number: number }
  | Repeat

/** `max` Infinity = any number. `isLazy`: as few as possible are tried first. */
export interface Repeat {
  readonly kind: 'repeat'
  readonly of: Pattern
  readonly min: number
  readonly max: number
  readonly isLazy: boolean
}

/** A fault in a pattern, with the text of Go's regexp package. */
export class PatternError extends Error {
  override name = 'PatternError'
}

const digits: CharacterTest = (code) => code >= 0x30 && code <= 0x39
const upper: CharacterTest = (code) => code >= 0x41 && code <= 0x5a
const lower: CharacterTest = (code) => code >= 0x61 && code <= 0x7a
const alpha: CharacterTest = (code) => upper(code) || lower(code)
const alnum: CharacterTest = (code) => alpha(code) || digits(code)
const graph: CharacterTest = (code) => code > 0x20 && code < 0x7f
const spaces: CharacterTest = (code) =>
  code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0c || code === 0x0d

/** The characters of `\w` and `\b`: ASCII only, as in RE2. */
export const isWord: CharacterTest = (code) => alnum(code) || code === 0x5f

export const perlClasses: Readonly<Record<string, CharacterTest>> = {
  d: digits,
  s: spaces,
  w: isWord,
}

/** The names inside `[[:…:]]`. */
export const posixClasses: Readonly<Record<string, CharacterTest>> = {
  alnum,
  alpha,
  ascii: (code) => code < 0x80,
  blank: (code) => code === 0x20 || code === 0x09,
  cntrl: (code) => code < 0x20 || code === 0x7f,
  digit: digits,
  graph,
  lower,
  print: (code) => code === 0x20 || graph(code),
  punct: (code) => graph(code) && !alnum(code),
  space: (code) => spaces(code) || code === 0x0b,
  upper,
  word: isWord,
  xdigit: (code) =>
    digits(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66),
}

/** `\p{Greek}`, `\pL`; undefined for an unknown name. */
export function unicodeClass(name: string): CharacterTest | undefined {
  if (name === 'Any') return () => true
  // The name is a category or a script. V8 has Unicode's tables, and tests one character at a time.
  for (const property of [`gc=${name}`, `sc=${name}`]) {
    try {
      const one = new RegExp(`^\\p{${property}}$`, 'u')
      return (code) => one.test(String.fromCodePoint(code))
    } catch {
      // Not a name of this kind.
    }
  }
  return undefined
}

export function not(test: CharacterTest): CharacterTest {
  return (code) => !test(code)
}

/** `test`, ignoring case. */
export function caseless(test: CharacterTest): CharacterTest {
  return (code) => {
    if (test(code)) return true
    const text = String.fromCodePoint(code)
    return isOther(text.toLowerCase(), code, test) || isOther(text.toUpperCase(), code, test)
  }
}

// RE2 ignores foldings to several characters (ß → SS).
function isOther(folded: string, code: number, test: CharacterTest): boolean {
  const other = folded.codePointAt(0) ?? code
  return other !== code && folded.length === (other > 0xffff ? 2 : 1) && test(other)
}
