import { must } from '../../base/assert.ts'
import type { Subjects } from './subjects.ts'
import type { AnyTable, Table } from './table.ts'
import type { TableWriter } from './table-writer.ts'
import type { UsedFormat } from './used-format.ts'

/**
 * The write gate of one family: what applies a command writes through it, and in no other way. It keeps
 * the sums of the tables and the subjects of the change, and it knows when, by whom and why.
 */
export class Change {
  /** The entry of the log that is being applied. */
  index = 0
  /** The leader's wall clock when it took the command. */
  timeMs = 0
  /** Who asked, and why; see CommandOrigin. */
  actor = ''
  cause = ''
  /**
   * Another number for each batch, and after each failure. What a family remembers of the rows counts
   * for one of them.
   */
  batch = 0
  /** The last entry that changed a subject, since this was emptied. */
  readonly touched = new Map<string, number>()
  readonly #writers: ReadonlyMap<AnyTable, TableWriter>
  readonly #subjects: Subjects
  readonly #used: Pick<UsedFormat, 'format'>

  constructor(
    writers: ReadonlyMap<AnyTable, TableWriter>,
    subjects: Subjects,
    used: Pick<UsedFormat, 'format'>,
  ) {
    this.#writers = writers
    this.#subjects = subjects
    this.#used = used
  }

  /** The newest format that the log has taken into use; 0 for none. */
  get usedFormat(): number {
    return this.#used.format
  }

  /** Adds a row, or replaces `before`: the row of the same key as it was read. */
  put<R extends object>(table: Table<R>, row: R, before: R | undefined): void {
    this.#writer(table).put(row, before)
  }

  /** Adds a row unless one of its key is there; returns whether it was added. */
  add<R extends object>(table: Table<R>, row: R): boolean {
    return this.#writer(table).add(row)
  }

  /** Removes a row as it was read. */
  remove<R extends object>(table: Table<R>, row: R): void {
    this.#writer(table).remove(row)
  }

  /** Prepares a put of rows of which these columns alone change. */
  patch<R extends object>(
    table: Table<R>,
    ...columns: readonly (keyof R & string)[]
  ): (row: R, before: R) => void {
    return this.#writer(table).patch(columns)
  }

  /** Notes that every reader and cache of the subject must look again. */
  touch(subject: string): void {
    this.touched.set(subject, this.index)
  }

  /** For a family that keeps the indexes of its subjects: it may have been gone, and is there now. */
  come(subject: string): void {
    this.#subjects.come(subject)
  }

  /** The reverse: its index is forgotten after a while. */
  gone(subject: string): void {
    this.#subjects.gone(subject)
  }

  #writer(table: AnyTable): TableWriter {
    return must(this.#writers.get(table), 'the table belongs to a family')
  }
}
