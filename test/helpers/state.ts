import { Sqlite } from './sqlite.ts'
import type { CommittedCommand } from '../../src/state/machine/apply.ts'
import type { CommandBody } from '../../src/state/families.ts'
import { loadSums, noteSums, scanTable } from '../../src/state/machine/sums.ts'
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

/** Tables that came after format 8, of which nothing is in the states of the tests. */
const laterTables = ['sessions', 'session_checks', 'lock_delays']
const dropLater = `
  DROP INDEX kv_by_session;
  ${laterTables.map((table) => `DROP TABLE ${table};`).join(' ')}
`

/** Takes back what came after the first format, so that a state is one of an older release. */
export const toFormat1 = `
  ${dropLater}
  DROP TABLE used_formats;
  ALTER TABLE checks DROP COLUMN evidence;
  DROP TABLE kv;
  DROP TABLE kv_tombstones;
  DROP INDEX checks_that_tell;
  DROP TABLE addresses;
  DROP TABLE gone_subjects;
  ALTER TABLE subjects ADD COLUMN create_index INTEGER NOT NULL DEFAULT 0;
  PRAGMA user_version = 1;
`

/** Takes back the tables that came later, the evidence of checks and the formats in use. */
export function toFormat7(path: string): void {
  const db = new Sqlite(path)
  const known = Object.entries(loadSums(db).sums)
  const later = ['used_formats', ...laterTables]
  const sums = Object.fromEntries(known.filter(([table]) => !later.includes(table)))
  db.exec(`
    ${dropLater}
    DROP TABLE used_formats;
    ALTER TABLE checks DROP COLUMN evidence;
    PRAGMA user_version = 7;
  `)
  noteSums(db, { ...sums, checks: scanTable(db, 'checks') })
  db.close()
}

/** As {@link toFormat7}, and takes back the tables of the key/value store. */
export function toFormat6(path: string): void {
  toFormat7(path)
  const db = new Sqlite(path)
  const { kv: _kv, kv_tombstones: _tombstones, ...sums } = loadSums(db).sums
  db.exec('DROP TABLE kv; DROP TABLE kv_tombstones; PRAGMA user_version = 6')
  noteSums(db, sums)
  db.close()
}
