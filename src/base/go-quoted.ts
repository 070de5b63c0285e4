const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** A text in quotation marks, as Go's `%q` writes it: what cannot be seen is escaped. */
export function goQuoted(text: string): string {
  return `"${text.replaceAll(/["\\]|(?! )[\p{C}\p{Z}]/gu, escaped)}"`
}

function escaped(char: string): string {
  const known = short[char]
  if (known !== undefined) return known
  const code = char.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}
