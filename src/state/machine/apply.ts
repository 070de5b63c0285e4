import type { Database, Statement } from 'better-sqlite3'
import { must } from '../../base/assert.ts'
import { Attempts } from './attempts.ts'
import { Change } from './change.ts'
import type { Moment } from './change.ts'
import { isPlain } from './command.ts'
import type { AnyBody, BatchCommand, Command, Outcome } from './command.ts'
import type { Applier, Family } from './family.ts'
import { Requests, requestRow, requestsTable } from './requests.ts'
import { goneSubjectsTable, isForgettingDue, Subjects, subjectsTable } from './subjects.ts'
import { encodeSums, loadSums, tablesText } from './sums.ts'
import type { AppliedPlace, StateSums } from './sums.ts'
import type { AnyTable } from './table.ts'
import { TableWriter } from './table-writer.ts'
import { UsedFormat, usedFormatsTable } from './used-format.ts'
import type { UseFormatCommand } from './used-format.ts'

/** One committed log entry, as apply takes it. An entry without a command (a no-op) has none. */
export interface CommittedCommand {
  readonly index: number
  readonly term: number
  readonly command?: Command | undefined
}

export interface BatchResult {
  /** By position in the batch; undefined for an entry without a command. */
  readonly outcomes: readonly (Outcome | undefined)[]
  /** By family: what its readers may have cached that no longer holds. Families without a change are left out. */
  readonly subjects: ReadonlyMap<string, ReadonlySet<string>>
}

/** A family, as apply sees it. */
export type AppliedFamily = Pick<
  Family<never, unknown>,
  'name' | 'tables' | 'commands' | 'keepsIndexes' | 'open'
>

/** A family on the connection of this machine. */
interface Opened {
  readonly family: AppliedFamily
  readonly change: Change
  readonly applier: Applier<AnyBody>
}

/** What applying a batch gathers. */
interface Batch {
  readonly subjects: Map<string, Set<string>>
  readonly outcomes: (Outcome | undefined)[]
}

/**
 * Requests are forgotten at fixed entries of the log: replicas batch the same log differently, and one
 * that forgot at the end of each batch would know a retry that another takes for new.
 */
const forgetEvery = 256

/** The sums of all tables at one entry: equal on all replicas, however they batched the log. */
export interface PlacedSums {
  readonly index: number
  readonly text: string
}

const recordedMax = 16

/** The tables that belong to no family. */
export const machineTables: readonly AnyTable[] = [
  subjectsTable,
  goneSubjectsTable,
  requestsTable,
  usedFormatsTable,
]

/**
 * Applies committed commands to the tables of the families. Deterministic: the same log gives the same
 * tables on every replica, so nothing here reads a clock, a random source, the environment or the options.
 */
export class Machine {
  readonly #db: Database
  readonly #setMeta: Statement<[number | string, string]>
  readonly #writers: ReadonlyMap<AnyTable, TableWriter>
  readonly #requests: Requests
  readonly #subjects: Subjects
  readonly #used: UsedFormat
  readonly #families: readonly Opened[]
  readonly #byKind: ReadonlyMap<string, Opened>
  readonly #moment: Moment = { index: 0, term: 0, timeMs: 0, actor: '', cause: '', batch: 0 }
  #place: AppliedPlace
  #sums: StateSums
  /** At fixed entries, the oldest first, for comparing replicas. */
  #recorded: PlacedSums[] = []

