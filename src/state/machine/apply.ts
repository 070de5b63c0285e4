import type { Database } from 'better-sqlite3'
import type { Command, CommandBody, Outcome } from './command.ts'
import { must, unreachable } from '../../base/assert.ts'
import { deregister } from '../catalog/deregister.ts'
import { forgetGone, isForgettingDue } from '../catalog/gone-subjects.ts'
import { register } from '../catalog/register.ts'
import { encodeSums, loadSums, tablesText } from './state-sums.ts'
import type { AppliedPlace, StateSums } from './state-sums.ts'
import { prepareApply, prepareWrites } from '../catalog/statements.ts'
import type { ApplyStatements, RowWrites } from '../catalog/statements.ts'
import { SummedLists, SummedRows } from '../catalog/summed-rows.ts'
import { touchCheck } from '../catalog/touch.ts'
import type { Change } from '../catalog/touch.ts'

/** One committed log entry, as apply takes it. An entry without a command (a no-op) has none. */
export interface CommittedCommand {
  readonly index: number
  readonly term: number
  readonly command?: Command | undefined
}

export interface BatchResult {
  /** By position in the batch; undefined for an entry without a command. */
  readonly outcomes: readonly (Outcome | undefined)[]
  /** What readers may have cached that no longer holds. */
  readonly subjects: ReadonlySet<string>
}

/** What applying a batch gathers. */
interface Batch {
  /** All that were touched. */
  readonly subjects: Set<string>
  /** The last entry that changed a subject, of what is not in `subjects` of the database yet. */
  readonly touched: Map<string, number>
  readonly nodes: Set<string>
  readonly outcomes: (Outcome | undefined)[]
}

/** A request id is remembered for at least the last 10,000 entries and 10 minutes of log time … */
const rememberEntries = 10_000
const rememberMs = 600_000
/** … but never for more than this many entries. */
const rememberEntriesMax = 100_000
/**
 * … and is forgotten at fixed entries of the log: replicas batch the same log differently, and one
 * that forgot at the end of each batch would know a retry that another takes for new.
 */
const forgetEvery = 256

/** The sums of all tables at one entry: equal on all replicas, however they batched the log. */
export interface PlacedSums {
  readonly index: number
  readonly text: string
}

const recordedMax = 16

/**
 * Applies committed commands to the catalog. Deterministic: the same log gives the same tables on
 * every replica, so nothing here reads a clock, a random source, the environment or the options.
 */
export class CatalogMachine {
  readonly #db: Database
  readonly #sql: ApplyStatements
  readonly #writes: RowWrites
  #place!: AppliedPlace
  #sums!: StateSums
  #rows!: SummedRows
  #lists!: SummedLists
  /** At fixed entries, the oldest first, for comparing replicas. */
  #recorded: PlacedSums[] = []

  /** Throws SumsError when the sums in the database are not of its applied index. */
  constructor(db: Database) {
    this.#db = db
    this.#sql = prepareApply(db)
    this.#writes = prepareWrites(db)
    this.#load()
  }

  get appliedIndex(): number {
    return this.#place.index
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
    const batch: Batch = {
      subjects: new Set(),
      touched: new Map(),
      nodes: new Set(),
      outcomes: [],
    }
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
      this.#load()
      throw error
    }
    return { outcomes: batch.outcomes, subjects: batch.subjects }
  }

  #load(): void {
    const { place, sums } = loadSums(this.#db)
    this.#place = place
    this.#sums = sums
    this.#rows = new SummedRows(this.#writes, sums)
    this.#lists = new SummedLists(this.#sql, sums)
  }

  /** All of the entries up to `index` must be in the sums, those of this batch as well. */
  #record(index: number, batch: Batch): void {
    this.#writeTouched(batch)
    if (this.#recorded.length === recordedMax) this.#recorded.shift()
    this.#recorded.push({ index, text: tablesText(this.#sums) })
  }

  #writeTouched({ subjects, touched }: Batch): void {
    const values: (string | number)[] = []
    for (const [name, last] of touched) {
      values.push(name, last)
      subjects.add(name)
    }
    this.#lists.touch(values)
    touched.clear()
  }

  #finish(entries: readonly CommittedCommand[]): void {
    const last = entries.at(-1)
    if (last === undefined) return
    const { index, term } = last
    this.#sql.setMeta.run(index, 'applied_index')
    this.#sql.setMeta.run(term, 'applied_term')
    this.#sql.setMeta.run(encodeSums(this.#sums, { index, term }), 'sums')
    this.#place = { index, term }
  }

  #applyRun(entries: readonly CommittedCommand[], batch: Batch): void {
    const { index, command } = must(entries[0], 'a run has an entry')
    if (command !== undefined && index % forgetEvery === 0) {
      this.#lists.forget(
        index - rememberEntriesMax,
        index - rememberEntries,
        command.timeMs - rememberMs,
      )
    }
    if (isForgettingDue(index)) {
      this.#writeTouched(batch)
      forgetGone(index, this.#lists)
    }
    const claimed = this.#claim(entries)
    for (const entry of entries) {
      const isFresh = claimed === undefined || claimed.has(entry.index)
      batch.outcomes.push(this.#applyOne(entry, isFresh, batch))
    }
  }

  /** Notes the requests of a run as applied, each with what most commands come to. */
  #claim(entries: readonly CommittedCommand[]): ReadonlySet<number> | undefined {
    const values: (string | number)[] = []
    for (const { index, command } of entries) {
      if (command !== undefined) values.push(...requestRow(index, command))
    }
    return this.#lists.claim(values)
  }

  #applyOne(
    { index, command }: CommittedCommand,
    isFresh: boolean,
    { touched, nodes }: Batch,
  ): Outcome | undefined {
    if (command === undefined) return undefined
    if (!isFresh) {
      const earlier = this.#sql.request.get(command.requestId)
      return JSON.parse(must(earlier, 'a request that is known has its row').outcome) as Outcome
    }
    const change: Change = {
      index,
      sql: this.#sql,
      rows: this.#rows,
      lists: this.#lists,
      nodes,
      touch: (name) => {
        touched.set(name, index)
      },
    }
    const outcome = applyBody(command.body, change)
    if (!outcome.ok) this.#lists.putOutcome(requestRow(index, command), JSON.stringify(outcome))
    return outcome
  }
}

/** The note of a request before its result is known. It is the result of most commands. */
function requestRow(
  index: number,
  { requestId, timeMs }: Command,
): readonly [number, string, number, string] {
  const applied: Outcome = { ok: true, index }
  return [index, requestId, timeMs, JSON.stringify(applied)]
}

/** The entries in runs, each of which begins where requests are forgotten, or with the batch. */
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

function applyBody(body: CommandBody, change: Change): Outcome {
  switch (body.kind) {
    case 'register':
      return register(body, change)
    case 'deregister':
      return deregister(body, change)
    case 'update-check':
      return updateCheck(body.nodeName.toLowerCase(), body, change)
    default:
      return unreachable(body)
  }
}

function updateCheck(
  nodeKey: string,
  body: Extract<CommandBody, { kind: 'update-check' }>,
  change: Change,
): Outcome {
  const { sql, index } = change
  const check = sql.check.get(nodeKey, body.checkId)
  if (check === undefined) {
    return { ok: false, index, error: 'unknown-check', subject: body.checkId }
  }
  if (check.status === body.status && check.output === body.output) return { ok: true, index }
  const { status, output } = body
  change.rows.setStatus(check, { ...check, status, output, modify_index: index })
  touchCheck(nodeKey, check.service_id, change)
  return { ok: true, index }
}
