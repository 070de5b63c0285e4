import { unreachable } from '../base/assert.ts'
import { parsePattern } from './pattern-parse.ts'
import { PatternError, isWord } from './pattern-syntax.ts'
import type { Assertion, CharacterTest, Pattern } from './pattern-syntax.ts'

/** Matching a text of n characters takes at most n times this many steps. */
const stepsMax = 2000

type Step =
  | { readonly kind: 'character'; readonly test: CharacterTest; readonly next: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: 'fork'; next: readonly number[] }
  | { readonly kind: 'match' }

/**
 * Compiles a regular expression in RE2's syntax into a function that tells whether a text has a match.
 * Its time is linear in the text, whatever the pattern, so no pattern can stop the server: it follows
 * all ways to match side by side (Thompson 1968) and never backtracks. Throws PatternError, also for a
 * pattern of more than 2,000 steps.
 */
export function compilePattern(text: string): (subject: string) => boolean {
  const steps: Step[] = [{ kind: 'match' }]
  const start = emit(parsePattern(text), 0, steps)
  return (subject) => isMatch(steps, start, subject)
}

function add(steps: Step[], step: Step): number {
  if (steps.length >= stepsMax) throw new PatternError(`expression needs over ${stepsMax} steps`)
  return steps.push(step) - 1
}

/** Adds the steps of `pattern` that lead to `next`; returns the first of them. */
function emit(pattern: Pattern, next: number, steps: Step[]): number {
  switch (pattern.kind) {
    case 'character':
    case 'assertion':
      return add(steps, { ...pattern, next })
    case 'sequence':
      return pattern.parts.reduceRight((after, part) => emit(part, after, steps), next)
    case 'choice': {
      const starts = pattern.parts.map((part) => emit(part, next, steps))
      return add(steps, { kind: 'fork', next: starts })
    }
    case 'repeat':
      return emitRepeat(pattern, next, steps)
    default:
      return unreachable(pattern)
  }
}

function emitRepeat(
  { of, min, max }: Extract<Pattern, { kind: 'repeat' }>,
  next: number,
  steps: Step[],
): number {
  let after = next
  if (max === Infinity) {
    const loop: Step = { kind: 'fork', next: [] }
    after = add(steps, loop)
    loop.next = [emit(of, after, steps), next]
  } else {
    for (let n = min; n < max; n++) {
      after = add(steps, { kind: 'fork', next: [emit(of, after, steps), next] })
    }
  }
  for (let n = 0; n < min; n++) after = emit(of, after, steps)
  return after
}

function isMatch(steps: readonly Step[], start: number, subject: string): boolean {
  const run = new Run(steps)
  let before = -1
  for (let at = 0; ;) {
    const code = subject.codePointAt(at) ?? -1
    // A match may start anywhere.
    run.reach(start, before, code)
    if (run.isMatched) return true
    if (code === -1) return false
    run.advance(code, subject, at)
    if (run.isMatched) return true
    at += code > 0xffff ? 2 : 1
    before = code
  }
}

/** The steps that are active at one position of the text. */
class Run {
  isMatched = false
  readonly #steps: readonly Step[]
  /** The position (from 1) at which each step was last reached. A step is reached once per position. */
  readonly #seen: Int32Array
  #place = 1
  #current: number[] = []

  constructor(steps: readonly Step[]) {
    this.#steps = steps
    this.#seen = new Int32Array(steps.length)
  }

  /** Adds a step and all steps that follow it without a character, between `before` and `after` (-1 = end). */
  reach(start: number, before: number, after: number): void {
    const open = [start]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (this.#seen[at] === this.#place) continue
      this.#seen[at] = this.#place
      const step = this.#steps[at]
      if (step === undefined) continue
      if (step.kind === 'match') this.isMatched = true
      else if (step.kind === 'character') this.#current.push(at)
      else if (step.kind === 'fork') open.push(...step.next)
      else if (holds(step.assertion, before, after)) open.push(step.next)
    }
  }

  /** Consumes the character at `at`. */
  advance(code: number, subject: string, at: number): void {
    const standing = this.#current
    this.#current = []
    this.#place++
    const after = subject.codePointAt(at + (code > 0xffff ? 2 : 1)) ?? -1
    for (const index of standing) {
      const step = this.#steps[index]
      if (step?.kind === 'character' && step.test(code)) this.reach(step.next, code, after)
    }
  }
}

function holds(assertion: Assertion, before: number, after: number): boolean {
  switch (assertion) {
    case 'text-begin':
      return before === -1
    case 'text-end':
      return after === -1
    case 'line-begin':
      return before === -1 || before === 10
    case 'line-end':
      return after === -1 || after === 10
    case 'word':
      return isWord(before) !== isWord(after)
    case 'no-word':
      return isWord(before) === isWord(after)
    default:
      return unreachable(assertion)
  }
}
