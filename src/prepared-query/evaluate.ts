import { unreachable } from '../base/assert.ts'
import type { Expression } from './expression.ts'
import { TemplateError } from './template-error.ts'

/** What expressions refer to. */
export interface Scope {
  readonly variables: Readonly<Record<string, string>>
  /** Group N of the regular expression; '' when there is none. */
  readonly match: (number: number) => string
}

type Value = string | number

/** A text grows no longer than this, however often it names a long name. */
const lengthMax = 4096

/** The text that an expression stands for. Throws TemplateError. */
export function evaluate(expression: Expression, scope: Scope): string {
  return String(valueOf(expression, scope))
}

function valueOf(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'text':
      return expression.text
    case 'number':
      return expression.number
    case 'join':
      return joined(expression.parts, scope)
    case 'variable': {
      const { name, at } = expression
      const value = Object.hasOwn(scope.variables, name) ? scope.variables[name] : undefined
      if (value !== undefined) return value
      throw new TemplateError(`${at}: unknown variable accessed: ${name}`)
    }
    case 'call':
      return call(expression, scope)
    case 'operations': {
      let number = numberOf(valueOf(expression.first, scope))
      for (const { operator, operand } of expression.rest) {
        number = operate(operator, number, numberOf(valueOf(operand, scope)))
      }
      return number
    }
    default:
      return unreachable(expression)
  }
}

function joined(parts: readonly Expression[], scope: Scope): Value {
  let text = ''
  for (const part of parts) {
    text += valueOf(part, scope)
    if (text.length > lengthMax) {
      throw new TemplateError(`the text is longer than ${lengthMax} characters`)
    }
  }
  return text
}

function call({ name, at, args }: Extract<Expression, { kind: 'call' }>, scope: Scope): string {
  if (name !== 'match') throw new TemplateError(`${at}: unknown function called: ${name}`)
  const [number, ...others] = args
  if (number === undefined || others.length > 0) {
    throw new TemplateError(`${at}: match: expected 1 arguments, got ${args.length}`)
  }
  return scope.match(numberOf(valueOf(number, scope)))
}

function numberOf(value: Value): number {
  if (typeof value === 'number') return value
  if (/^[+-]?\d{1,15}$/.test(value)) return Number(value)
  const shown = JSON.stringify(value.slice(0, 64))
  throw new TemplateError(
    `__builtin_StringToInt: strconv.ParseInt: parsing ${shown}: invalid syntax`,
  )
}

function operate(operator: string, left: number, right: number): number {
  if (right === 0 && (operator === '/' || operator === '%')) {
    throw new TemplateError('division by zero')
  }
  const number = Math.trunc(result(operator, left, right))
  // No -0, and nothing that a number does not hold.
  if (Number.isSafeInteger(number)) return number + 0
  throw new TemplateError('a number is out of range')
}

function result(operator: string, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    default:
      return left % right
  }
}
