/** A number that no number of JavaScript may hold exactly, as {@link parseExactly} gives it. */
export interface ExactNumber {
  /** Its digits. */
  readonly exact: string
}

/**
 * A way to parse JSON by which whole numbers of 16 digits and more become {@link ExactNumber}s where they are
 * the value of one of these fields, in any case. (2^53 has 16 digits. Node 20 cannot tell how a number was
 * written.) Only a field is found: within a string, its quotation marks are escaped. It throws a SyntaxError.
 */
export function parseExactly(...fields: readonly string[]): (text: string) => unknown {
  const long = new RegExp(String.raw`"(${fields.join('|')})"(\s*:\s*)(\d{16,})(?![\d.eE])`, 'gi')
  return (text) => {
    const value: unknown = JSON.parse(text)
    const marked = text.replaceAll(long, '"$1"$2{"exact":"$3"}')
    return marked === text ? value : JSON.parse(marked)
  }
}
