/** A position in a text, with methods that read from there. */
export class TextReader {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length
  }

  /** Whether `word` comes next. */
  has(word: string): boolean {
    return this.text.startsWith(word, this.at)
  }

  /** Takes `word` if it comes next. */
  take(word: string): boolean {
    if (!this.has(word)) return false
    this.at += word.length
    return true
  }

  /** Takes a match of a sticky `pattern` and returns its groups; undefined if it does not match here. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text) ?? undefined
    this.at += found?.[0].length ?? 0
    return found
  }
}
