import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import type { RegisterCommand } from '../../../src/state/catalog/commands.ts'
import { families, stateMigrations, stateTables } from '../../../src/state/families.ts'
import type { CommandBody } from '../../../src/state/families.ts'
import { defineAddressKeys } from '../../../src/state/catalog/schema.ts'
import { checksTable, nodesTable } from '../../../src/state/catalog/tables.ts'
import type { CheckRow } from '../../../src/state/catalog/tables.ts'
import { kvTable } from '../../../src/state/kv/tables.ts'
import { Machine } from '../../../src/state/machine/apply.ts'
import type { AppliedFamily } from '../../../src/state/machine/apply.ts'
import type { AnyBody } from '../../../src/state/machine/command.ts'
import type { Change } from '../../../src/state/machine/change.ts'
import type { TxnOp } from '../../../src/state/txn/commands.ts'
import { initializeSums, scanSums, tablesText } from '../../../src/state/machine/sums.ts'
import { Sqlite } from '../../helpers/sqlite.ts'

type Told = readonly [row: string | undefined, before: string | undefined]

/** A family without tables of its own, which listens to others. */
function listening(open: (change: Change) => void): AppliedFamily {
  const applier = { apply: () => must<never>(undefined) }
  return {
    name: 'listening',
    tables: [],
    commands: {},
    keepsIndexes: false,
    open: (_, change) => (open(change), applier),
  }
}

function openWith(
  open: (change: Change) => void,
  onStatement: (sql: string) => void = () => {},
): {
  readonly db: InstanceType<typeof Sqlite>
  readonly apply: (...bodies: readonly AnyBody[]) => ReturnType<Machine['applyBatch']>
  readonly machine: Machine
} {
  const verbose = (sql?: unknown): void => onStatement(String(sql))
  const db = new Sqlite(':memory:', { verbose })
  defineAddressKeys(db)
  for (const migration of stateMigrations) db.exec(migration)
  initializeSums(db, stateTables)
  const machine = new Machine(db, [...families, listening(open)])
  let index = 0
  const apply = (...bodies: readonly AnyBody[]) =>
    machine.applyBatch(
      bodies.map((body) => {
        index++
        const origin = { version: 1, requestId: `r${index}`, actor: `a${index}` } as const
        return { index, term: 1, command: { ...origin, cause: 'test', timeMs: 1000 + index, body } }
      }),
    )
  return { db, apply, machine }
}

function register(status: 'passing' | 'critical'): RegisterCommand {
  return {
    kind: 'register',
    nodeName: 'n1',
    node: { name: 'n1', id: '', address: '127.0.0.1', taggedAddresses: {}, meta: {} },
    checks: [
      {
        checkId: 'c1',
        name: 'c1',
        status,
        notes: '',
        output: '',
        serviceId: '',
        type: '',
        interval: '',
        timeout: '',
        definition: {},
      },
    ],
    replaceChecks: false,
  }
}

t.test('a listener is told of puts, patches and removals, with the row before', async (t) => {
  const told: Told[] = []
  const { apply } = openWith((change) => {
    change.after(checksTable, (row, before) => told.push([row?.status, before?.status]))
  })
  apply(register('passing'))
  apply(register('passing'))
  t.strictSame(told.splice(0), [['passing', undefined]], 'an unchanged row is no write')
  apply(register('critical'))
  apply({
    kind: 'update-check',
    nodeName: 'n1',
    checkId: 'c1',
    status: 'warning',
    output: '',
  } as AnyBody)
  apply({ kind: 'deregister', nodeName: 'n1' } as AnyBody)
  t.strictSame(told, [
    ['critical', 'passing'],
    ['warning', 'critical'],
    [undefined, 'warning'],
  ])
})

t.test('a listener knows the moment of the command, and writes in its transaction', async (t) => {
  const moments: unknown[] = []
  const { db, apply, machine } = openWith((change) => {
    change.after(checksTable, (row) => {
      if (row?.status !== 'critical') return
      moments.push([change.index, change.timeMs, change.actor, change.cause])
      const { index } = change
      const entry = { flags: '0', lock_index: 0, session: '', value: Buffer.from('v') }
      const key = { key: row.check_id, create_index: index, modify_index: index }
      change.put(kvTable, { ...key, ...entry }, undefined)
      change.of('kv').touch('key:c1')
    })
  })
  apply(register('passing'))
  const { subjects } = apply(register('critical'))
  t.strictSame(moments, [[2, 1002, 'a2', 'test']])
  t.match(db.prepare('SELECT * FROM kv').all(), [{ key: 'c1', modify_index: 2 }])
  t.strictSame(
    subjects.get('kv'),
    new Set(['key:c1']),
    'the subjects are those of the other family',
  )
  t.equal(machine.sums.now.text, tablesText(scanSums(db, stateTables)))
})

t.test('what a listener wrote is gone when its batch fails', async (t) => {
  const { db, apply } = openWith((change) => {
    change.after(nodesTable, (row) => {
      const tombstone = { key: must(row).key, modify_index: change.index }
      change.put(checksTable, { ...tombstone } as unknown as CheckRow, undefined)
    })
  })
  t.throws(() => apply(register('passing')), 'the row lacks columns')
  t.strictSame(db.prepare('SELECT * FROM nodes').all(), [])
})

t.test('a failed attempt reads nothing again of the names that are gone', async (t) => {
  let reads = 0
  const { apply, db, machine } = openWith(
    () => {},
    (sql) => (reads += sql.includes('FROM gone_subjects') && sql.startsWith('SELECT') ? 1 : 0),
  )
  const put: CommandBody = { kind: 'kv-put', key: 'a', value: '', flags: '0' }
  const deregister: CommandBody = { kind: 'deregister', nodeName: 'n1' }
  const failing = (...ops: readonly TxnOp[]): CommandBody => ({
    kind: 'txn',
    ops: [...ops, { verb: 'check-index', key: 'a', index: '7' }],
  })
  const removing = failing({ verb: 'delete-node', node: 'n1' })
  const definition = { name: 'n1', id: '', address: '::1', taggedAddresses: {}, meta: {} }
  const adding = failing({ verb: 'set-node', definition })
  apply(put, register('passing'))
  apply(removing)
  const before = reads
  for (let count = 0; count < 20; count++) apply(removing, register('critical'))
  t.equal(reads, before)
  const gone = (): readonly unknown[] => db.prepare('SELECT subject FROM gone_subjects').all()
  t.strictSame(gone(), [], 'the node is still there')
  apply(deregister, adding)
  t.ok(gone().length > 0)
  // It comes back: that its name was gone has not been forgotten.
  apply(register('passing'))
  t.strictSame(gone(), [])
  t.equal(tablesText(scanSums(db, stateTables)), machine.sums.now.text)
})
