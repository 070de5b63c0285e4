/** A number that no number of JavaScript may hold exactly, as {@link parseExactly} gives it. */
export interface ExactNumber {
  /** Its digits. */
  readonly exact: string
}

/** Fewer digits are exact anyway: 2^53 has 16. */
const mayBeInexact = /\d{16}/
const longNumber = /^(\s*:\s*)(\d{16,})(?![\d.eE])/

/**
 * As JSON.parse, but whole numbers of 16 digits and more become {@link ExactNumber}s where they are the value
 * of one of these keys, in lower case. Node 20 cannot tell how a number was written. Throws a SyntaxError.
 */
export function parseExactly(text: string, keys: ReadonlySet<string>): unknown {
  const value: unknown = JSON.parse(text)
  return mayBeInexact.test(text) ? JSON.parse(marked(text, keys)) : value
}

/** Valid JSON with the long numbers of these keys put into objects. */
function marked(text: string, keys: ReadonlySet<string>): string {
  let out = ''
  let at = 0
  let isAsked = false
  for (;;) {
    const open = text.indexOf('"', at)
    const between = text.slice(at, open < 0 ? undefined : open)
    out += isAsked ? between.replace(longNumber, '$1{"exact":"$2"}') : between
    if (open < 0) return out
    at = endOfString(text, open)
    const quoted = text.slice(open, at)
    // Values are long, keys are short.
    isAsked = quoted.length <= 32 && keys.has(quoted.slice(1, -1).toLowerCase())
    out += quoted
  }
}

/** Behind the quotation mark that ends the string which begins at `open`. */
function endOfString(text: string, open: number): number {
  let end = text.indexOf('"', open + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

function isEscaped(text: string, at: number): boolean {
  let from = at
  while (text[from - 1] === '\\') from--
  return (at - from) % 2 === 1
}
