import fc from 'fast-check'
import type { CatalogCommand } from '../../../src/state/catalog/commands.ts'
import { plainRows } from '../../../src/state/catalog/service-fields.ts'
import type { PlainDefinition } from '../../../src/state/catalog/service-fields.ts'
import {
  checkDefinition,
  nodeDefinition,
  registerCommand,
  serviceDefinition,
} from '../../helpers/catalog.ts'

const nodeName = fc.constantFrom('n1', 'N1', 'n2.rack')
const serviceId = fc.constantFrom('a', 'b', 'c')
const text = fc.constantFrom('', 'x', 'ü€😀', '\ud800', 'a\udc00b', '\ufffd')
const address = fc.constantFrom('', '10.0.0.1', '::1', '2001:db8::1', 'h.example')

const values = { text: ['', 'x'], whole: [0, 7], flag: [false, true] } as const
const plain = fc.record(
  Object.fromEntries(
    plainRows.map(({ name, kind }) => [name, fc.constantFrom<unknown>(...values[kind])]),
  ),
)

const service = fc
  .record({ id: serviceId, name: fc.constantFrom('web', 'WEB', 'db'), address, text, plain })
  .map(({ id, name, address: at, text: value, plain: more }) =>
    serviceDefinition(name, {
      id,
      address: at,
      meta: { value },
      port: value.length,
      ...(more as Partial<PlainDefinition>),
    }),
  )
const check = fc
  .record({
    id: fc.constantFrom('k1', 'k2', 'serfHealth'),
    serviceId: fc.constantFrom('', 'a', 'b'),
    text,
  })
  .map(({ id, serviceId: of, text: output }) => checkDefinition(id, { serviceId: of, output }))

export const command: fc.Arbitrary<CatalogCommand> = fc.oneof(
  fc
    .record({
      name: nodeName,
      withNode: fc.boolean(),
      nodeId: fc.constantFrom('', 'id-1', 'id-2'),
      address,
      service: fc.option(service, { nil: undefined }),
      checks: fc.array(check, { maxLength: 2 }),
      replaceChecks: fc.boolean(),
    })
    .map(
      ({
        name,
        withNode,
        nodeId,
        address: at,
        service: of,
        checks,
        replaceChecks,
      }): CatalogCommand => {
        // Checks of services that go with the machine that had the name before would stay, of no service.
        const mayReplace = withNode && nodeId !== ''
        const own = checks.filter(({ serviceId: id }) => !mayReplace || id === '' || id === of?.id)
        const { node: _node, ...command } = registerCommand(name, { checks: own, replaceChecks })
        const node = withNode ? { node: nodeDefinition(name, { address: at, id: nodeId }) } : {}
        return { ...command, ...node, ...(of === undefined ? {} : { service: of }) }
      },
    ),
  fc
    .record({ nodeName, id: serviceId, what: fc.constantFrom('node', 'service', 'check') })
    .map(({ nodeName: name, id, what }): CatalogCommand => {
      if (what === 'node') return { kind: 'deregister', nodeName: name }
      if (what === 'service') return { kind: 'deregister', nodeName: name, serviceId: id }
      return { kind: 'deregister', nodeName: name, checkId: id === 'a' ? 'k1' : 'k2' }
    }),
  fc
    .record({ nodeName, checkId: fc.constantFrom('k1', 'k2', 'k3'), output: text })
    .map((rest): CatalogCommand => ({ kind: 'update-check', status: 'critical', ...rest })),
)
