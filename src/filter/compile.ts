import { must, unreachable } from '../base/assert.ts'
import type { Expression, Match, MatchOperator } from './expression.ts'
import type { Field, Fields } from './fields.ts'
import { filterError } from './filter-error.ts'
import { parseFilter } from './parse.ts'
import { compilePattern } from './pattern.ts'
import { PatternError } from './pattern-syntax.ts'

/** Whether a row, as JSON has it, is in the answer. */
export type Filter = (row: unknown) => boolean

/**
 * Compiles a filter expression for rows with these fields. Throws SvcdError `invalid-filter` for
 * what does not parse, a selector that the rows do not have, an operator or a value that does not
 * fit it.
 */
export function compileFilter(text: string, fields: Fields): Filter {
  return compile(parseFilter(text), text, fields)
}

function compile(expression: Expression, text: string, fields: Fields): Filter {
  switch (expression.kind) {
    case 'match':
      return compileMatch(expression, text, fields)
    case 'not': {
      const operand = compile(expression.operand, text, fields)
      return (row) => !operand(row)
    }
    case 'all': {
      const operands = expression.operands.map((operand) => compile(operand, text, fields))
      return (row) => operands.every((operand) => operand(row))
    }
    case 'any': {
      const operands = expression.operands.map((operand) => compile(operand, text, fields))
      return (row) => operands.some((operand) => operand(row))
    }
    default:
      return unreachable(expression)
  }
}

function compileMatch(match: Match, text: string, fields: Fields): Filter {
  const fail: Fail = (fault) => {
    throw filterError(text, match.at, fault)
  }
  const field = fieldAt(match.path, { kind: 'object', fields }, fail)
  const test = positiveTest(match, field, fail)
  const isNegative = negatives.has(match.operator)
  const leaf: Filter = isNegative ? (value) => !test(value) : test
  // A key that is not there equals nothing, holds nothing, matches nothing, and is empty.
  const missing = isNegative ? match.operator !== 'IsNotEmpty' : match.operator === 'IsEmpty'
  return reach({ kind: 'object', fields }, match.path, 0, leaf, missing)
}

type Fail = (fault: string) => never

const negatives: ReadonlySet<MatchOperator> = new Set([
  'NotEqual',
  'NotIn',
  'NotMatches',
  'IsNotEmpty',
])

function fieldAt(path: readonly string[], root: Field, fail: Fail): Field {
  let field = root
  for (const [depth, key] of path.entries()) {
    const below = childOf(field, key)
    if (below === undefined) {
      const selector = JSON.stringify(path.slice(0, depth + 1).join('.'))
      return fail(`Selector ${selector} is not valid; ${validBelow(field)}`)
    }
    field = below
  }
  return field
}

function childOf(field: Field, key: string): Field | undefined {
  if (field.kind === 'map') return field.of
  if (field.kind !== 'object' && field.kind !== 'objects') return undefined
  return Object.hasOwn(field.fields, key) ? field.fields[key] : undefined
}

function validBelow(field: Field): string {
  if (field.kind !== 'object' && field.kind !== 'objects') return 'it has no fields'
  return `the fields are ${Object.keys(field.fields).toSorted().join(', ')}`
}

/** Walks from a row down to what the selector names, and applies `leaf` there. */
function reach(
  field: Field,
  path: readonly string[],
  depth: number,
  leaf: Filter,
  missing: boolean,
): Filter {
  const key = path[depth]
  if (key === undefined) return leaf
  const below = must(childOf(field, key), 'fieldAt has seen the whole path')
  const next = reach(below, path, depth + 1, leaf, missing)
  if (field.kind === 'map') {
    return (value) => {
      const found = keyOf(value, key)
      return found === undefined ? missing : next(found)
    }
  }
  // Of a list of objects one that fits is enough.
  if (field.kind === 'objects') {
    return (value) => Array.isArray(value) && value.some((item) => next(keyOf(item, key)))
  }
  // Fields that are empty may be left out of a row.
  return (value) => next(keyOf(value, key))
}

function keyOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Readonly<Record<string, unknown>>)[key]
}

/** The test of the operator without its negation. */
function positiveTest(match: Match, field: Field, fail: Fail): Filter {
  switch (match.operator) {
    case 'Equal':
    case 'NotEqual':
      if (isPrimitive(field)) return equalTest(match, field, fail)
      break
    case 'In':
    case 'NotIn':
      if (field.kind === 'string' || field.kind === 'strings' || field.kind === 'map') {
        return (value) => contains(value, match.value)
      }
      break
    case 'IsEmpty':
    case 'IsNotEmpty':
      if (field.kind !== 'integer' && field.kind !== 'boolean' && field.kind !== 'object') {
        return isEmpty
      }
      break
    case 'Matches':
    case 'NotMatches':
      if (field.kind === 'string') return matchTest(match, fail)
      break
    default:
      return unreachable(match.operator)
  }
  const selector = JSON.stringify(match.path.join('.'))
  return fail(`Invalid match operator "${match.operator}" for selector ${selector}`)
}

function isPrimitive({ kind }: Field): boolean {
  return kind === 'string' || kind === 'integer' || kind === 'boolean'
}

function equalTest({ value, path }: Match, { kind }: Field, fail: Fail): Filter {
  const wanted = kind === 'string' ? value : kind === 'integer' ? integer(value) : boolean(value)
  if (wanted === undefined) {
    const selector = JSON.stringify(path.join('.'))
    const what = kind === 'integer' ? 'a whole number' : 'true or false'
    fail(`Failed to coerce value ${JSON.stringify(value)} for selector ${selector} to ${what}`)
  }
  const zero = kind === 'string' ? '' : kind === 'integer' ? 0 : false
  return (found) => (found ?? zero) === wanted
}

function integer(value: string): number | undefined {
  return /^(?:[+-]?\d{1,19}|0x[\da-f]{1,15})$/i.test(value) ? Number(value) : undefined
}

function boolean(value: string): boolean | undefined {
  // What Go's strconv.ParseBool takes.
  if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return true
  return /^(?:0|f|F|FALSE|false|False)$/.test(value) ? false : undefined
}

/** A part of a string, one of a list, a key of a map. */
function contains(value: unknown, wanted: string): boolean {
  if (typeof value === 'string' || Array.isArray(value)) return value.includes(wanted)
  return keyOf(value, wanted) !== undefined
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'string' || Array.isArray(value)) return value.length === 0
  return typeof value !== 'object' || value === null || Object.keys(value).length === 0
}

function matchTest({ value }: Match, fail: Fail): Filter {
  try {
    const matches = compilePattern(value)
    return (found) => matches(typeof found === 'string' ? found : '')
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    const pattern = JSON.stringify(value.slice(0, 64))
    return fail(`Failed to compile regular expression ${pattern}: ${error.message}`)
  }
}
