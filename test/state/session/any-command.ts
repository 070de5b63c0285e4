import fc from 'fast-check'
import type { FamilyBody } from '../../../src/state/families.ts'
import type { SessionCommand } from '../../../src/state/session/commands.ts'
import { registerNode, sessionCreate } from '../../helpers/sessions.ts'

// Nodes, checks and keys come along: sessions and locks are of these.

const nodeName = fc.constantFrom('s1', 's2.rack')
const id = fc.constantFrom('one', 'two', 'three')
const key = fc.constantFrom('a', 'a/b', 'lock', 'é')
const status = fc.constantFrom('passing', 'warning', 'critical')
const value = fc.constantFrom('', 'dg==')

const create = fc
  .record({
    id,
    node: fc.constantFrom('s1', 'S1', 's2.rack'),
    name: fc.constantFrom('', 'ü'),
    lockDelayNs: fc.constantFrom(0, 15e9),
    behavior: fc.constantFrom('release', 'delete'),
    ttl: fc.constantFrom(0, 10_000),
    nodeChecks: fc.constantFrom([], ['c1'], null),
    serviceChecks: fc.constantFrom([], [{ id: 'c1', namespace: '' }], null),
  })
  .map(({ ttl, ...rest }) =>
    sessionCreate(rest.id, { ...rest, ttl: ttl === 0 ? '' : '10s', ttlMs: ttl }),
  )

const lock = fc
  .record({ kind: fc.constantFrom('kv-acquire', 'kv-release'), key, value, session: id })
  .map((rest): SessionCommand => ({ ...rest, flags: '7' }))

export const command: fc.Arbitrary<FamilyBody> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(nodeName, status)
      .map(([name, of]): FamilyBody => registerNode(name, { c1: of })),
  },
  { weight: 3, arbitrary: create },
  { weight: 3, arbitrary: lock },
  id.map((session): SessionCommand => ({ kind: 'session-destroy', id: session })),
  nodeName.map((name): FamilyBody => ({ kind: 'deregister', nodeName: name })),
  fc.tuple(key, fc.nat(20)).map(([of, index]): SessionCommand => ({
    kind: 'lock-delay-end',
    key: of,
    index,
  })),
)
