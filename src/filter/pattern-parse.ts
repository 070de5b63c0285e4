import { PatternReader } from './pattern-reader.ts'
import { caseless, not, PatternError, posixClasses } from './pattern-syntax.ts'
import type { Assertion, CharacterTest, Pattern, Repeat } from './pattern-syntax.ts'

/** Maximum nesting of groups: code that walks the tree recurses this deep. */
const depthMax = 100
/** RE2's limit. */
const repeatMax = 1000

interface Flags {
  readonly i: boolean
  readonly m: boolean
  readonly s: boolean
  /** Ungreedy: `*` and `*?` change places. */
  readonly U: boolean
}

type Times = Pick<Repeat, 'min' | 'max' | 'isLazy'>

const assertions: Readonly<Record<string, Assertion>> = {
  '\\A': 'text-begin',
  '\\z': 'text-end',
  '\\b': 'word',
  '\\B': 'no-word',
}

/**
 * Parses a regular expression in RE2's syntax, like Go. Throws PatternError, also for what would need
 * backtracking (backreferences, look-around).
 */
export function parsePattern(text: string): Pattern {
  const reader = new PatternReader(text)
  const pattern = new Parser(reader).choice({ i: false, m: false, s: false, U: false }, 0)
  if (!reader.isAtEnd) throw new PatternError(`unexpected ): \`${text}\``)
  return pattern
}

class Parser {
  readonly #reader: PatternReader
  #groups = 0

  constructor(reader: PatternReader) {
    this.#reader = reader
  }

  /** Up to the end or to the `)` of this group. */
  choice(given: Flags, depth: number): Pattern {
    const reader = this.#reader
    if (depth > depthMax) throw new PatternError(`expression nests over ${depthMax} groups`)
    let flags = given
    const choices: Pattern[] = []
    let parts: Pattern[] = []
    while (!reader.isAtEnd && !reader.has(')')) {
      if (reader.take('|')) {
        choices.push({ kind: 'sequence', parts })
        parts = []
        continue
      }
      const changed = this.#flagsFor(flags, ')')
      if (changed === undefined) parts.push(...this.#repeated(flags, depth))
      else flags = changed
    }
    choices.push({ kind: 'sequence', parts })
    return choices.length === 1 ? { kind: 'sequence', parts } : { kind: 'choice', parts: choices }
  }

  /** Takes `(?i)` up to `end`; undefined if that does not come next. */
  #flagsFor(flags: Flags, end: ')' | ':'): Flags | undefined {
    const shape = end === ')' ? /\(\?([imsU]*)(?:-([imsU]+))?\)/y : /\(\?([imsU]*)(?:-([imsU]+))?:/y
    const [, on = '', off = ''] = this.#reader.match(shape) ?? []
    if (this.#reader.text.charAt(this.#reader.at - 1) !== end || shape.lastIndex === 0) {
      return undefined
    }
    const flag = (name: keyof Flags): boolean =>
      (flags[name] || on.includes(name)) && !off.includes(name)
    return { i: flag('i'), m: flag('m'), s: flag('s'), U: flag('U') }
  }

  #repeated(flags: Flags, depth: number): readonly Pattern[] {
    const reader = this.#reader
    const from = reader.at
    if (reader.match(/[*+?]/y) !== undefined || this.#bounds(flags) !== undefined) {
      return reader.fail('missing argument to repetition operator', from)
    }
    if (reader.take('\\Q')) return this.#literal(flags)
    let of = this.#atom(flags, depth)
    const times = this.#times(flags)
    if (times === undefined) return [of]
    of = { kind: 'repeat', of, ...times }
    const second = reader.at
    if (this.#times(flags) !== undefined) reader.fail('invalid nested repetition operator', second)
    return [of]
  }

  /** `*`, `+`, `?`, `{2,5}`, and their lazy forms (`*?`). */
  #times(flags: Flags): Times | undefined {
    const reader = this.#reader
    const [, operator, lazy = ''] = reader.match(/([*+?])(\??)/y) ?? []
    if (operator === undefined) return this.#bounds(flags)
    const isLazy = (lazy !== '') !== flags.U
    return { min: operator === '+' ? 1 : 0, max: operator === '?' ? 1 : Infinity, isLazy }
  }

