/** One entry of a master file: a directive or record, with parentheses and comments removed. */
export interface ZoneEntry {
  /** The line on which it begins, from 1. */
  readonly line: number
  /** It begins with white space: its owner is that of the record before. */
  readonly continuesOwner: boolean
  readonly tokens: readonly Token[]
}

export interface Token {
  /** Escapes are not resolved. */
  readonly text: string
  readonly quoted: boolean
}

export interface LexerError {
  readonly line: number
  readonly reason: string
}

const [newline, carriageReturn, space, tab] = [0x0a, 0x0d, 0x20, 0x09]
const [quote, semicolon, open, close, backslash] = [0x22, 0x3b, 0x28, 0x29, 0x5c]

/**
 * Splits a master file (RFC 1035 §5.1) into entries, one at a time, because files may be large. The text
 * has one character per octet.
 */
export class ZoneFileLexer {
  /** The reader removes these while it reads. */
  readonly errors: LexerError[] = []
  readonly #text: string
  #at = 0
  #line = 1
  #depth = 0
  #tokens: Token[] = []
  #entryLine = 1
  #startsBlank = false
  #isLineStart = true
  #failedLine = 0

  constructor(text: string) {
    this.#text = text
    if (text.startsWith('\xef\xbb\xbf')) {
      this.#fail('the file starts with a byte order mark; save it without one', 1)
      this.#at = 3
    }
  }

  /** Undefined at the end of the file. */
  next(): ZoneEntry | undefined {
    while (this.#at < this.#text.length) {
      const entry = this.#step(this.#text.charCodeAt(this.#at))
      if (entry !== undefined) return entry
    }
    if (this.#depth > 0) this.#fail('a "(" is never closed', this.#entryLine)
    this.#depth = 0
    return this.#endEntry()
  }

  #step(code: number): ZoneEntry | undefined {
    if (code === newline) return this.#newLine()
    if (code === space || code === tab || code === carriageReturn) {
      if (this.#isLineStart && this.#depth === 0 && code !== carriageReturn) {
        this.#startsBlank = true
      }
      this.#at++
    } else if (code === semicolon) {
      const end = this.#text.indexOf('\n', this.#at)
      this.#at = end === -1 ? this.#text.length : end
    } else if (code === open || code === close) {
      this.#parenthesis(code === open ? 1 : -1)
    } else {
      if (this.#tokens.length === 0) this.#entryLine = this.#line
      this.#tokens.push(code === quote ? this.#readQuoted() : this.#readWord())
    }
    this.#isLineStart = false
    return undefined
  }

  #parenthesis(step: 1 | -1): void {
    if (this.#tokens.length === 0) this.#entryLine = this.#line
    this.#depth += step
    if (this.#depth < 0) this.#fail('a ")" without a "(" before it', this.#line)
    this.#depth = Math.max(0, this.#depth)
    this.#at++
  }

  #readWord(): Token {
    const text = this.#text
    const start = this.#at
    let at = start
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === backslash) {
        if (isEnd(text.charCodeAt(at + 1))) this.#fail('a "\\" at the end of the line', this.#line)
        else at++
      } else if (code === 0) {
        this.#fail('the line contains a NUL octet', this.#line)
      } else if (isDelimiter(code)) {
        break
      }
    }
    this.#at = at
    return { text: text.slice(start, at), quoted: false }
  }

  #readQuoted(): Token {
    const text = this.#text
    const start = this.#at + 1
    let at = start
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === quote || code === newline) break
      if (code === backslash && text.charCodeAt(at + 1) !== newline) at++
    }
    this.#at = Math.min(at, text.length)
    if (text.charCodeAt(at) === quote) this.#at++
    else this.#fail('a quoted string is not closed on its line', this.#line)
    return { text: text.slice(start, at), quoted: true }
  }

  #newLine(): ZoneEntry | undefined {
    this.#at++
    const entry = this.#depth === 0 ? this.#endEntry() : undefined
    this.#line++
    this.#isLineStart = true
    return entry
  }

  #endEntry(): ZoneEntry | undefined {
    const [tokens, continuesOwner] = [this.#tokens, this.#startsBlank]
    this.#startsBlank = false
    if (tokens.length === 0) return undefined
    this.#tokens = []
    return { line: this.#entryLine, continuesOwner, tokens }
  }

  #fail(reason: string, line: number): void {
    // One error per line is enough; a file of NULs must not fill the memory.
    if (this.#failedLine !== line) this.errors.push({ line, reason })
    this.#failedLine = line
  }
}

function isDelimiter(code: number): boolean {
  return code <= space
    ? code === space || code === newline || code === tab || code === carriageReturn
    : code === semicolon || code === open || code === close || code === quote
}

/** `code` is NaN behind the last character. */
function isEnd(code: number): boolean {
  return code === newline || code === carriageReturn || Number.isNaN(code)
}
