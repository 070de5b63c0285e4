import { must } from '../../base/assert.ts'
import type { Index, Term } from '../../raft/entry.ts'

/** Entries from `first` on, to the next run, have `term`. */
interface Run {
  readonly first: Index
  readonly term: Term
}

/**
 * The term of every entry of a log, in memory. Terms only rise along a log, so a few runs say it
 * all, and no look-up has to read the disk.
 */
export class TermRuns {
  #runs: Run[] = []

  get last(): Term | undefined {
    return this.#runs.at(-1)?.term
  }

  /** Term of an entry that was appended and is neither truncated nor forgotten. */
  at(index: Index): Term {
    return must(
      this.#runs.findLast((run) => run.first <= index),
      `the term of entry ${index} is known`,
    ).term
  }

  append(index: Index, term: Term): void {
    if (term !== this.last) this.#runs.push({ first: index, term })
  }

  truncateFrom(index: Index): void {
    while ((this.#runs.at(-1)?.first ?? 0) >= index) this.#runs.pop()
  }

  /** Forgets what is of entries up to `index` only. */
  forgetTo(index: Index): void {
    const first = this.#runs.findLastIndex((run) => run.first <= index + 1)
    if (first > 0) this.#runs = this.#runs.slice(first)
  }

  clear(): void {
    this.#runs = []
  }
}
