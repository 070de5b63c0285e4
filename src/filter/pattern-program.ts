import { unreachable } from '../base/assert.ts'
import { PatternError, isWord } from './pattern-syntax.ts'
import type { Assertion, CharacterTest, Pattern, Repeat } from './pattern-syntax.ts'

/** Matching a text of n characters takes at most n times this many steps. */
const stepsMax = 2000

export type Step =
  | { readonly kind: 'character'; readonly test: CharacterTest; readonly next: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; readonly next: number }
  /** Notes the position: 2n where group n begins, 2n+1 where it ends. */
  | { readonly kind: 'mark'; readonly slot: number; readonly next: number }
  /** The earlier ones are preferred. */
  | { readonly kind: 'fork'; next: readonly number[] }
  | { readonly kind: 'match' }

export interface Program {
  readonly steps: readonly Step[]
  readonly start: number
}

/** The steps of a pattern; `marks`: with those that note where its groups are. Throws PatternError. */
export function programOf(pattern: Pattern, marks: boolean): Program {
  const program = new Builder(marks)
  const start = program.emit(pattern, 0)
  return { steps: program.steps, start }
}

class Builder {
  readonly steps: Step[] = [{ kind: 'match' }]
  readonly #marks: boolean

  constructor(marks: boolean) {
    this.#marks = marks
  }

  /** Adds the steps of `pattern` that lead to `next`; returns the first of them. */
  emit(pattern: Pattern, next: number): number {
    switch (pattern.kind) {
      case 'character':
      case 'assertion':
        return this.#add({ ...pattern, next })
      case 'sequence':
        return pattern.parts.reduceRight((after, part) => this.emit(part, after), next)
      case 'choice': {
        const starts = pattern.parts.map((part) => this.emit(part, next))
        return this.#add({ kind: 'fork', next: starts })
      }
      case 'group': {
        if (!this.#marks) return this.emit(pattern.of, next)
        const slot = 2 * pattern.number
        const end = this.#add({ kind: 'mark', slot: slot + 1, next })
        return this.#add({ kind: 'mark', slot, next: this.emit(pattern.of, end) })
      }
      case 'repeat':
        return this.#repeat(pattern, next)
      default:
        return unreachable(pattern)
    }
  }

  #repeat({ of, min, max, isLazy }: Repeat, next: number): number {
    const either = (once: number): readonly number[] => (isLazy ? [next, once] : [once, next])
    let after = next
    if (max === Infinity) {
      const loop: Step = { kind: 'fork', next: [] }
      after = this.#add(loop)
      loop.next = either(this.emit(of, after))
    } else {
      for (let n = min; n < max; n++) {
        after = this.#add({ kind: 'fork', next: either(this.emit(of, after)) })
      }
    }
    for (let n = 0; n < min; n++) after = this.emit(of, after)
    return after
  }

  #add(step: Step): number {
    if (this.steps.length >= stepsMax) {
      throw new PatternError(`expression needs over ${stepsMax} steps`)
    }
    return this.steps.push(step) - 1
  }
}

/** Whether an assertion holds between two characters; -1 = there is none. */
export function holds(assertion: Assertion, before: number, after: number): boolean {
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
