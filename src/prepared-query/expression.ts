import { TemplateError } from './template-error.ts'

/** A text with `${…}` in it, as a tree. */
export type Expression =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'variable'; readonly name: string; readonly at: string }
  | {
      readonly kind: 'call'
      readonly name: string
      readonly at: string
      readonly args: Expressions
    }
  /** From left to right. One list, because there may be very many. */
  | {
      readonly kind: 'operations'
      readonly first: Expression
      readonly rest: readonly { readonly operator: string; readonly operand: Expression }[]
    }
  /** Texts one after another. */
  | { readonly kind: 'join'; readonly parts: Expressions }

type Expressions = readonly Expression[]

/** Code that walks the tree recurses this deep. */
const depthMax = 50

/**
 * Parses the language of Consul's templates (HIL): `${name.full}`, `${match(1)}`, texts in quotation marks,
 * whole numbers with `+ - * / %` from left to right, parentheses. `$$` stands for `$`. Throws TemplateError.
 */
export function parseExpression(text: string): Expression {
  return new Parser(text).template(0)
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Up to the end, or within quotation marks up to the closing one. */
  template(depth: number, isQuoted = false): Expression {
    if (depth > depthMax)
      throw new TemplateError('parse error: the expression is nested too deeply')
    const parts: Expression[] = []
    let plain = ''
    for (;;) {
      const piece = this.#take(isQuoted ? /[^$"\\]+/y : /[^$]+/y)
      if (piece !== undefined) plain += piece
      else if (this.#take(/\$\{/y) !== undefined) {
        if (plain !== '') parts.push({ kind: 'text', text: plain })
        plain = ''
        parts.push(this.#operations(depth + 1))
        this.#expect(/\s*\}/y)
      } else if (this.#take(/\$\$/y) !== undefined) plain += '$'
      else if (isQuoted && this.#take(/"/y) !== undefined) break
      else if (this.#at >= this.#text.length) {
        if (isQuoted) this.#fail()
        break
      } else plain += this.#escape()
    }
    if (plain !== '') parts.push({ kind: 'text', text: plain })
    return { kind: 'join', parts }
  }

  /** `\n`, `\"` and `\\` within quotation marks; any other character stands for itself. */
  #escape(): string {
    const escaped = this.#take(/\\[n"\\]/y)
    if (escaped !== undefined) return escaped === '\\n' ? '\n' : escaped.slice(1)
    return this.#text.charAt(this.#at++)
  }

  /** All operators bind alike, from left to right. */
  #operations(depth: number): Expression {
    const first = this.#operand(depth)
    const rest: { operator: string; operand: Expression }[] = []
    for (;;) {
      const operator = this.#take(/\s*[-+*/%]/y)?.trim()
      if (operator === undefined) break
      rest.push({ operator, operand: this.#operand(depth) })
    }
    return rest.length === 0 ? first : { kind: 'operations', first, rest }
  }

  #operand(depth: number): Expression {
    if (depth > depthMax)
      throw new TemplateError('parse error: the expression is nested too deeply')
    this.#take(/\s+/y)
    if (this.#take(/"/y) !== undefined) return this.template(depth + 1, true)
    const digits = this.#take(/\d+(?![\p{L}\p{N}._])/uy)
    if (digits !== undefined) return { kind: 'number', number: whole(digits) }
    if (this.#take(/-/y) !== undefined) {
      const first = { kind: 'number', number: 0 } as const
      const operand = this.#operand(depth + 1)
      return { kind: 'operations', first, rest: [{ operator: '-', operand }] }
    }
    if (this.#take(/\(/y) !== undefined) {
      const inner = this.#operations(depth + 1)
      this.#expect(/\s*\)/y)
      return inner
    }
    return this.#named(depth)
  }

  #named(depth: number): Expression {
    const at = this.#place()
    const name = this.#take(/[\p{L}._*][\p{L}\p{N}._*-]*/uy) ?? this.#fail()
    if (this.#take(/\(/y) === undefined) return { kind: 'variable', name, at }
    const args: Expression[] = []
    if (this.#take(/\s*\)/y) !== undefined) return { kind: 'call', name, at, args }
    do args.push(this.#operations(depth + 1))
    while (this.#take(/\s*,/y) !== undefined)
    this.#expect(/\s*\)/y)
    return { kind: 'call', name, at, args }
  }

  /** Line and column, from 1. */
  #place(): string {
    const lines = this.#text.slice(0, this.#at).split('\n')
    return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #expect(pattern: RegExp): void {
    if (this.#take(pattern) === undefined) this.#fail()
  }

  #fail(): never {
    throw new TemplateError('parse error: syntax error')
  }
}

function whole(digits: string): number {
  const number = Number(digits)
  if (Number.isSafeInteger(number)) return number
  throw new TemplateError('parse error: syntax error')
}
