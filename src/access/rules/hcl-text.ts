import { goEscape, goSimpleEscapes } from '../../base/go-escapes.ts'
import type { Source } from './source.ts'

export interface ReadText {
  readonly text: string
  /** The offset behind it. */
  readonly end: number
}

/**
 * A quoted text of HCL 1, whose first quote is at `from`. Inside `${…}` everything is taken literally, even
 * quotes and line breaks.
 */
export function readQuoted(source: Source, from: number): ReadText {
  const { text } = source
  const parts: (string | number)[] = []
  let [at, copied, braces] = [from + 1, from + 1, 0]
  for (;;) {
    const next = text[at]
    if (next === undefined) source.fail(from, 'This text has no closing quote')
    if (next === '\n' && braces === 0) {
      source.fail(at, 'A text in quotes ends on its line. Write \\n for a line break')
    }
    if (next === '\\') {
      const read = readEscape(source, at)
      if (braces === 0) {
        parts.push(text.slice(copied, at), read.part)
        copied = read.end
      }
      at = read.end
    } else if (next === '"' && braces === 0) {
      parts.push(text.slice(copied, at))
      return { text: joined(source, from, parts), end: at + 1 }
    } else {
      braces += bracesAt(text, at, braces)
      at++
    }
  }
}

/** How a character changes the number of open braces since a `${`. */
function bracesAt(text: string, at: number, braces: number): number {
  const next = text[at]
  if (braces === 0) return next === '{' && text[at - 1] === '$' ? 1 : 0
  if (next === '{') return 1
  return next === '}' ? -1 : 0
}

/** A text, or a number: one byte of UTF-8. */
function readEscape(source: Source, at: number): { part: string | number; end: number } {
  goEscape.lastIndex = at
  const found = goEscape.exec(source.text)
  if (found === null) {
    source.fail(at, 'This escape is not one of HCL. Write \\\\ for a backslash')
  }
  const [whole, simple, hex, octal, short, long] = found
  const end = at + whole.length
  if (simple !== undefined) return { part: goSimpleEscapes[simple] ?? '', end }
  const byte = hex ?? octal
  const code = Number.parseInt(byte ?? short ?? long ?? '', octal === undefined ? 16 : 8)
  if (byte !== undefined && code < 0x100) return { part: code, end }
  if (byte !== undefined || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
    source.fail(at, 'This escape is not a Unicode character')
  }
  return { part: String.fromCodePoint(code), end }
}

function joined(source: Source, from: number, parts: readonly (string | number)[]): string {
  if (!parts.some((part) => typeof part === 'number' && part >= 0x80)) {
    return parts
      .map((part) => (typeof part === 'number' ? String.fromCodePoint(part) : part))
      .join('')
  }
  const bytes = parts.map((part) => Buffer.from(typeof part === 'number' ? [part] : part))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes))
  } catch {
    return source.fail(from, 'The escapes in this text are not valid UTF-8')
  }
}

const anchor = /<<-?([\p{L}\p{Nd}_]+)\n/uy

/**
 * A heredoc, whose `<<` is at `from`. `<<-` is read in the same way: the text ends with a line break, so it can be no
 * level, and its indentation does not matter.
 */
export function readHeredoc(source: Source, from: number): ReadText {
  const { text } = source
  anchor.lastIndex = from
  const found = anchor.exec(text)
  if (found === null) source.fail(from, 'A heredoc begins with <<WORD at the end of a line')
  const [whole, word = ''] = found
  const start = from + whole.length
  for (let at = start; ;) {
    const end = text.indexOf('\n', at)
    if (end < 0) source.fail(from, `This heredoc has no last line with ${word} alone`)
    const line = text.slice(at, end)
    if (line.trimStart() === word) return { text: text.slice(start, at), end: end + 1 }
    at = end + 1
  }
}
