import { must } from '../../src/base/assert.ts'
import { Machine } from '../../src/state/machine/apply.ts'
import type { BatchResult, CommittedCommand } from '../../src/state/machine/apply.ts'
import type { Outcome } from '../../src/state/machine/command.ts'
import { initializeSums, scanSums, tablesText } from '../../src/state/machine/sums.ts'
import { families, stateMigrations, stateTables, stateVersion } from '../../src/state/families.ts'
import type { CommandBody } from '../../src/state/families.ts'
import { defineAddressKeys } from '../../src/state/catalog/schema.ts'
import type { TxnOp } from '../../src/state/txn/commands.ts'
import { txnValue } from '../../src/state/txn/outcome.ts'
import type { TxnValue } from '../../src/state/txn/outcome.ts'
import { TxnReader } from '../../src/state/txn/reader.ts'
import { Sqlite } from './sqlite.ts'

/** An entry of the log; without a body, an entry without a command. */
export function entryOf(
  index: number,
  body?: CommandBody,
  requestId = `r${index}`,
): CommittedCommand {
  if (body === undefined) return { index, term: 1 }
  const origin = { version: 1, requestId, actor: 'test', cause: 'test', timeMs: index } as const
  return { index, term: 1, command: { ...origin, body } }
}

/** A state in memory with all families, to which a log is applied. */
export class TxnState {
  readonly db = new Sqlite(':memory:')
  readonly reader: TxnReader
  #machine: Machine
  index = 0

  constructor() {
    defineAddressKeys(this.db)
    for (const migration of stateMigrations) this.db.exec(migration)
    this.db.exec(`INSERT INTO used_formats VALUES (${stateVersion})`)
    initializeSums(this.db, stateTables)
    this.#machine = new Machine(this.db, families)
    this.reader = new TxnReader(this.db)
  }

  /** As after a restart of the server. */
  reopen(): void {
    this.#machine = new Machine(this.db, families)
  }

  applyAll(entries: readonly CommittedCommand[]): BatchResult {
    const result = this.#machine.applyBatch(entries)
    this.index = entries.at(-1)?.index ?? this.index
    return result
  }

  apply(body: CommandBody, requestId?: string): BatchResult & { readonly outcome: Outcome } {
    const result = this.applyAll([entryOf(this.index + 1, body, requestId)])
    return { ...result, outcome: must(result.outcomes[0]) }
  }

  /** Does a transaction; returns what its outcome tells. */
  txn(...ops: readonly TxnOp[]): TxnValue {
    const { outcome } = this.apply({ kind: 'txn', ops })
    if (!outcome.ok) throw new Error('a transaction is applied, whatever it comes to')
    return txnValue(outcome.value, ops.length)
  }

  /** All rows of these tables. */
  rows(tables = stateTables): Readonly<Record<string, readonly unknown[]>> {
    const rowsOf = (table: string) => this.db.prepare(`SELECT * FROM ${table}`).raw().all()
    return Object.fromEntries(tables.map((table) => [table, rowsOf(table)]))
  }

  /** The sums that apply keeps, and those of the rows that are there. */
  sums(): readonly [string, string] {
    return [this.#machine.sums.now.text, tablesText(scanSums(this.db, stateTables))]
  }
}

export const b64 = (text: string): string => Buffer.from(text).toString('base64')
