import { must } from '../../base/assert.ts'
import type { Attempts } from './attempts.ts'
import type { Subjects } from './subjects.ts'
import type { AnyTable, Table } from './table.ts'
import type { RowListener, TableWriter } from './table-writer.ts'
import type { UsedFormat } from './used-format.ts'

/** The command that is being applied: one for all families. */
export interface Moment {
  /** Its entry of the log. */
  index: number
  /** The term of that entry. */
  term: number
  /** The leader's wall clock when it took the command. */
  timeMs: number
  /** Who asked, and why; see CommandOrigin. */
  actor: string
  cause: string
  /**
   * Another number for each batch, and after each failure. What a family remembers of the rows counts
   * for one of them.
   */
  batch: number
}

/** What the gates of all families have in common. */
export interface ChangeContext {
  readonly moment: Readonly<Moment>
  readonly writers: ReadonlyMap<AnyTable, TableWriter>
  readonly subjects: Subjects
  readonly used: Pick<UsedFormat, 'format'>
  /** By the name of the family. */
  readonly changes: ReadonlyMap<string, Change>
  readonly attempts: Attempts
}

/**
 * The write gate of one family: what applies a command writes through it, and in no other way. It keeps
 * the sums of the tables and the subjects of the change, and it knows when, by whom and why.
 */
export class Change {
  /** The last entry that changed a subject, since this was emptied. */
  touched = new Map<string, number>()
  readonly #context: ChangeContext

  constructor(context: ChangeContext) {
    this.#context = context
  }

  /** See {@link Moment}, as for those below. */
  get index(): number {
    return this.#context.moment.index
  }

  get term(): number {
    return this.#context.moment.term
  }

  get timeMs(): number {
    return this.#context.moment.timeMs
  }

  get actor(): string {
    return this.#context.moment.actor
  }

  get cause(): string {
    return this.#context.moment.cause
  }

  get batch(): number {
    return this.#context.moment.batch
  }

  /** The newest format that the log has taken into use; 0 for none. */
  get usedFormat(): number {
    return this.#context.used.format
  }

  /**
   * The gate of a family below this one: what writes its tables touches its subjects, whichever
   * command asked for it.
   */
  of(family: string): Change {
    return must(this.#context.changes.get(family), 'the family is listed')
  }

  /**
   * Has `listener` called after each put (`row`) and removal (`row` undefined) in a table of this family
   * or of one below, whichever family wrote it. It is called in the same transaction, and may write.
   * It must rely on the two rows alone: the command that wrote them may not have written all yet.
   */
  after<R extends object>(table: Table<R>, listener: RowListener<R>): void {
    this.#writer(table).listeners.push(listener)
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

  /**
   * Runs `work`, which tells whether it has succeeded. If not, nothing remains of what it wrote, in any
   * family. One attempt may not begin within another.
   */
  attempt(work: () => boolean): boolean {
    return this.#context.attempts.run(work)
  }

  /** Notes that every reader and cache of the subject must look again. */
  touch(subject: string): void {
    this.touched.set(subject, this.index)
  }

  /** For a family that keeps the indexes of its subjects: it may have been gone, and is there now. */
  come(subject: string): void {
    this.#context.subjects.come(subject)
  }

  /** The reverse: its index is forgotten after a while. */
  gone(subject: string): void {
    this.#context.subjects.gone(subject)
  }

  #writer(table: AnyTable): TableWriter {
    return must(this.#context.writers.get(table), 'the table belongs to a family')
  }
}
