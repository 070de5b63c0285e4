import { deepStrictEqual, ok } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import type { CommandBody } from '../../../src/state/families.ts'
import { stateTables } from '../../../src/state/families.ts'
import { isRead } from '../../../src/state/txn/commands.ts'
import type { TxnOp } from '../../../src/state/txn/commands.ts'
import { registerCommand, checkDefinition, serviceDefinition } from '../../helpers/catalog.ts'
import { entryOf, TxnState } from '../../helpers/txn.ts'
import { anyOp, session, setting } from './any-command.ts'

const lastIndex = 30
/** All but those in which the entries of a log leave their notes. */
const dataTables = stateTables.filter((table) => table !== 'requests')

/** A session on n1 that ends with its node or its check, so that a transaction may end it. */
const beginnings: readonly CommandBody[] = [
  registerCommand('n1', {
    service: serviceDefinition('web'),
    checks: [checkDefinition('db'), checkDefinition('web', { serviceId: 'web' })],
  }),
  {
    kind: 'session-create',
    id: session,
    node: 'n1',
    name: '',
    lockDelayNs: 1_000_000,
    behavior: 'delete',
    ttl: '',
    ttlMs: 0,
    nodeChecks: ['db'],
    serviceChecks: [],
  },
  { kind: 'kv-acquire', key: 'a/b', value: 'dg==', flags: '0', session },
]

function begun(): TxnState {
  const state = new TxnState()
  for (const body of beginnings) state.apply(body)
  return state
}

const ops = fc.array(fc.oneof(setting, setting, anyOp(fc.nat(lastIndex))), {
  minLength: 1,
  maxLength: 6,
})
const logs = fc.array(ops, { minLength: 8, maxLength: lastIndex - beginnings.length })

function isFailed(state: TxnState, list: readonly TxnOp[]) {
  const { outcome, subjects } = state.apply({ kind: 'txn', ops: list })
  ok(outcome.ok)
  const value = outcome.value as object | undefined
  return { failed: value !== undefined && 'failures' in value, subjects }
}

t.test('of a transaction that fails nothing remains: rows, sums, subjects, memory', async (t) => {
  let [failures, successes] = [0, 0]
  fc.assert(
    fc.property(logs, (log) => {
      // The twin has an entry without a command where a transaction fails.
      const [state, twin] = [begun(), begun()]
      for (const list of log) {
        const before = state.rows(dataTables)
        const { failed, subjects } = isFailed(state, list)
        if (failed) {
          failures++
          deepStrictEqual(state.rows(dataTables), before)
          deepStrictEqual(subjects, new Map())
          twin.applyAll([entryOf(state.index)])
        } else {
          successes++
          twin.apply({ kind: 'txn', ops: list })
        }
        deepStrictEqual(state.sums()[0], state.sums()[1])
      }
      deepStrictEqual(state.rows(dataTables), twin.rows(dataTables))
    }),
    { numRuns: 40 },
  )
  t.ok(failures > 100 && successes > 100, `${failures} failed, ${successes} did not`)
})

t.test('a log gives the same state and subjects, however it is batched', async () => {
  fc.assert(
    fc.property(logs, fc.array(fc.nat(5), { minLength: 1 }), (log, sizes) => {
      const [one, other] = [begun(), begun()]
      const seen = new Set<string>()
      for (const list of log) {
        const { subjects } = one.apply({ kind: 'txn', ops: list })
        for (const [family, names] of subjects) for (const name of names) seen.add(family + name)
      }
      const entries = log.map((list, at) =>
        entryOf(beginnings.length + 1 + at, { kind: 'txn', ops: list }),
      )
      const together = new Set<string>()
      for (let turn = 0; entries.length > 0; turn++) {
        const batch = entries.splice(0, 1 + (sizes[turn % sizes.length] ?? 0))
        const { subjects } = other.applyAll(batch)
        for (const [family, names] of subjects)
          for (const name of names) together.add(family + name)
      }
      deepStrictEqual(other.rows(), one.rows())
      deepStrictEqual(other.sums(), one.sums())
      deepStrictEqual(together, seen)
    }),
    { numRuns: 25 },
  )
})

/** The commands of the families below that do the same. */
function plain(op: TxnOp): CommandBody | undefined {
  if (isRead(op)) return undefined
  switch (op.verb) {
    case 'set':
      return { kind: 'kv-put', key: op.key, value: op.value, flags: op.flags ?? '0' }
    case 'delete':
      return { kind: 'kv-delete', key: op.key }
    case 'delete-tree':
      return { kind: 'kv-delete-tree', prefix: op.key }
    case 'set-node': {
      const node = op.definition
      return { kind: 'register', nodeName: node.name, node, checks: [], replaceChecks: false }
    }
    case 'set-service': {
      const { node: nodeName, definition: service } = op
      return { kind: 'register', nodeName, service, checks: [], replaceChecks: false }
    }
    case 'set-check': {
      const { node: nodeName, definition } = op
      return { kind: 'register', nodeName, checks: [definition], replaceChecks: false }
    }
    case 'delete-node':
      return { kind: 'deregister', nodeName: op.node }
    case 'delete-service':
      return { kind: 'deregister', nodeName: op.node, serviceId: op.id }
    case 'delete-check':
      return { kind: 'deregister', nodeName: op.node, checkId: op.id }
    case 'lock':
    case 'unlock':
      return undefined
  }
}

t.test('a transaction that is done does what the commands of its endpoints do', async (t) => {
  let compared = 0
  fc.assert(
    fc.property(logs, (log) => {
      const [state, twin] = [begun(), begun()]
      for (const list of log) {
        const bodies = list.flatMap((op) => plain(op) ?? [])
        if (bodies.length < list.length) continue
        if (isFailed(state, list).failed) {
          twin.applyAll([entryOf(state.index)])
          continue
        }
        twin.apply({ kind: 'batch', bodies: bodies as never })
        deepStrictEqual(state.rows(dataTables), twin.rows(dataTables))
        compared++
      }
    }),
    { numRuns: 30 },
  )
  t.ok(compared > 40, `${compared} were compared`)
})
