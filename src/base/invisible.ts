// Characters that a terminal obeys or that a reader cannot see: names must not hold them, and what
// holds them is printed with them written out.

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, bidirectional controls (UAX #9
 * §2), everything that Unicode calls default-ignorable (zero-width characters, joiners, fillers,
 * tags), and interlinear annotations.
 */
const invisible =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u{fff9}-\u{fffb}]/u

// In free text an emoji keeps its variation selector, which hides nothing.
const toEscape = new RegExp(`(?<!\\p{Extended_Pictographic}(?=\\ufe0f))${invisible.source}`, 'gu')

const plainAscii = /^[\x20-\x7e]*$/

/** The first such character of a text, as `U+202E`; undefined when there is none. */
export function invisibleCharacter(text: string): string | undefined {
  if (plainAscii.test(text)) return undefined
  const found = invisible.exec(text)?.[0].codePointAt(0)
  return found === undefined ? undefined : codePointName(found)
}

function codePointName(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`
}

/** The text on one line, each such character written out as `\u{202e}`. */
export function visible(text: string): string {
  return plainAscii.test(text) ? text : text.replaceAll(toEscape, braced)
}

/** As {@link visible}, with the text's own lines and tabs left alone. */
export function visibleLines(text: string): string {
  return text.replaceAll(toEscape, (found) =>
    found === '\n' || found === '\t' ? found : braced(found),
  )
}

/** JSON text with such characters as JSON's own escapes: it means the same. */
export function visibleJson(json: string): string {
  if (plainAscii.test(json)) return json
  return json.replaceAll(toEscape, (found) => (found === '\n' ? found : jsonEscape(found)))
}

function braced(found: string): string {
  return `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`
}

function jsonEscape(found: string): string {
  return Array.from(
    { length: found.length },
    (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')
}
