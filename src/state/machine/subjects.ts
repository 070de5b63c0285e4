import type { Database, Statement } from 'better-sqlite3'
import type { RowSum } from './row-sum.ts'
import { RowsInsert } from './rows-insert.ts'
import { defineTable } from './table.ts'

/** The index at which each name last changed, for the families that keep it. */
export const subjectsTable = defineTable(
  'subjects',
  ['subject'],
  { subject: 'text', modify_index: 'integer' },
  { tellsOfLog: 'its entries that changed each name last' },
)

/** The names of `subjects` of which there is nothing any more. */
export const goneSubjectsTable = defineTable(
  'gone_subjects',
  ['subject'],
  { subject: 'text' },
  { tellsOfLog: 'the names that it had and has no more' },
)

/**
 * The name of a removed subject is kept for this many entries of the log and then forgotten, at entries
 * whose index is a multiple of it. So the table contains the live names, and at most the names of the
 * last two times as many entries.
 */
export const goneEntries = 4096

/** Whether names are forgotten at this entry: a function of the log alone, as replicas batch differently. */
export function isForgettingDue(index: number): boolean {
  return index % goneEntries === 0
}

/**
 * No name that was forgotten has changed after this entry, as of `appliedIndex`. It answers for all of
 * them, and for names that never existed, as Consul's last extinction index does: never less than what was
 * answered before, and less than the index of whatever comes.
 */
export function forgottenUpTo(appliedIndex: number): number {
  return Math.max(0, appliedIndex - (appliedIndex % goneEntries) - goneEntries)
}

/** Subjects whose rows are remembered. */
const subjectsMax = 1000

/** Writes both tables, and keeps their sums. */
export class Subjects {
  readonly #sql: ReturnType<typeof prepare>
  readonly #sums: () => { readonly subjects: RowSum; readonly gone: RowSum }
  /** Index of those that were touched last: most entries touch the same few. */
  readonly #known = new Map<string, number>()
  /** The names of `gone_subjects`; undefined until they are read. */
  #goneNames: Set<string> | undefined
  /** Of the names that an attempt has changed, which were gone before; undefined: none is under way. */
  #beforeAttempt: Map<string, boolean> | undefined

  constructor(db: Database, sums: () => { readonly subjects: RowSum; readonly gone: RowSum }) {
    this.#sql = prepare(db)
    this.#sums = sums
  }

  /** The last entry that changed each. */
  touch(touched: ReadonlyMap<string, number>): void {
    if (touched.size === 0) return
    const { subjects } = this.#sums()
    const values: (string | number)[] = []
    for (const row of touched) {
      const [name, index] = row
      const known = this.#known.get(name)
      const before = known === undefined ? this.#sql.subject.get(name) : ([name, known] as const)
      if (before !== undefined) subjects.subtract(before)
      subjects.add(row)
      this.#known.set(name, index)
      values.push(name, index)
    }
    this.#sql.touch.run(values)
    if (this.#known.size > subjectsMax) this.#known.clear()
  }

  /** It may have been gone. */
  come(subject: string): void {
    if (!this.#mayBeGone(subject)) return
    const { changes } = this.#sql.deleteGone.run(subject)
    if (changes === 1) this.#sums().gone.subtract([subject])
    this.#remember(subject, false)
  }

  gone(subject: string): void {
    const { changes } = this.#sql.putGone.run(subject)
    if (changes === 1) this.#sums().gone.add([subject])
    this.#remember(subject, true)
  }

  /** An attempt begins: {@link takeBack} or {@link keep} ends it. In it, no name is touched or forgotten. */
  mark(): void {
    // Names that are not read yet would be read within the attempt.
    this.#goneNames ??= new Set(this.#sql.allGone.all())
    this.#beforeAttempt = new Map()
  }

  /** SQLite has the rows as they were at {@link mark}. */
  takeBack(): void {
    for (const [subject, wasGone] of this.#beforeAttempt ?? []) {
      if (wasGone) this.#goneNames?.add(subject)
      else this.#goneNames?.delete(subject)
    }
    this.#beforeAttempt = undefined
  }

  keep(): void {
    this.#beforeAttempt = undefined
  }

  #remember(subject: string, isGone: boolean): void {
    const names = this.#goneNames
    if (names === undefined) return
    const before = this.#beforeAttempt
    if (before !== undefined && !before.has(subject)) before.set(subject, names.has(subject))
    if (isGone) names.add(subject)
    else names.delete(subject)
  }

  /** Nearly every registration asks. Other texts than ASCII may be read back from SQLite as others. */
  #mayBeGone(subject: string): boolean {
    this.#goneNames ??= new Set(this.#sql.allGone.all())
    return this.#goneNames.has(subject) || !isAscii(subject)
  }

  /** Forgets the names that are gone for long. Everything touched by earlier entries must be written. */
  forget(index: number): void {
    const forgotten = this.#sql.forgetSubjects.all(forgottenUpTo(index))
    if (forgotten.length === 0) return
    const { subjects, gone } = this.#sums()
    for (const row of forgotten) {
      subjects.subtract(row)
      this.#known.delete(row[0])
    }
    for (const row of this.#sql.forgetGone.all()) {
      gone.subtract(row)
      this.#goneNames?.delete(row[0])
    }
  }

  /** Forgets the remembered rows: a transaction was rolled back, or the state was replaced. */
  clear(): void {
    this.#known.clear()
    this.#goneNames = undefined
    this.#beforeAttempt = undefined
  }
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}

function prepare(db: Database) {
  const rows = <P extends unknown[], R>(text: string): Statement<P, R> =>
    db.prepare<P, R>(text).raw()
  return {
    subject: rows<[string], [string, number]>('SELECT * FROM subjects WHERE subject = ?'),
    touch: new RowsInsert(db, {
      table: 'subjects',
      width: 2,
      onConflict: 'ON CONFLICT (subject) DO UPDATE SET modify_index = excluded.modify_index',
    }),
    allGone: db.prepare<[], string>('SELECT subject FROM gone_subjects').pluck(),
    putGone: db.prepare<[string]>('INSERT INTO gone_subjects VALUES (?) ON CONFLICT DO NOTHING'),
    deleteGone: db.prepare<[string]>('DELETE FROM gone_subjects WHERE subject = ?'),
    // Both return what they delete.
    forgetSubjects: rows<[number], [string, number]>(
      `DELETE FROM subjects
       WHERE subject IN (SELECT subject FROM gone_subjects) AND modify_index <= ? RETURNING *`,
    ),
    forgetGone: rows<[], [string]>(
      `DELETE FROM gone_subjects WHERE subject NOT IN (SELECT subject FROM subjects) RETURNING *`,
    ),
  }
}
