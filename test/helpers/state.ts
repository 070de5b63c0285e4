import { renameSync } from 'node:fs'
import { must } from '../../src/base/assert.ts'
import { Sqlite } from './sqlite.ts'
import type { CommittedCommand } from '../../src/state/machine/apply.ts'
import type { CommandBody } from '../../src/state/families.ts'
import { defineAddressKeys, summedVersion } from '../../src/state/catalog/schema.ts'
import { stateMigrations } from '../../src/state/families.ts'
import { loadSums, noteSums, scanTable } from '../../src/state/machine/sums.ts'
import { tablesOf } from '../../src/storage/state-tables.ts'
import { StateWriter } from '../../src/storage/state.ts'
import { checkDefinition, registerCommand, serviceDefinition } from './catalog.ts'

// States on disk, filled as a log would fill them.

export function committed(index: number, body: CommandBody, term = 1): CommittedCommand {
  const command = {
    version: 1,
    requestId: `r${index}`,
    actor: 'test',
    cause: 'test',
    timeMs: index * 1000,
    body,
  } as const
  return { index, term, command }
}

/** Entry `index` registers service `web-<index>` of a node of ten, with a check. */
export function registration(index: number): CommittedCommand {
  const id = `web-${index}`
  const body = registerCommand(`n${index % 10}`, {
    service: serviceDefinition('web', { id, port: index % 65_536, tags: ['v1', `t${index % 7}`] }),
    checks: [checkDefinition(`service:${id}`, { serviceId: id })],
  })
  return committed(index, body)
}

/** Applies the registrations up to `to`. */
export function fill(writer: StateWriter, to: number): void {
  const batch = 1000
  for (let from = writer.appliedIndex + 1; from <= to; from += batch) {
    const count = Math.min(batch, to - from + 1)
    writer.applyBatch(Array.from({ length: count }, (_, at) => registration(from + at)))
  }
}

/** A clean copy of a database, as a snapshot is. */
export function copyClean(from: string, to: string): string {
  const db = new Sqlite(from, { readonly: true })
  db.prepare('VACUUM INTO ?').run(to)
  db.close()
  return to
}

export function tamper(path: string, sql: string): void {
  const db = new Sqlite(path)
  db.exec(sql)
  db.close()
}

/**
 * Makes a state one of an older release: the rows and sums stay, in the tables and columns of that format.
 * What a column held that is no more, nobody reads: it gets a zero or an empty text.
 */
export function toFormat(path: string, format: number): void {
  const older = `${path}.older`
  const db = new Sqlite(older)
  defineAddressKeys(db)
  for (const migration of stateMigrations.slice(0, format)) db.exec(migration)
  db.pragma('foreign_keys = OFF')
  db.prepare('ATTACH DATABASE ? AS newer').run(path)
  const { sums } = loadSums(db, undefined, 'newer')
  const newer = new Map(tablesOf(db, 'newer').map(({ name, columns }) => [name, columns]))
  const tables = tablesOf(db)
  for (const { name, columns } of tables) {
    const of = new Set(newer.get(name))
    const values = columns.map((column) => (of.has(column) ? column : '0'))
    db.exec(
      `DELETE FROM ${name}; INSERT INTO ${name} SELECT ${values.join(', ')} FROM newer.${name}`,
    )
  }
  if (format < summedVersion) db.exec("DELETE FROM meta WHERE key = 'sums'")
  else {
    const sumOf = ({ name, columns }: (typeof tables)[number]) =>
      columns.length === newer.get(name)?.length ? must(sums[name]) : scanTable(db, name)
    const summed = tables.filter(({ name }) => name !== 'meta')
    noteSums(db, Object.fromEntries(summed.map((table) => [table.name, sumOf(table)])))
  }
  db.exec('DETACH DATABASE newer; VACUUM')
  db.pragma(`user_version = ${format}`)
  db.close()
  renameSync(older, path)
}
