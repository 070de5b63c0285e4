import { svcdError } from '../../base/errors.ts'

const clippedLength = 48
/** A UTF-16 unit without the other half of its character: no name has one. */
export const halfCharacter = /\p{Surrogate}/u
const wordAt = /[\p{L}\p{N}_.-]+|[^]/uy

/** The text of a policy, with the lines and columns of its characters. */
export class Source {
  readonly text: string
  readonly #lineStarts = [0]

  constructor(text: string) {
    this.text = text
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
      this.#lineStarts.push(at + 1)
    }
  }

  /** The line of an offset, from 1. */
  lineOf(offset: number): number {
    let [low, high] = [0, this.#lineStarts.length]
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (this.#startOf(middle) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }

  /** Describes the text at an offset, for an error text. */
  found(offset: number): string {
    if (offset >= this.text.length) return 'the end of the rules'
    wordAt.lastIndex = offset
    return quotedWord(wordAt.exec(this.text)?.[0] ?? '')
  }

  /** Throws the error of a fault at an offset. Columns count characters, from 1. */
  fail(offset: number, reason: string): never {
    const line = this.lineOf(offset)
    let column = 1
    for (const _ of this.text.slice(this.#startOf(line - 1), offset)) column++
    throw svcdError('acl-rules-invalid', { line, column, reason })
  }

  #startOf(line: number): number {
    return this.#lineStarts[line] ?? 0
  }
}

/** A word of the rules in quotes; the end of a long one is cut off. */
export function quotedWord(word: string): string {
  const characters = Array.from(word.slice(0, 2 * clippedLength))
  if (characters.length <= clippedLength) return JSON.stringify(word)
  return JSON.stringify(`${characters.slice(0, clippedLength).join('')}…`)
}
