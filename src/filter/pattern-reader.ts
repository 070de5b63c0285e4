import { PatternError, not, perlClasses, unicodeClass } from './pattern-syntax.ts'
import type { CharacterTest } from './pattern-syntax.ts'
import { TextReader } from './text-reader.ts'

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }

/** Reads the characters, escapes and classes of a pattern's text. */
export class PatternReader extends TextReader {
  /** Takes the next character. */
  code(): number {
    const code = this.text.codePointAt(this.at)
    if (code === undefined) throw new PatternError('unexpected end')
    this.at += code > 0xffff ? 2 : 1
    return code
  }

  /** Takes `\d`, `\PL` and the like; undefined if no class comes next. */
  classEscape(): CharacterTest | undefined {
    const perl = this.match(/\\([dswDSW])/y)?.[1]
    if (perl !== undefined) {
      const test = perlClasses[perl.toLowerCase()]
      if (test !== undefined) return perl >= 'a' ? test : not(test)
    }
    const from = this.at
    const unicode = this.match(/\\([pP])(?:\{(\^?)(\w+)\}|(\w))/y)
    if (unicode === undefined) return undefined
    const test = unicodeClass(unicode[3] ?? unicode[4] ?? '')
    if (test === undefined) return this.fail('invalid character class range', from)
    return (unicode[1] === 'P') === (unicode[2] === '^') ? test : not(test)
  }

  /** The character that an escape such as `\n`, `\x{1F600}` or `\.` stands for. */
  escape(): number {
    const from = this.at
    if (!this.take('\\')) return this.code()
    if (this.isAtEnd) throw new PatternError('trailing backslash at end of expression: ``')
    const hex = this.match(/x(?:([\da-fA-F]{2})|\{([\da-fA-F]{1,8})\})/y)
    if (hex !== undefined) return this.#inUnicode(Number.parseInt(hex[1] ?? hex[2] ?? '', 16), from)
    // A single digit would be a backreference, which a linear matcher cannot support.
    const octal = this.match(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y)
    if (octal !== undefined) return Number.parseInt(octal[0], 8)
    const control = controls[this.text.charAt(this.at)]
    const code = this.code()
    if (control !== undefined) return control
    if (code < 0x80 && /[^\w]/.test(String.fromCodePoint(code))) return code
    return this.fail('invalid escape sequence', from)
  }

  #inUnicode(code: number, from: number): number {
    return code <= 0x10ffff ? code : this.fail('invalid escape sequence', from)
  }

  /** Throws a fault in the text since `from`. */
  fail(fault: string, from: number): never {
    throw new PatternError(`${fault}: \`${this.text.slice(from, Math.max(this.at, from + 1))}\``)
  }
}
