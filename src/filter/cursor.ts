import { goEscape, goSimpleEscapes } from '../base/go-escapes.ts'
import { filterError } from './filter-error.ts'
import { TextReader } from './text-reader.ts'

const space = /[ \t\r\n]/
const identifier = /[A-Za-z][A-Za-z0-9_]*/y
// A number ends at a space, a parenthesis or the end of the text. 08, 1e3 and 0x10 are not numbers.
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?=[ \t\r\n)]|$)/y

/** Reads the words, numbers and strings of a filter's text. */
export class Cursor extends TextReader {
  /** Skips space; returns whether there was any. */
  skipSpace(): boolean {
    const from = this.at
    while (this.at < this.text.length && space.test(this.text.charAt(this.at))) this.at++
    return this.at > from
  }

  /** Takes these words if they come next, each with a space before it. */
  takeWords(...words: readonly string[]): boolean {
    const from = this.at
    if (words.every((word) => this.skipSpace() && this.take(word))) return true
    this.at = from
    return false
  }

  identifier(): string | undefined {
    return this.match(identifier)?.[0]
  }

  number(): string | undefined {
    const found = this.match(number)?.[0]
    if (found === undefined && /[-\d]/.test(this.text.charAt(this.at))) {
      this.fail('Invalid number literal. Put anything that is not a decimal number in quotes')
    }
    return found
  }

  /** A "quoted" or `raw` string, without its quotes; undefined if there is none here. */
  string(): string | undefined {
    const from = this.at
    if (this.take('`')) {
      const end = this.text.indexOf('`', this.at)
      if (end < 0) this.#unterminated(from)
      const raw = this.text.slice(this.at, end)
      this.at = end + 1
      return raw
    }
    return this.take('"') ? this.#quoted(from) : undefined
  }

  #quoted(from: number): string {
    let value = ''
    for (;;) {
      const next = this.text.charAt(this.at)
      if (next === '') this.#unterminated(from)
      if (next === '\n')
        this.fail('A "quoted" string must end on the same line. Write \\n, or use `…`')
      if (next === '\\') value += this.#escaped()
      else {
        this.at++
        if (next === '"') return value
        value += next
      }
    }
  }

  #escaped(): string {
    const found = this.match(goEscape)
    if (found === undefined) {
      this.fail('Invalid escape in a "quoted" string. Write \\\\ for a backslash, or use `…`')
    }
    const [, simple, hex, octal, short, long] = found
    if (simple !== undefined) return goSimpleEscapes[simple] ?? ''
    const digits = octal ?? hex ?? short ?? long ?? ''
    const code = Number.parseInt(digits, octal === undefined ? 16 : 8)
    if (code > 0x10ffff) this.fail('The escape is not a Unicode character')
    return String.fromCodePoint(code)
  }

  #unterminated(from: number): never {
    this.at = from
    return this.fail('Unterminated string literal')
  }

  /** The next word, for an error text. */
  found(): string {
    if (this.isAtEnd) return 'the end of the expression'
    const rest = this.text.slice(this.at, this.at + 64)
    const word = /^[ \t\r\n]*([^ \t\r\n()]+|[()])/.exec(rest)?.[1] ?? rest
    return JSON.stringify(word.slice(0, 32))
  }

  fail(fault: string): never {
    throw filterError(this.text, this.at, fault)
  }
}
