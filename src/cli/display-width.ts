const plainAscii = /^[\x20-\x7e]*$/
const zeroWidth = /[\p{Mn}\p{Me}\ufe0f]/u
/** East Asian wide characters (UAX #11) and pictures, which take two columns on a terminal. */
const doubleWidth =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u

/** How many columns of a terminal a text takes. */
export function displayWidth(text: string): number {
  if (plainAscii.test(text)) return text.length
  let width = 0
  for (const character of text) width += widthOf(character)
  return width
}

/** The text cut to at most `width` columns, with `…` where something was left out. */
export function cutToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let [kept, used] = ['', 0]
  for (const character of text) {
    used += widthOf(character)
    if (used > width - 1) break
    kept += character
  }
  return `${kept}…`
}

function widthOf(character: string): number {
  if (zeroWidth.test(character)) return 0
  return doubleWidth.test(character) ? 2 : 1
}
