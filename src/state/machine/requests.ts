import type { Database, Statement } from 'better-sqlite3'
import { must } from '../../base/assert.ts'
import type { Command, Outcome } from './command.ts'
import type { RowSum } from './row-sum.ts'
import { RowsInsert } from './rows-insert.ts'
import { defineTable } from './table.ts'

/** The requests that were applied, and what each came to. */
export const requestsTable = defineTable(
  'requests',
  ['log_index'],
  { log_index: 'integer', request_id: 'text', time_ms: 'integer', outcome: 'text' },
  { tellsOfLog: 'the requests that it has answered' },
)

/** A request id is remembered for at least the last 10,000 entries and 10 minutes of log time … */
const rememberEntries = 10_000
const rememberMs = 600_000
/** … but never for more than this many entries. */
const rememberEntriesMax = 100_000

/**
 * Of the outcomes with a value, those of more bytes than this are long. Together they have at most so many
 * bytes: before they have more, the oldest ones lose their value. Both are functions of the log alone.
 */
const longBytes = 1024
const longBytesMax = 32 * 1024 * 1024

/** Its index, request ID, time and outcome. */
export type RequestRow = readonly [number, string, number, string]

/** The note of a request before its result is known. It is the result of most commands. */
export function requestRow(index: number, { requestId, timeMs }: Command): RequestRow {
  // The JSON of an Outcome.
  return [index, requestId, timeMs, `{"ok":true,"index":${index}}`]
}

/** Writes the table of requests, and keeps its sum: a command whose ID is there is not applied again. */
export class Requests {
  readonly #sql: ReturnType<typeof prepare>
  readonly #sum: () => RowSum
  /** The rows with long outcomes, the oldest first, and how many bytes these have. */
  #long: LongOutcome[] = []
  #longBytes = 0

  constructor(db: Database, sum: () => RowSum) {
    this.#sql = prepare(db)
    this.#sum = sum
    this.load()
  }

  /** Reads again what it remembers of the rows. */
  load(): void {
    this.#long = this.#sql.long.all(longBytes)
    this.#longBytes = this.#long.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /**
   * Notes requests as applied. Returns the indexes of those that were not there before; undefined when
   * that is all of them, as it nearly always is.
   */
  claim(rows: readonly RequestRow[]): ReadonlySet<number> | undefined {
    const [first, last] = [rows[0], rows.at(-1)]
    if (first === undefined || last === undefined) return undefined
    const changes = this.#sql.claim.run(rows.flat())
    const claimed =
      changes === rows.length
        ? undefined
        : new Set(this.#sql.claimed.all(first[0], last[0]).map((row) => row.log_index))
    const sum = this.#sum()
    for (const row of rows) if (claimed?.has(row[0]) !== false) sum.add(row)
    return claimed
  }

  /** `before`: as it was noted. */
  putOutcome(before: RequestRow, outcome: Outcome): void {
    const [index, requestId, timeMs] = before
    const text = JSON.stringify(outcome)
    this.#sql.putOutcome.run(text, index)
    this.#sum().subtract(before)
    this.#sum().add([index, requestId, timeMs, text])
    if (outcome.ok) this.#noteLong(index, Buffer.byteLength(text))
  }

  /** Of a request that was applied before. */
  outcomeOf(requestId: string): Outcome {
    const earlier = this.#sql.request.get(requestId)
    return JSON.parse(must(earlier, 'a request that is known has its row').outcome) as Outcome
  }

  /** Undefined: it was not applied, or that is forgotten. */
  find(requestId: string): Outcome | undefined {
    const row = this.#sql.request.get(requestId)
    return row === undefined ? undefined : (JSON.parse(row.outcome) as Outcome)
  }

  #noteLong(index: number, bytes: number): void {
    if (bytes <= longBytes) return
    this.#long.push({ index, bytes })
    this.#longBytes += bytes
    while (this.#longBytes > longBytesMax) this.#shorten()
  }

  /** The oldest long outcome loses its value. */
  #shorten(): void {
    const { index, bytes } = must(this.#long.shift(), 'they have bytes')
    this.#longBytes -= bytes
    const row = must(this.#sql.row.get(index), 'a request with a long outcome has its row')
    const [, requestId, timeMs] = row
    const outcome: Outcome = { ok: true, index, isForgotten: true }
    const text = JSON.stringify(outcome)
    this.#sql.putOutcome.run(text, index)
    this.#sum().subtract(row)
    this.#sum().add([index, requestId, timeMs, text])
  }

  /** Forgets old ones, as of entry `index`, which the leader took at `timeMs`. */
  forget(index: number, timeMs: number): void {
    const limits = [
      index - rememberEntriesMax,
      index - rememberEntries,
      timeMs - rememberMs,
    ] as const
    const sum = this.#sum()
    let last = 0
    for (const row of this.#sql.forget.all(...limits)) {
      sum.subtract(row)
      last = Math.max(last, row[0])
    }
    for (;;) {
      const [oldest] = this.#long
      if (oldest === undefined || oldest.index > last) return
      this.#long.shift()
      this.#longBytes -= oldest.bytes
    }
  }
}

interface LongOutcome {
  readonly index: number
  readonly bytes: number
}

function prepare(db: Database) {
  const forget: Statement<[number, number, number], RequestRow> = db.prepare(
    // From the oldest one on, up to the first that is to be remembered: the rest is never looked at.
    `DELETE FROM requests WHERE log_index < (
       SELECT log_index FROM requests
       WHERE NOT (log_index <= ? OR (log_index <= ? AND time_ms < ?))
       ORDER BY log_index LIMIT 1) RETURNING *`,
  )
  const row: Statement<[number], RequestRow> = db.prepare(
    'SELECT * FROM requests WHERE log_index = ?',
  )
  return {
    request: db.prepare<[string], { outcome: string }>(
      'SELECT outcome FROM requests WHERE request_id = ?',
    ),
    claim: new RowsInsert(db, {
      table: 'requests',
      width: 4,
      onConflict: 'ON CONFLICT DO NOTHING',
    }),
    claimed: db.prepare<[number, number], { log_index: number }>(
      'SELECT log_index FROM requests WHERE log_index BETWEEN ? AND ?',
    ),
    putOutcome: db.prepare<[string, number]>('UPDATE requests SET outcome = ? WHERE log_index = ?'),
    forget: forget.raw(),
    row: row.raw(),
    long: db.prepare<[number], LongOutcome>(
      `SELECT log_index AS "index", length(CAST(outcome AS BLOB)) AS bytes FROM requests
       WHERE bytes > ? AND outcome LIKE '{"ok":true,%' ORDER BY log_index`,
    ),
  }
}
