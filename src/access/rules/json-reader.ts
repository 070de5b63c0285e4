import { depthMax } from './item.ts'
import type { Item, Value, Word } from './item.ts'
import { halfCharacter } from './source.ts'
import type { Source } from './source.ts'

const space = new Set([' ', '\t', '\r', '\n'])
const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const escape = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y

/** Reads JSON (RFC 8259). Unlike JSON.parse it keeps keys that appear twice, as they are two rules. */
export class JsonReader {
  readonly #source: Source
  readonly #text: string
  #at = 0

  constructor(source: Source) {
    this.#source = source
    this.#text = source.text
  }

  /** The items of the outermost object, in order; each is read when it is asked for. */
  *items(): Generator<Item> {
    this.#skip()
    yield* this.#members(0)
    this.#skip()
    if (this.#at < this.#text.length) {
      this.#source.fail(this.#at, `Expected the end, found ${this.#source.found(this.#at)}`)
    }
  }

  *#members(depth: number): Generator<Item> {
    for (const _ of this.#between('{', '}', depth)) {
      const key = this.#key()
      this.#skip()
      this.#expect(':')
      yield { keys: [key], value: this.#value(depth + 1) }
    }
  }

  #key(): Word {
    const at = this.#at
    if (this.#text[at] !== '"') {
      this.#source.fail(at, `Expected a key in quotes, found ${this.#source.found(at)}`)
    }
    return { text: this.#string(), at }
  }

  #value(depth: number): Value {
    this.#skip()
    const at = this.#at
    const next = this.#text[at]
    if (next === '{') return { kind: 'object', items: [...this.#members(depth)], at }
    if (next === '[') {
      const values: Value[] = []
      for (const _ of this.#between('[', ']', depth)) values.push(this.#value(depth + 1))
      return { kind: 'list', values, at }
    }
    if (next === '"') return { kind: 'text', text: this.#string(), isHeredoc: false, at }
    literal.lastIndex = at
    const found = literal.exec(this.#text)?.[0]
    if (found === undefined) {
      this.#source.fail(at, `Expected a value, found ${this.#source.found(at)}`)
    }
    this.#at += found.length
    return { kind: 'other', text: found, at }
  }

  /** Yields at the start of each value between two brackets. */
  *#between(open: string, close: string, depth: number): Generator<void> {
    if (depth >= depthMax) {
      this.#source.fail(this.#at, `Rules are at most ${depthMax} levels deep`)
    }
    this.#expect(open)
    this.#skip()
    if (this.#text[this.#at] === close) return void this.#at++
    for (;;) {
      this.#skip()
      yield
      this.#skip()
      if (this.#text[this.#at] === close) return void this.#at++
      this.#expect(',', close)
    }
  }

  #expect(character: string, orElse?: string): void {
    if (this.#text[this.#at] !== character) {
      const expected = orElse === undefined ? `"${character}"` : `"${character}" or "${orElse}"`
      this.#source.fail(this.#at, `Expected ${expected}, found ${this.#source.found(this.#at)}`)
    }
    this.#at++
  }

  #string(): string {
    const from = this.#at
    let at = from + 1
    for (; this.#text[at] !== '"'; at++) {
      const code = this.#text.charCodeAt(at)
      if (Number.isNaN(code)) this.#source.fail(from, 'This text has no closing quote')
      if (code < 0x20) this.#source.fail(at, 'This character must be written as an escape')
      if (this.#text[at] === '\\') {
        escape.lastIndex = at
        if (!escape.test(this.#text)) this.#source.fail(at, 'This escape is not one of JSON')
        at = escape.lastIndex - 1
      }
    }
    this.#at = at + 1
    const text = JSON.parse(this.#text.slice(from, this.#at)) as string
    if (halfCharacter.test(text)) this.#source.fail(from, 'This text is not valid Unicode')
    return text
  }

  #skip(): void {
    while (space.has(this.#text[this.#at] ?? '')) this.#at++
  }
}
