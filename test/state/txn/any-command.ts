import fc from 'fast-check'
import type { TxnCommand, TxnOp } from '../../../src/state/txn/commands.ts'
import { checkDefinition, nodeDefinition, serviceDefinition } from '../../helpers/catalog.ts'

const key = fc.constantFrom('a', 'a/', 'a/b', 'b', 'é', '😀')
const value = fc.constantFrom('', 'dg==', 'dw==')
const flags = fc.constantFrom(undefined, '7', '18446744073709551615')
const node = fc.constantFrom('n1', 'N1', 'n2')
const id = fc.constantFrom('web', 'db')
const nodeId = fc
  .constantFrom('', '1', '2')
  .map((n) => (n === '' ? '' : `0000000${n}-1111-2222-3333-444444444444`))

const setNode = fc
  .record({ name: node, id: nodeId, address: fc.constantFrom('10.0.0.1', '10.0.0.2') })
  .map(({ name, ...rest }) => nodeDefinition(name, rest))
const setService = fc.record({ id, port: fc.nat(2) }).map((rest) => serviceDefinition('web', rest))
const setCheck = fc
  .record({
    checkId: id,
    serviceId: fc.constantFrom('', 'web'),
    status: fc.constantFrom('passing' as const, 'critical' as const),
  })
  .map(({ checkId, ...rest }) => checkDefinition(checkId, rest))

/** Operations that are done whatever there is. */
export const setting: fc.Arbitrary<TxnOp> = fc.oneof(
  fc.record({ verb: fc.constant('set' as const), key, value, flags }),
  fc.record({ verb: fc.constantFrom('delete' as const, 'delete-tree' as const), key }),
  setNode.map((definition): TxnOp => ({ verb: 'set-node', definition })),
  node.map((name): TxnOp => ({ verb: 'delete-node', node: name })),
  fc.record({
    verb: fc.constantFrom('delete-service' as const, 'delete-check' as const),
    node,
    id,
  }),
)

export const session = '11111111-2222-3333-4444-555555555555'

/** Operations of all kinds. `index`: those that conditions name. */
export function anyOp(index: fc.Arbitrary<number>): fc.Arbitrary<TxnOp> {
  const at = index.map(String)
  const maybe = fc.option(at, { nil: undefined, freq: 2 })
  return fc.oneof(
    { weight: 3, arbitrary: setting },
    fc.record({ verb: fc.constant('set' as const), key, value, flags, index: maybe }),
    fc.record({ verb: fc.constant('delete' as const), key, index: maybe }),
    fc.record({
      verb: fc.constantFrom('lock' as const, 'unlock' as const),
      key,
      value,
      session: fc.constantFrom(session, ''),
    }),
    fc.record({
      verb: fc.constantFrom(
        'get' as const,
        'get-or-empty' as const,
        'get-tree' as const,
        'check-not-exists' as const,
      ),
      key,
    }),
    fc.record({ verb: fc.constant('check-index' as const), key, index: at }),
    fc.record({
      verb: fc.constant('check-session' as const),
      key,
      session: fc.constantFrom(session, ''),
    }),
    fc.record({
      verb: fc.constantFrom('get-node' as const, 'get-service' as const, 'get-check' as const),
      node,
      id: fc.constantFrom('', 'web'),
    }),
    fc.record({ verb: fc.constant('set-node' as const), definition: setNode, index: maybe }),
    fc.record({
      verb: fc.constant('set-service' as const),
      node,
      definition: setService,
      index: maybe,
    }),
    fc.record({
      verb: fc.constant('set-check' as const),
      node,
      definition: setCheck,
      index: maybe,
    }),
    fc.record({
      verb: fc.constantFrom('delete-service' as const, 'delete-check' as const),
      node,
      id,
      index: maybe,
    }),
    fc.record({ verb: fc.constant('delete-node' as const), node, index: maybe }),
  )
}

export const command: fc.Arbitrary<TxnCommand> = fc
  .array(anyOp(fc.nat(15)), { maxLength: 4 })
  .map((ops) => ({ kind: 'txn', ops }))
