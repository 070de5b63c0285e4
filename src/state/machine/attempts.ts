import type { Database, Statement } from 'better-sqlite3'
import { assert } from '../../base/assert.ts'
import type { Change, Moment } from './change.ts'
import type { Subjects } from './subjects.ts'
import type { TableWriter } from './table-writer.ts'

export interface AttemptParts {
  readonly db: Database
  readonly moment: Moment
  /** Of all tables. */
  readonly writers: readonly TableWriter[]
  readonly changes: ReadonlyMap<string, Change>
  readonly subjects: Pick<Subjects, 'mark' | 'takeBack' | 'keep'>
}

/**
 * Work within the transaction of a batch of which nothing remains when it fails: no row, no sum and no
 * touched subject. SQLite keeps the pages as they were, on its disk if need be, so the work may be large.
 */
export class Attempts {
  readonly #parts: AttemptParts
  readonly #sql: Readonly<Record<'begin' | 'back' | 'end', Statement<[]>>>
  #isRunning = false

  constructor(parts: AttemptParts) {
    const { db } = parts
    this.#parts = parts
    this.#sql = {
      begin: db.prepare('SAVEPOINT attempt'),
      back: db.prepare('ROLLBACK TO attempt'),
      end: db.prepare('RELEASE attempt'),
    }
  }

  /** Returns what `work` returns: whether what it wrote is to stay. An exception of `work` fails the batch. */
  run(work: () => boolean): boolean {
    assert(!this.#isRunning, 'no attempt begins within another')
    const { writers, changes, subjects } = this.#parts
    const sums = writers.map(({ sum }) => sum.mark())
    const touched = [...changes.values()].map((change) => change.touched)
    for (const change of changes.values()) change.touched = new Map()
    subjects.mark()
    this.#sql.begin.run()
    this.#isRunning = true
    try {
      const isKept = work()
      if (isKept) subjects.keep()
      else this.#takeBack(sums)
      this.#sql.end.run()
      for (const [at, change] of [...changes.values()].entries()) {
        const before = touched[at] ?? new Map<string, number>()
        if (isKept) for (const [subject, index] of change.touched) before.set(subject, index)
        change.touched = before
      }
      return isKept
    } finally {
      this.#isRunning = false
    }
  }

  #takeBack(sums: readonly (readonly [number, number])[]): void {
    const { writers, moment, subjects } = this.#parts
    this.#sql.back.run()
    for (const [at, { sum }] of writers.entries()) sum.reset(sums[at] ?? [0, 0])
    subjects.takeBack()
    // All that families remember of the rows is void.
    moment.batch++
  }
}
