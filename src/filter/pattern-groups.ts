import { parsePattern } from './pattern-parse.ts'
import { holds, programOf } from './pattern-program.ts'
import type { Program, Step } from './pattern-program.ts'

/** Positions that a way to match has noted, the last one first. Ways share what they have in common. */
interface Mark {
  readonly slot: number
  readonly at: number
  readonly before: Mark | undefined
}

/** One way to match, at a step that waits for a character. */
interface Way {
  readonly step: number
  readonly begun: number
  readonly marks: Mark | undefined
}

interface Found extends Pick<Way, 'begun' | 'marks'> {
  readonly end: number
}

/**
 * Compiles a regular expression in RE2's syntax into a function that finds its first match in a text: the whole
 * match, then its groups, as Go's FindStringSubmatch. A group without a part in the match is ''. As
 * for `compilePattern`, the time is linear in the text (Pike's machine): the ways to match are kept in the order in which a
 * backtracking matcher would try them. Throws PatternError.
 */
export function compileGroups(text: string): (subject: string) => readonly string[] | undefined {
  const program = programOf(parsePattern(text), true)
  const groups = 1 + Math.max(0, ...program.steps.map(groupOf))
  return (subject) => {
    const found = firstMatch(program, subject)
    return found === undefined ? undefined : textsOf(found, groups, subject)
  }
}

function groupOf(step: Step): number {
  return step.kind === 'mark' ? step.slot >> 1 : 0
}

function textsOf({ begun, end, marks }: Found, groups: number, subject: string): readonly string[] {
  const places = new Map<number, number>()
  for (let mark = marks; mark !== undefined; mark = mark.before) {
    if (!places.has(mark.slot)) places.set(mark.slot, mark.at)
  }
  const texts = Array.from({ length: groups }, (_, group) => {
    const from = places.get(2 * group)
    return from === undefined ? '' : subject.slice(from, places.get(2 * group + 1) ?? from)
  })
  return [subject.slice(begun, end), ...texts.slice(1)]
}

function firstMatch({ steps, start }: Program, subject: string): Found | undefined {
  const run = new Ways(steps)
  let before = -1
  for (let at = 0; ;) {
    const code = subject.codePointAt(at) ?? -1
    run.move(at, before, code)
    // A match may start anywhere, and an earlier start is preferred.
    if (run.found === undefined) run.reach({ step: start, begun: at, marks: undefined })
    if (code === -1 || (run.found !== undefined && run.isEmpty)) return run.found
    at += code > 0xffff ? 2 : 1
    before = code
  }
}

/** The ways to match that are open at one position of the text, the preferred ones first. */
class Ways {
  /** The most preferred match so far: the ways that are still open are preferred to it. */
  found: Found | undefined
  readonly #steps: readonly Step[]
  readonly #seen: Int32Array
  #place = 0
  #at = 0
  #before = -1
  #after = -1
  #open: Way[] = []

  constructor(steps: readonly Step[]) {
    this.#steps = steps
    this.#seen = new Int32Array(steps.length)
  }

  get isEmpty(): boolean {
    return this.#open.length === 0
  }

  /** Consumes the character `before`, and stands at `at`, in front of `after` (-1 = there is none). */
  move(at: number, before: number, after: number): void {
    const standing = this.#open
    this.#open = []
    this.#place++
    this.#at = at
    this.#before = before
    this.#after = after
    for (const { step: index, begun, marks } of standing) {
      const step = this.#steps[index]
      if (step?.kind !== 'character' || !step.test(before)) continue
      // The others are less preferred than a match of this one.
      if (this.reach({ step: step.next, begun, marks })) return
    }
  }

  /** Follows a way to all steps that wait for a character, in their order. True: it has matched. */
  reach(way: Way): boolean {
    const open = [way]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { step: index, begun, marks } = next
      if (this.#seen[index] === this.#place) continue
      this.#seen[index] = this.#place
      const step = this.#steps[index]
      if (step === undefined) continue
      if (step.kind === 'match') {
        this.found = { begun, marks, end: this.#at }
        return true
      }
      if (step.kind === 'character') this.#open.push(next)
      else if (step.kind === 'fork') {
        for (const each of step.next.toReversed()) open.push({ step: each, begun, marks })
      } else if (step.kind === 'mark') {
        const mark = { slot: step.slot, at: this.#at, before: marks }
        open.push({ step: step.next, begun, marks: mark })
      } else if (holds(step.assertion, this.#before, this.#after)) {
        open.push({ step: step.next, begun, marks })
      }
    }
    return false
  }
}
