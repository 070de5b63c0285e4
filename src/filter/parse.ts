import { svcdError } from '../base/errors.ts'
import { Cursor } from './cursor.ts'
import type { Expression, Match, MatchOperator } from './expression.ts'

/** Maximum length of the text in bytes. Long lists of IDs joined with `or` fit. */
const bytesMax = 64 * 1024
/** Maximum nesting of parentheses: the parser, and all code that walks the tree, recurses this deep. */
const depthMax = 100

/**
 * Parses a filter expression of Consul's (go-bexpr): `==`, `!=`, `in`, `contains`, `matches`, `is
 * empty` and their negations, joined by `and`, `or`, `not` and parentheses. Throws SvcdError
 * `invalid-filter` with the position of the fault.
 */
export function parseFilter(text: string): Expression {
  const bytes = Buffer.byteLength(text)
  if (bytes > bytesMax) {
    const reason = `the expression has ${bytes} bytes; the limit is ${bytesMax}`
    throw svcdError('invalid-filter', { reason })
  }
  const cursor = new Cursor(text)
  cursor.skipSpace()
  const whole = anyOf(cursor, 0)
  cursor.skipSpace()
  if (!cursor.isAtEnd) {
    cursor.fail(
      `expected "and", "or" or the end of the expression, found ${cursor.found()}. ` +
        'Quote values that contain anything else than letters, digits and underscores',
    )
  }
  return whole
}

function anyOf(cursor: Cursor, depth: number): Expression {
  return joined(cursor, 'or', 'any', () =>
    joined(cursor, 'and', 'all', () => negated(cursor, depth)),
  )
}

function joined(
  cursor: Cursor,
  word: 'and' | 'or',
  kind: 'all' | 'any',
  operand: () => Expression,
): Expression {
  const first = operand()
  const operands = [first]
  for (;;) {
    const from = cursor.at
    if (!cursor.takeWords(word)) break
    if (!cursor.skipSpace()) {
      cursor.at = from
      break
    }
    operands.push(operand())
  }
  return operands.length === 1 ? first : { kind, operands }
}

function negated(cursor: Cursor, depth: number): Expression {
  // Counted instead of nested, so a thousand of them are as deep as one.
  let isNegated = false
  while (takeNot(cursor)) isNegated = !isNegated
  const operand = grouped(cursor, depth)
  return isNegated ? { kind: 'not', operand } : operand
}

/** Before `==` or `!=`, `not` is a selector like any other word. */
function takeNot(cursor: Cursor): boolean {
  const from = cursor.at
  const isName = !cursor.take('not') || !cursor.skipSpace() || cursor.has('==') || cursor.has('!=')
  if (isName) cursor.at = from
  return !isName
}

function grouped(cursor: Cursor, depth: number): Expression {
  const from = cursor.at
  if (!cursor.has('(')) return match(cursor)
  if (depth >= depthMax) cursor.fail(`parentheses are nested over ${depthMax} levels`)
  cursor.take('(')
  cursor.skipSpace()
  const inner = anyOf(cursor, depth + 1)
  cursor.skipSpace()
  if (!cursor.take(')')) {
    cursor.fail(
      `Unmatched parentheses: expected a ")" for the "(" in column ${from + 1}, found ${cursor.found()}`,
    )
  }
  return inner
}

function match(cursor: Cursor): Match {
  const at = cursor.at
  const path = selector(cursor)
  if (path !== undefined) {
    const operator = valueOperator(cursor)
    if (operator !== undefined) return { kind: 'match', operator, path, value: value(cursor), at }
    const bare = emptyOperator(cursor)
    if (bare !== undefined) return { kind: 'match', operator: bare, path, value: '', at }
  }
  const given = path?.join('.') ?? cursor.number() ?? cursor.string()
  if (given === undefined) {
    cursor.fail(`expected a selector, a value, "not" or "(", found ${cursor.found()}`)
  }
  const operator = inOperator(cursor)
  if (operator === undefined) failOperator(cursor, path !== undefined)
  cursor.skipSpace()
  const target = selector(cursor)
  if (target === undefined) {
    cursor.fail(`Invalid selector: expected one after "in", found ${cursor.found()}`)
  }
  return { kind: 'match', operator, path: target, value: given, at }
}

function failOperator(cursor: Cursor, isSelector: boolean): never {
  const others = '"==", "!=", "contains", "matches", "is empty", '
  cursor.fail(`expected ${isSelector ? others : ''}"in" or "not in", found ${cursor.found()}`)
}

function valueOperator(cursor: Cursor): MatchOperator | undefined {
  const from = cursor.at
  cursor.skipSpace()
  if (cursor.take('==')) return afterSpace(cursor, 'Equal')
  if (cursor.take('!=')) return afterSpace(cursor, 'NotEqual')
  cursor.at = from
  if (takeOperator(cursor, 'contains')) return 'In'
  if (takeOperator(cursor, 'not', 'contains')) return 'NotIn'
  if (takeOperator(cursor, 'matches')) return 'Matches'
  if (takeOperator(cursor, 'not', 'matches')) return 'NotMatches'
  return undefined
}

function afterSpace(cursor: Cursor, operator: MatchOperator): MatchOperator {
  cursor.skipSpace()
  return operator
}

function emptyOperator(cursor: Cursor): MatchOperator | undefined {
  if (cursor.takeWords('is', 'empty')) return 'IsEmpty'
  if (cursor.takeWords('is', 'not', 'empty')) return 'IsNotEmpty'
  return undefined
}

function inOperator(cursor: Cursor): MatchOperator | undefined {
  if (takeOperator(cursor, 'in')) return 'In'
  if (takeOperator(cursor, 'not', 'in')) return 'NotIn'
  return undefined
}

/** An operator made of words has a space before each word and one after the last. */
function takeOperator(cursor: Cursor, ...words: readonly string[]): boolean {
  const from = cursor.at
  if (cursor.takeWords(...words) && cursor.skipSpace()) return true
  cursor.at = from
  return false
}

/** `Service.Meta.version` or `Service.Meta["a b"]`; undefined if there is none here. */
function selector(cursor: Cursor): readonly string[] | undefined {
  const first = cursor.identifier()
  if (first === undefined) return undefined
  const path = [first]
  for (;;) {
    if (cursor.take('[')) path.push(index(cursor))
    else if (cursor.take('.')) {
      const next = cursor.identifier()
      if (next === undefined) cursor.fail(`expected a name after ".", found ${cursor.found()}`)
      path.push(next)
    } else return path
  }
}

function index(cursor: Cursor): string {
  cursor.skipSpace()
  const key = cursor.string()
  if (key === undefined) cursor.fail('Invalid index: write the key in quotes, ["key"]')
  cursor.skipSpace()
  if (!cursor.take(']'))
    cursor.fail(`Unclosed index expression: expected "]", found ${cursor.found()}`)
  return key
}

function value(cursor: Cursor): string {
  const given = selector(cursor)?.join('.') ?? cursor.number() ?? cursor.string()
  if (given === undefined) cursor.fail(`expected a value, found ${cursor.found()}`)
  return given
}
