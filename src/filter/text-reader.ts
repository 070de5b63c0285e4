/** A place in a text, and the words that can be read there. */
export class TextReader {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length
  }

  /** Whether `word` stands here. */
  has(word: string): boolean {
    return this.text.startsWith(word, this.at)
  }

  /** Takes `word` when it stands here. */
  take(word: string): boolean {
    if (!this.has(word)) return false
    this.at += word.length
    return true
  }

  /** The groups of a sticky `pattern`, which is taken, or undefined. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text) ?? undefined
    this.at += found?.[0].length ?? 0
    return found
  }
}
