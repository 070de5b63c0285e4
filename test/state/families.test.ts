import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { restoreState } from '../../src/archive/restore.ts'
import { families, stateTables } from '../../src/state/families.ts'
import type { CommandBody, FamilyBody } from '../../src/state/families.ts'
import { machineTables } from '../../src/state/machine/apply.ts'
import type { AnyTable } from '../../src/state/machine/table.ts'
import { tablesOf } from '../../src/storage/state-tables.ts'
import { anyCommand, commandOf } from '../helpers/any-command.ts'
import { MemoryState } from '../helpers/memory-state.ts'

const allTables: readonly AnyTable[] = [
  ...families.flatMap((family) => family.tables),
  ...machineTables,
]

t.test('each table of a state belongs to one family or to the machine', async (t) => {
  const { db } = new MemoryState()
  const found = tablesOf(db).map(({ name }) => name)
  // `meta` holds the sums of all others.
  t.strictSame(found, [...stateTables, 'meta'].toSorted())
})

interface Column {
  readonly name: string
  readonly type: string
  readonly notnull: number
  readonly pk: number
}

t.test('a migrated table has the columns that its row type promises', async (t) => {
  const { db } = new MemoryState()
  for (const { name, columns, types, keyCount } of allTables) {
    const found = (db.pragma(`table_info(${name})`) as readonly Column[]).map(
      ({ name: column, type, pk }) => [column, type.toLowerCase(), pk],
    )
    const wanted = columns.map((column, at) => [column, types[column], at < keyCount ? at + 1 : 0])
    t.strictSame(found, wanted, name)
  }
})

const origin = { requestId: 'restore', actor: 'test', cause: 'test' }

/** Makes `present` what `archived` is, as `svcd snapshot restore` does. */
async function restore(archived: MemoryState, present: MemoryState): Promise<void> {
  const propose = async (body: Parameters<MemoryState['apply']>[0]) => present.apply(body)
  await restoreState({ archived, present, memberIds: new Set(), propose }, origin)
}

type Bodies = readonly CommandBody[]

/** Pairs of states. */
const statesPerFamily = Number(process.env['SVCD_RESTORED_STATES'] ?? 60)

/** That any state restored over any other gives its rows of these tables. `seen`: those that had any. */
function restores(
  command: fc.Arbitrary<FamilyBody>,
  tables: readonly AnyTable[],
  seen = new Set<string>(),
): fc.IAsyncProperty<[Bodies, Bodies]> {
  const bodies = fc.array(command, { maxLength: 15 })
  return fc.asyncProperty(bodies, bodies, async (before, after) => {
    const [archived, present] = [new MemoryState(), new MemoryState()]
    for (const body of before) archived.apply(body)
    for (const body of after) present.apply(body)
    await restore(archived, present)
    for (const table of tables) {
      if (table.tellsOfLog !== undefined) continue
      const rows = archived.rows(table)
      if (rows.length > 0) seen.add(table.name)
      deepStrictEqual(present.rows(table), rows, table.name)
    }
  })
}

for (const family of families) {
  t.test(`a restore brings back all rows of the family ${family.name}`, async (t) => {
    const { tables } = family
    const seen = new Set<string>()
    await fc.assert(restores(await commandOf(family.name), tables, seen), {
      numRuns: statesPerFamily,
    })
    const unseen = tables.filter(
      ({ name, tellsOfLog }) => tellsOfLog === undefined && !seen.has(name),
    )
    t.strictSame(unseen, [], 'and its commands fill each of its tables')
  })
}

t.test('a restore of all families at once brings back all rows', async () => {
  await fc.assert(restores(await anyCommand(), allTables), { numRuns: 100 })
})