  /** Throws SumsError when the sums in the database are not of its applied index. */
  constructor(db: Database, families: readonly AppliedFamily[]) {
    this.#db = db
    this.#setMeta = db.prepare('UPDATE meta SET value = ? WHERE key = ?')
    const tables = [...families.flatMap((family) => family.tables), ...machineTables]
    const { place, sums } = loadSums(
      db,
      tables.map(({ name }) => name),
    )
    this.#place = place
    this.#sums = sums
    const sumOf = (table: AnyTable) => must(this.#sums[table.name], 'each table has a sum')
    this.#writers = new Map(
      tables.map((table) => [table, new TableWriter(db, table, sumOf(table))]),
    )
    this.#requests = new Requests(db, () => sumOf(requestsTable))
    this.#subjects = new Subjects(db, () => ({
      subjects: sumOf(subjectsTable),
      gone: sumOf(goneSubjectsTable),
    }))
    this.#used = new UsedFormat(db, must(this.#writers.get(usedFormatsTable)))
    this.#families = this.#open(families)
    this.#byKind = new Map(
      this.#families.flatMap((opened) =>
        Object.keys(opened.family.commands).map((kind) => [kind, opened] as const),
      ),
    )
  }

  #open(families: readonly AppliedFamily[]): readonly Opened[] {
    const changes = new Map<string, Change>()
    const attempts = new Attempts({
      db: this.#db,
      moment: this.#moment,
      writers: [...this.#writers.values()],
      changes,
      subjects: this.#subjects,
    })
    const context = {
      moment: this.#moment,
      writers: this.#writers,
      subjects: this.#subjects,
      used: this.#used,
      changes,
      attempts,
    }
    for (const { name } of families) changes.set(name, new Change(context))
    return families.map((family) => {
      const change = must(changes.get(family.name), 'each family has one')
      // Decoding has found the kind in the row of the family.
      const applier = family.open(this.#db, change) as unknown as Applier<AnyBody>
      return { family, change, applier }
    })
  }

  get appliedIndex(): number {
    return this.#place.index
  }

  /** What an applied request came to; undefined: that is forgotten. */
  outcomeOf(requestId: string): Outcome | undefined {
    return this.#requests.find(requestId)
  }

  /** The newest format that the log has taken into use; 0 for none. */
  get usedFormat(): number {
    return this.#used.format
  }

  /** What the rows should add up to, now and at the last fixed entries (those before a multiple of 256). */
  get sums(): { readonly now: PlacedSums; readonly recorded: readonly PlacedSums[] } {
    return {
      now: { index: this.#place.index, text: tablesText(this.#sums) },
      recorded: this.#recorded,
    }
  }

  /**
   * Applies entries in one transaction, together with `applied_index`, the sums of the tables and a
   * dedupe row for each request, so that a crash can neither lose nor repeat one. The caller bumps
   * the versions after this returned, never before.
   */
  applyBatch(entries: readonly CommittedCommand[]): BatchResult {
    const batch: Batch = { subjects: new Map(), outcomes: [] }
    this.#moment.batch++
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      for (const run of runsOf(entries)) {
        const { index } = must(run[0], 'a run has an entry')
        if (index % forgetEvery === 0) this.#record(index - 1, batch)
        this.#applyRun(run, batch)
      }
      this.#writeTouched(batch)
      this.#finish(entries)
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
      this.#reload()
      throw error
    }
    return batch
  }

  #reload(): void {
    const { place, sums } = loadSums(this.#db, Object.keys(this.#sums))
    this.#place = place
    this.#sums = sums
    for (const [{ name }, writer] of this.#writers) writer.sum = must(sums[name])
    this.#subjects.clear()
    this.#requests.load()
    this.#used.load()
    this.#moment.batch++
    for (const { change } of this.#families) change.touched = new Map()
  }

  /** All of the entries up to `index` must be in the sums, those of this batch as well. */
  #record(index: number, batch: Batch): void {
    this.#writeTouched(batch)
    if (this.#recorded.length === recordedMax) this.#recorded.shift()
    this.#recorded.push({ index, text: tablesText(this.#sums) })
  }

  #writeTouched({ subjects }: Batch): void {
    for (const { family, change } of this.#families) {
      const { touched } = change
      if (touched.size === 0) continue
      if (family.keepsIndexes) this.#subjects.touch(touched)
      const names = subjects.get(family.name)
      if (names === undefined) subjects.set(family.name, new Set(touched.keys()))
      else for (const name of touched.keys()) names.add(name)
      touched.clear()
    }
  }

  #finish(entries: readonly CommittedCommand[]): void {
    const last = entries.at(-1)
    if (last === undefined) return
    const { index, term } = last
    this.#setMeta.run(index, 'applied_index')
    this.#setMeta.run(term, 'applied_term')
    this.#setMeta.run(encodeSums(this.#sums, { index, term }), 'sums')
    this.#place = { index, term }
  }

  #applyRun(entries: readonly CommittedCommand[], batch: Batch): void {
    const { index, command } = must(entries[0], 'a run has an entry')
    if (index % forgetEvery === 0) {
      if (command !== undefined) this.#requests.forget(index, command.timeMs)
      for (const { applier } of this.#families) applier.forget?.(index)
    }
    if (isForgettingDue(index)) {
      this.#writeTouched(batch)
      this.#subjects.forget(index)
    }
    const claimed = this.#claim(entries)
    for (const entry of entries) {
      const isFresh = claimed === undefined || claimed.has(entry.index)
      batch.outcomes.push(this.#applyOne(entry, isFresh))
    }
  }

  /** Notes the requests of a run as applied, each with what most commands come to. */
  #claim(entries: readonly CommittedCommand[]): ReadonlySet<number> | undefined {
    const rows = entries.flatMap(({ index, command }) =>
      command === undefined ? [] : [requestRow(index, command)],
    )
    return this.#requests.claim(rows)
  }

  #applyOne(entry: CommittedCommand, isFresh: boolean): Outcome | undefined {
    const { index, term, command } = entry
    if (command === undefined) return undefined
    if (!isFresh) return this.#requests.outcomeOf(command.requestId)
    this.#moment.term = term
    const outcome = this.#apply(command.body, index, command)
    if (!isPlain(outcome)) {
      this.#requests.putOutcome(requestRow(index, command), outcome)
    }
    return outcome
  }

  #apply(body: AnyBody, index: number, command: Command): Outcome {
    if (body.kind === 'batch') return this.#applyAll(body as BatchCommand, index, command)
    if (body.kind === 'use-format') {
      this.#used.use(body as UseFormatCommand)
      return { ok: true, index }
    }
    const { applier } = must(this.#byKind.get(body.kind), 'its kind was decoded')
    const moment = this.#moment
    moment.index = index
    moment.timeMs = command.timeMs
    moment.actor = command.actor
    moment.cause = command.cause
    return applier.apply(body)
  }

  /** A command that fails changes nothing, and the others are applied. The first failure is the outcome. */
  #applyAll({ bodies }: BatchCommand, index: number, command: Command): Outcome {
    let failed: Outcome | undefined
    for (const body of bodies) {
      const outcome = this.#apply(body, index, command)
      if (!outcome.ok) failed ??= outcome
    }
    return failed ?? { ok: true, index }
  }
}

/** The entries in runs, each of which begins where something is forgotten, or with the batch. */
function* runsOf(
  entries: readonly CommittedCommand[],
): Generator<readonly CommittedCommand[], void> {
  let from = 0
  for (const [at, { index }] of entries.entries()) {
    if (at === from || index % forgetEvery !== 0) continue
    yield entries.slice(from, at)
    from = at
  }
  if (from < entries.length) yield entries.slice(from)
}
