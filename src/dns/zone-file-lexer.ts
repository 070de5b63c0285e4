/** One entry of a master file: a directive or a record, its parentheses and comments resolved. */
export interface ZoneEntry {
  /** The line it begins on, counted from 1. */
  readonly line: number
  /** It begins with white space: the owner is that of the record before. */
  readonly continuesOwner: boolean
  readonly tokens: readonly Token[]
}

export interface Token {
  /** Escapes are left as they stand. */
  readonly text: string
  readonly quoted: boolean
}

export interface LexerError {
  readonly line: number
  readonly reason: string
}

/** Cuts a master file (RFC 1035 §5.1) into entries. */
export function lexZoneFile(text: string): { entries: ZoneEntry[]; errors: LexerError[] } {
  return new Lexer(text).run()
}

class Lexer {
  readonly #text: string
  readonly #entries: ZoneEntry[] = []
  readonly #errors: LexerError[] = []
  #at = 0
  #line = 1
  #depth = 0
  #tokens: Token[] = []
  #entryLine = 1
  #startsBlank = false
  #isLineStart = true

  constructor(text: string) {
    this.#text = text
  }

  run(): { entries: ZoneEntry[]; errors: LexerError[] } {
    while (this.#at < this.#text.length) this.#step(this.#text.charAt(this.#at))
    if (this.#depth > 0) this.#fail('a "(" is never closed', this.#entryLine)
    this.#endEntry()
    return { entries: this.#entries, errors: this.#errors }
  }

  #step(char: string): void {
    if (char === '\n') return this.#newLine()
    if (char === ' ' || char === '\t' || char === '\r') {
      if (this.#isLineStart && this.#depth === 0 && char !== '\r') this.#startsBlank = true
      this.#at++
    } else if (char === ';') {
      while (this.#at < this.#text.length && this.#text.charAt(this.#at) !== '\n') this.#at++
    } else if (char === '(' || char === ')') {
      this.#depth += char === '(' ? 1 : -1
      if (this.#depth < 0) this.#fail('a ")" without its "("', this.#line)
      this.#depth = Math.max(0, this.#depth)
      this.#at++
    } else {
      this.#push(char === '"' ? this.#readQuoted() : this.#readWord())
    }
    this.#isLineStart = false
    return undefined
  }

  #push(token: Token): void {
    if (this.#tokens.length === 0) this.#entryLine = this.#line
    this.#tokens.push(token)
  }

  #readWord(): Token {
    const start = this.#at
    while (this.#at < this.#text.length && !/[\s;()"]/.test(this.#text.charAt(this.#at))) {
      this.#at += this.#text.charAt(this.#at) === '\\' ? 2 : 1
    }
    return { text: this.#text.slice(start, this.#at), quoted: false }
  }

  #readQuoted(): Token {
    const start = ++this.#at
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text.charAt(this.#at)
      if (char === '"' || char === '\n') break
      if (char === '\\') this.#at++
    }
    const text = this.#text.slice(start, this.#at)
    if (this.#text.charAt(this.#at) === '"') this.#at++
    else this.#fail('a quoted string does not end on its line', this.#line)
    return { text, quoted: true }
  }

  #newLine(): void {
    this.#at++
    if (this.#depth === 0) this.#endEntry()
    this.#line++
    this.#isLineStart = true
  }

  #endEntry(): void {
    if (this.#tokens.length > 0) {
      this.#entries.push({
        line: this.#entryLine,
        continuesOwner: this.#startsBlank,
        tokens: this.#tokens,
      })
    }
    this.#tokens = []
    this.#startsBlank = false
  }

  #fail(reason: string, line: number): void {
    this.#errors.push({ line, reason })
  }
}
