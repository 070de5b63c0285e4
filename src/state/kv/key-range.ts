/** A bound of a range of keys. A blob is above every text (SQLite, "Comparison Expressions"). */
export type Bound = string | Uint8Array

const aboveAll: Bound = new Uint8Array()
const codePointMax = 0x10ffff

/**
 * The first text behind all keys with a prefix: the prefix with its last code point made one larger. Keys
 * are ordered by their bytes in UTF-8, which is the order of code points.
 */
export function afterPrefix(prefix: string): Bound {
  let end = prefix.length
  while (end > 0) {
    const width = isLowSurrogate(prefix.charCodeAt(end - 1)) && end > 1 ? 2 : 1
    const codePoint = prefix.codePointAt(end - width) ?? 0
    if (codePoint < codePointMax) {
      // A text never contains a single surrogate.
      const next = codePoint + 1 === 0xd800 ? 0xe000 : codePoint + 1
      return prefix.slice(0, end - width) + String.fromCodePoint(next)
    }
    end -= width
  }
  return aboveAll
}

/** The first text that is larger than a key. */
export function afterKey(key: string): string {
  return `${key}\0`
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
