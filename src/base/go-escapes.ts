// The escapes of a quoted text of Go, which filters and HCL 1 have, too (Go specification, "String literals").

/** Matches at its `lastIndex`, which its user sets. Groups: a letter of {@link goSimpleEscapes}, and digits of \x, octal, \u, \U. */
export const goEscape =
  /\\(?:([abfnrtv\\"])|x([\da-fA-F]{2})|([0-7]{3})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/y

/** What an escape of one letter stands for. */
export const goSimpleEscapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
}
