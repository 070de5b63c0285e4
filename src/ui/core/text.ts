// Names and outputs come from anybody. They are only ever shown as text, and what cannot be seen is made visible.

// Controls, and characters that turn or hide text.
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const escape = String.fromCodePoint(0x1b)
const colours = new RegExp(`${escape}\\[[0-9;]*m`, 'g')

/** A text without the colours of a terminal; other invisible characters are written as `\u{202e}`. */
export function visibleText(text: string): string {
  return text
    .replaceAll(colours, '')
    .replaceAll('\r\n', '\n')
    .replaceAll(invisible, (char) => (char === '\n' || char === '\t' ? char : codeOf(char)))
}

function codeOf(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`
}

/** A text without halves of characters, which no URL can hold. */
export function wellFormed(text: string): string {
  return text.replaceAll(/\p{Cs}/gu, '\u{fffd}')
}

/** The first line of a text, cut to `max` characters. */
export function firstLine(text: string, max = 160): string {
  const [line = ''] = visibleText(text).trim().split('\n')
  return line.length > max ? `${line.slice(0, max - 1)}…` : line
}

/** `10,000`. The first call of `toLocaleString` in a page takes longer than drawing the page. */
export function numberText(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** `1 instance`, `2 instances`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${numberText(count)} ${count === 1 ? one : many}`
}
