import type { Database } from 'better-sqlite3'
import type { Command, CommandBody, Outcome } from './command.ts'
import { must, unreachable } from '../base/assert.ts'
import { deregister } from './deregister.ts'
import { forgetGone, isForgettingDue } from './gone-subjects.ts'
import { register } from './register.ts'
import { prepareApply } from './statements.ts'
import type { ApplyStatements } from './statements.ts'
import { touchCheck } from './touch.ts'
import type { Change } from './touch.ts'

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

/**
 * Applies committed commands to the catalog. Deterministic: the same log gives the same tables on
 * every replica, so nothing here reads a clock, a random source, the environment or the options.
 */
export class CatalogMachine {
  readonly #db: Database
  readonly #sql: ApplyStatements
  #appliedIndex: number

  constructor(db: Database) {
    this.#db = db
    this.#sql = prepareApply(db)
    const row = db.prepare("SELECT value FROM meta WHERE key = 'applied_index'").get()
    this.#appliedIndex = (row as { value: number }).value
  }

  get appliedIndex(): number {
    return this.#appliedIndex
  }

  /**
   * Applies entries in one transaction, together with `applied_index` and a dedupe row for each
   * request, so that a crash can neither lose nor repeat one. The caller bumps
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
      for (const run of runsOf(entries)) this.#applyRun(run, batch)
      this.#writeTouched(batch)
      this.#finish(entries)
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
    this.#appliedIndex = entries.at(-1)?.index ?? this.#appliedIndex
    return { outcomes: batch.outcomes, subjects: batch.subjects }
  }

  #writeTouched({ subjects, touched }: Batch): void {
    const values: (string | number)[] = []
    for (const [name, last] of touched) {
      values.push(name, last)
      subjects.add(name)
    }
    this.#sql.touch.run(values)
    touched.clear()
  }

  #finish(entries: readonly CommittedCommand[]): void {
    const last = entries.at(-1)
    if (last === undefined) return
    this.#sql.setMeta.run(last.index, 'applied_index')
    this.#sql.setMeta.run(last.term, 'applied_term')
  }

  #applyRun(entries: readonly CommittedCommand[], batch: Batch): void {
    const { index, command } = must(entries[0], 'a run has an entry')
    if (command !== undefined && index % forgetEvery === 0) {
      this.#sql.forgetRequests.run(
        index - rememberEntriesMax,
        index - rememberEntries,
        command.timeMs - rememberMs,
      )
    }
    if (isForgettingDue(index)) {
      this.#writeTouched(batch)
      forgetGone(index, this.#sql)
    }
    const claimed = this.#claim(entries)
    for (const entry of entries) {
      const isFresh = claimed === undefined || claimed.has(entry.index)
      batch.outcomes.push(this.#applyOne(entry, isFresh, batch))
    }
  }

  /**
   * Notes the requests of a run as applied, each with what most commands come to. Returns the indexes
   * of those that were not applied before; undefined when that is all of them, as it nearly always is.
   */
  #claim(entries: readonly CommittedCommand[]): ReadonlySet<number> | undefined {
    const values: (string | number)[] = []
    for (const { index, command } of entries) {
      if (command === undefined) continue
      const { requestId, timeMs } = command
      values.push(index, requestId, timeMs, JSON.stringify(appliedAt(index)))
    }
    const changes = this.#sql.claimRequests.run(values)
    if (changes === values.length / 4) return undefined
    const [first, last] = [must(entries[0]), must(entries.at(-1))]
    const rows = this.#sql.claimed.all(first.index, last.index)
    return new Set(rows.map((row) => row.log_index))
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
      nodes,
      touch: (name) => {
        touched.set(name, index)
      },
    }
    const outcome = applyBody(command.body, change)
    if (!outcome.ok) this.#sql.putOutcome.run(JSON.stringify(outcome), index)
    return outcome
  }
}

function appliedAt(index: number): Outcome {
  return { ok: true, index }
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
  sql.setStatus.run(body.status, body.output, index, nodeKey, body.checkId)
  touchCheck(nodeKey, check.service_id, change)
  return { ok: true, index }
}
