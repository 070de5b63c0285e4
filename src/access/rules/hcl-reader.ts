import { readHeredoc, readQuoted } from './hcl-text.ts'
import { depthMax } from './item.ts'
import type { Item, Value, Word } from './item.ts'
import type { Source } from './source.ts'

const identifier = /[\p{L}_][\p{L}\p{Nd}_.-]*/uy
const numeral = /-?[\d.][\w.+-]*/y
const space = new Set([' ', '\t', '\r', '\n'])

/** Reads HCL 1: blocks, assignments, lists, comments. Expressions are not part of it. */
export class HclReader {
  readonly #source: Source
  readonly #text: string
  #at = 0

  constructor(source: Source) {
    this.#source = source
    this.#text = source.text
  }

  /** The items outside of all blocks, in order; each is read when it is asked for. */
  *items(): Generator<Item> {
    for (;;) {
      this.#skip()
      if (this.#at >= this.#text.length) return
      yield this.#item(0)
      this.#takeComma()
    }
  }

  #item(depth: number): Item {
    this.#skip()
    const first = this.#key('Expected a word such as key_prefix')
    const names: Word[] = []
    for (;;) {
      this.#skip()
      const at = this.#at
      const next = this.#text[at]
      if (next === '{') return { keys: [first, ...names], value: this.#object(depth) }
      if (next === '=') {
        if (names.length > 0) {
          this.#source.fail(at, 'A block with a name has no "=". Write: key "name" { … }')
        }
        this.#at++
        return { keys: [first], value: this.#value(depth) }
      }
      names.push(this.#key('Expected a name in quotes, "{" or "="'))
    }
  }

  #key(expected: string): Word {
    const at = this.#at
    const text = this.#text[at] === '"' ? this.#quoted() : this.#match(identifier)
    if (text !== undefined && !(isBoolean(text) && this.#text[at] !== '"')) return { text, at }
    return this.#source.fail(at, `${expected}, found ${this.#source.found(at)}`)
  }

  #value(depth: number): Value {
    this.#skip()
    const at = this.#at
    const next = this.#text[at]
    if (next === '{') return this.#object(depth)
    if (next === '[') return this.#list(depth)
    if (next === '"') return { kind: 'text', text: this.#quoted(), isHeredoc: false, at }
    if (next === '<') {
      const { text, end } = readHeredoc(this.#source, at)
      this.#at = end
      return { kind: 'text', text, isHeredoc: true, at }
    }
    const text = this.#match(identifier) ?? this.#match(numeral)
    if (text !== undefined) return { kind: 'other', text, at }
    return this.#source.fail(
      at,
      `Expected a level in quotes, such as "read", found ${this.#source.found(at)}`,
    )
  }

  #object(depth: number): Value {
    const at = this.#open(depth)
    const items: Item[] = []
    for (;;) {
      this.#skip()
      if (this.#closes('}', at)) return { kind: 'object', items, at }
      items.push(this.#item(depth + 1))
      this.#takeComma()
    }
  }

  #list(depth: number): Value {
    const at = this.#open(depth)
    const values: Value[] = []
    for (;;) {
      this.#skip()
      if (this.#closes(']', at)) return { kind: 'list', values, at }
      values.push(this.#value(depth + 1))
      this.#skip()
      if (this.#text[this.#at] !== ']' && !this.#takeComma()) {
        this.#source.fail(this.#at, `Expected "," or "]", found ${this.#source.found(this.#at)}`)
      }
    }
  }

  /** Takes an opening bracket and returns its offset. */
  #open(depth: number): number {
    if (depth >= depthMax) {
      this.#source.fail(this.#at, `Rules are at most ${depthMax} levels deep`)
    }
    return this.#at++
  }

  /** Takes a closing bracket if it comes next; fails at the end of the text. */
  #closes(bracket: string, openedAt: number): boolean {
    if (this.#at >= this.#text.length) {
      this.#source.fail(openedAt, `This ${this.#source.found(openedAt)} is not closed`)
    }
    if (this.#text[this.#at] !== bracket) return false
    this.#at++
    return true
  }

  #takeComma(): boolean {
    this.#skip()
    if (this.#text[this.#at] !== ',') return false
    this.#at++
    return true
  }

  #quoted(): string {
    const { text, end } = readQuoted(this.#source, this.#at)
    this.#at = end
    return text
  }

  /** Takes what a sticky pattern matches here. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  /** Skips space and comments. */
  #skip(): void {
    for (;;) {
      while (space.has(this.#text[this.#at] ?? '')) this.#at++
      if (!this.#skipComment()) return
    }
  }

  #skipComment(): boolean {
    const [next, second] = [this.#text[this.#at], this.#text[this.#at + 1]]
    if (next !== '#' && next !== '/') return false
    if (next === '/' && second !== '/' && second !== '*') {
      this.#source.fail(this.#at, 'A comment begins with //, /* or #')
    }
    const isLine = next === '#' || second === '/'
    const end = this.#text.indexOf(isLine ? '\n' : '*/', this.#at + (isLine ? 1 : 2))
    if (end < 0 && !isLine) this.#source.fail(this.#at, 'This comment has no closing */')
    this.#at = end < 0 ? this.#text.length : end + (isLine ? 1 : 2)
    return true
  }
}

function isBoolean(word: string): boolean {
  return word === 'true' || word === 'false'
}
