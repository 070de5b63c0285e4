import { parsePattern } from './pattern-parse.ts'
import { PatternError } from './pattern-syntax.ts'
import { holds, programOf } from './pattern-program.ts'
import type { Step } from './pattern-program.ts'

/**
 * Compiles a regular expression in RE2's syntax into a function that tells whether a text has a match.
 * Its time is linear in the text, whatever the pattern, so no pattern can stop the server: it follows
 * all ways to match side by side (Thompson 1968) and never backtracks. Throws PatternError, also for a
 * pattern of more than 2,000 steps, and when a match takes more than is left of `work`.
 */
export function compilePattern(text: string): (subject: string, work?: Work) => boolean {
  const { steps, start } = programOf(parsePattern(text), false)
  return (subject, work = { left: Infinity }) => isMatch({ steps, start, work }, subject)
}

/** How many steps matches may still look at: 10,000 take up to a millisecond. */
export interface Work {
  left: number
}

interface Matching {
  readonly steps: readonly Step[]
  readonly start: number
  readonly work: Work
}

function isMatch({ steps, start, work }: Matching, subject: string): boolean {
  const run = new Run(steps, work)
  let before = -1
  for (let at = 0; ;) {
    const code = subject.codePointAt(at) ?? -1
    // A match may start anywhere.
    run.reach(start, before, code)
    if (run.isMatched) return true
    if (code === -1) return false
    if (work.left < 0) throw new PatternError('the expression takes too long; use a simpler one')
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
  readonly #work: Work
  /** The position (from 1) at which each step was last reached. A step is reached once per position. */
  readonly #seen: Int32Array
  #place = 1
  #current: number[] = []

  constructor(steps: readonly Step[], work: Work) {
    this.#steps = steps
    this.#work = work
    this.#seen = new Int32Array(steps.length)
  }

  /** Adds a step and all steps that follow it without a character, between `before` and `after` (-1 = end). */
  reach(start: number, before: number, after: number): void {
    const open = [start]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      this.#work.left--
      if (this.#seen[at] === this.#place) continue
      this.#seen[at] = this.#place
      const step = this.#steps[at]
      if (step === undefined) continue
      if (step.kind === 'match') this.isMatched = true
      else if (step.kind === 'character') this.#current.push(at)
      else if (step.kind === 'fork') open.push(...step.next)
      else if (step.kind === 'mark') open.push(step.next)
      else if (holds(step.assertion, before, after)) open.push(step.next)
    }
  }

  /** Consumes the character at `at`. */
  advance(code: number, subject: string, at: number): void {
    const standing = this.#current
    this.#current = []
    this.#place++
    const after = subject.codePointAt(at + (code > 0xffff ? 2 : 1)) ?? -1
    this.#work.left -= standing.length
    for (const index of standing) {
      const step = this.#steps[index]
      if (step?.kind === 'character' && step.test(code)) this.reach(step.next, code, after)
    }
  }
}