  // A brace that is not part of a count stands for itself.
  #bounds(flags: Flags): Times | undefined {
    const reader = this.#reader
    const from = reader.at
    const found = reader.match(/\{(\d{1,9})(?:(,)(\d{0,9}))?\}(\??)/y)
    if (found === undefined) return undefined
    const [, low = '', comma, high = '', lazy = ''] = found
    const min = Number(low)
    const max = comma === undefined ? min : high === '' ? Infinity : Number(high)
    if (min > repeatMax || (max !== Infinity && max > repeatMax) || min > max) {
      reader.fail('invalid repeat count', from)
    }
    return { min, max, isLazy: (lazy !== '') !== flags.U }
  }

  #literal(flags: Flags): readonly Pattern[] {
    const reader = this.#reader
    const parts: Pattern[] = []
    while (!reader.isAtEnd && !reader.take('\\E')) parts.push(character(reader.code(), flags))
    return parts
  }

  #atom(flags: Flags, depth: number): Pattern {
    const reader = this.#reader
    if (reader.take('.')) return { kind: 'character', test: flags.s ? () => true : (c) => c !== 10 }
    if (reader.take('^')) return assert(flags.m ? 'line-begin' : 'text-begin')
    if (reader.take('$')) return assert(flags.m ? 'line-end' : 'text-end')
    if (reader.has('(')) return this.#group(flags, depth)
    if (reader.has('[')) return this.#class(flags)
    const assertion = assertions[reader.match(/\\[AzbB]/y)?.[0] ?? '']
    if (assertion !== undefined) return assert(assertion)
    const test = reader.classEscape()
    if (test !== undefined) return { kind: 'character', test: flags.i ? caseless(test) : test }
    return character(reader.escape(), flags)
  }

  #group(flags: Flags, depth: number): Pattern {
    const reader = this.#reader
    const from = reader.at
    const inner = this.#flagsFor(flags, ':')
    if (inner === undefined && reader.match(/\(\?P?<\w+>/y) === undefined) {
      if (reader.has('(?')) {
        reader.at += 3
        reader.fail('invalid or unsupported Perl syntax', from)
      }
      reader.take('(')
    }
    const number = inner === undefined ? ++this.#groups : undefined
    const of = this.choice(inner ?? flags, depth + 1)
    if (!reader.take(')')) throw new PatternError(`missing closing ): \`${reader.text}\``)
    return number === undefined ? of : { kind: 'group', of, number }
  }

  /** `[a-z]`, `[^[:space:]\d]`. */
  #class(flags: Flags): Pattern {
    const reader = this.#reader
    const from = reader.at
    reader.take('[')
    const isNegated = reader.take('^')
    const tests: CharacterTest[] = []
    for (let isFirst = true; isFirst || !reader.has(']'); isFirst = false) {
      if (reader.isAtEnd)
        throw new PatternError(`missing closing ]: \`${reader.text.slice(from)}\``)
      tests.push(this.#classItem())
    }
    reader.take(']')
    const one: CharacterTest = (code) => tests.some((test) => test(code))
    const test = flags.i ? caseless(one) : one
    return { kind: 'character', test: isNegated ? not(test) : test }
  }

  #classItem(): CharacterTest {
    const reader = this.#reader
    const from = reader.at
    const posix = reader.match(/\[:(\^?)(\w+):\]/y)
    if (posix !== undefined) {
      const test = posixClasses[posix[2] ?? '']
      if (test === undefined) return reader.fail('invalid character class range', from)
      return posix[1] === '^' ? not(test) : test
    }
    const escaped = reader.classEscape()
    if (escaped !== undefined) return escaped
    const low = reader.escape()
    if (!reader.has('-') || reader.has('-]')) return (code) => code === low
    reader.take('-')
    const high = reader.isAtEnd ? -1 : reader.escape()
    if (high < low) reader.fail('invalid character class range', from)
    return (code) => code >= low && code <= high
  }
}

function assert(assertion: Assertion): Pattern {
  return { kind: 'assertion', assertion }
}

function character(wanted: number, flags: Flags): Pattern {
  const test: CharacterTest = (code) => code === wanted
  return { kind: 'character', test: flags.i ? caseless(test) : test }
}
