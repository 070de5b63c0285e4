import { must } from '../../src/base/assert.ts'
import type { BatchResult, Machine } from '../../src/state/machine/apply.ts'
import { initializeSums, scanSums, tablesText } from '../../src/state/machine/sums.ts'
import { openMachine, stateMigrations, stateTables } from '../../src/state/families.ts'
import type { FamilyBody } from '../../src/state/families.ts'
import { defineAddressKeys } from '../../src/state/catalog/schema.ts'
import { KvReader } from '../../src/state/kv/reader.ts'
import { Sqlite } from './sqlite.ts'

/** A command that stores a text. */
export function kvPut(key: string, value: string, rest: { flags?: string; cas?: string } = {}) {
  const bytes = Buffer.from(value).toString('base64')
  return { kind: 'kv-put', key, value: bytes, flags: '0', ...rest } as const
}

/** A key/value store in memory, and the log that fills it. */
export class MemoryKv {
  readonly db = new Sqlite(':memory:')
  readonly machine: Machine
  readonly reader: KvReader
  /** Between two commands, so that a short log comes to where something is forgotten. */
  readonly step: number
  /** Of the entries that come. */
  term = 1
  #commands = 0

  constructor(step = 1) {
    this.step = step
    defineAddressKeys(this.db)
    for (const migration of stateMigrations) this.db.exec(migration)
    initializeSums(this.db, stateTables)
    this.machine = openMachine(this.db)
    this.reader = new KvReader(this.db)
  }

  /** Of the last command. */
  get index(): number {
    return this.#commands * this.step
  }

  /** Applies commands in one batch. */
  applyAll(...bodies: readonly FamilyBody[]): BatchResult {
    const entries = bodies.map((body) => {
      const requestId = `r${++this.#commands}`
      const origin = { version: 1, requestId, actor: 'test', cause: 'test', timeMs: 0 } as const
      return { index: this.index, term: this.term, command: { ...origin, body } }
    })
    return this.machine.applyBatch(entries)
  }

  /** Applies one command; tells whether it was done, and which subjects it touched. */
  apply(body: FamilyBody): { readonly isDone: boolean; readonly subjects: ReadonlySet<string> } {
    const { outcomes, subjects } = this.applyAll(body)
    const outcome = must(outcomes[0])
    return {
      isDone: outcome.ok && outcome.value !== false,
      subjects: subjects.get('kv') ?? new Set(),
    }
  }

  put(key: string, value = 'v', rest: { flags?: string; cas?: string } = {}): boolean {
    return this.apply(kvPut(key, value, rest)).isDone
  }

  delete(key: string, cas?: string): boolean {
    return this.apply({ kind: 'kv-delete', key, ...(cas !== undefined && { cas }) }).isDone
  }

  /** Key and value of all below a prefix. */
  list(prefix = ''): readonly (readonly [string, string])[] {
    return [...this.reader.entries(prefix)].map(({ key, value }) => [
      key,
      Buffer.from(value).toString(),
    ])
  }

  rows(table: string): readonly unknown[] {
    return this.db.prepare(`SELECT * FROM ${table} ORDER BY 1`).all()
  }

  /** The sums that apply keeps, and those of the rows that are there. */
  sums(): readonly [string, string] {
    return [this.machine.sums.now.text, tablesText(scanSums(this.db, stateTables))]
  }
}
