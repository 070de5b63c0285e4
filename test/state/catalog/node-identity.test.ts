import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../../src/base/assert.ts'
import type { RegisterCommand } from '../../../src/state/catalog/commands.ts'
import { settledFormat } from '../../../src/state/catalog/schema.ts'
import { stateTables } from '../../../src/state/families.ts'
import { scanSums, tablesText } from '../../../src/state/machine/sums.ts'
import {
  MemoryCatalog,
  checkDefinition,
  nodeDefinition,
  registerCommand,
  serviceDefinition,
} from '../../helpers/catalog.ts'

// A node is who its id says: what a registration does to others of the same name, or the same id.

const [one, two] = ['11111111-0000-4000-8000-000000000001', '22222222-0000-4000-8000-000000000002']

/** What an agent says of its own node. */
const agent = (name: string, id: string, address = '10.0.0.1') =>
  registerCommand(name, {
    node: nodeDefinition(name, { id, address }),
    checks: [checkDefinition('serfHealth')],
  })
const service = (node: string, name: string) =>
  registerCommand(node, {
    node: undefined,
    service: serviceDefinition(name, { owner: 'agent', port: 80 }),
    checks: [checkDefinition(`service:${name}`, { serviceId: name, status: 'warning' })],
  })
const checkSums = (t: Test, catalog: MemoryCatalog): void => {
  t.equal(
    tablesText(scanSums(catalog.db, stateTables)),
    catalog.machine.sums.now.text,
    'the sums are right',
  )
}
const idsOn = (catalog: MemoryCatalog, node: string): readonly string[] =>
  catalog.reader.servicesOfNode(node).map(({ id }) => id)

t.test('the same id under another name is a renamed node', async (t) => {
  const catalog = new MemoryCatalog()
  catalog.apply(agent('n1', one), service('n1', 'web'), service('n1', 'db'))
  const { subjects } = catalog.apply(agent('n9', one, '10.0.0.9'))
  t.strictSame(
    catalog.reader.nodes().map(({ name }) => name),
    ['n9'],
    'the old name goes',
  )
  t.strictSame(idsOn(catalog, 'n9'), ['db', 'web'], 'and its services go along')
  t.match(catalog.reader.instances('web'), [
    {
      node: { name: 'n9', address: '10.0.0.9' },
      service: { node: 'n9', createIndex: 2, modifyIndex: 4 },
      checks: [{ checkId: 'serfHealth' }, { checkId: 'service:web', status: 'warning' }],
    },
  ])
  t.equal(catalog.reader.nodeById(one)?.name, 'n9')
  for (const name of ['node:n1', 'node:n9', 'service:web', 'service:db', 'nodes', 'services']) {
    t.ok(subjects.has(name), `whoever has read ${name} looks again`)
  }
  checkSums(t, catalog)

  catalog.apply(agent('N9', one, '10.0.0.9'))
  t.strictSame(idsOn(catalog, 'n9'), ['db', 'web'], 'another spelling is the same name')
})

t.test(
  'another id under the name of an agent is another machine, which owns nothing',
  async (t) => {
    const catalog = new MemoryCatalog()
    catalog.apply(agent('n3', one), service('n3', 'web'))
    const { subjects } = catalog.apply(agent('n3', two, '10.0.0.7'))
    t.strictSame(idsOn(catalog, 'n3'), [])
    t.strictSame(
      catalog.reader.checksOfNode('n3').map(({ checkId }) => checkId),
      ['serfHealth'],
    )
    t.match(catalog.reader.nodes(), [{ name: 'n3', id: two, address: '10.0.0.7' }])
    t.ok(subjects.has('service:web'))
    checkSums(t, catalog)
  },
)

t.test('a renamed node takes the name of another one, and nothing of it', async (t) => {
  const catalog = new MemoryCatalog()
  catalog.apply(agent('n1', one), service('n1', 'web'), agent('n2', two), service('n2', 'db'))
  catalog.apply(agent('n2', one))
  t.strictSame(
    catalog.reader.nodes().map(({ name, id }) => [name, id]),
    [['n2', one]],
  )
  t.strictSame(idsOn(catalog, 'n2'), ['web'])
  checkSums(t, catalog)
})

t.test(
  'a check of a service is refused unless the node has that after its change of identity',
  async (t) => {
    const webCheck = checkDefinition('c', { serviceId: 'web' })
    const registered = (name: string, id: string): RegisterCommand => {
      const command = agent(name, id)
      return { ...command, checks: [...command.checks, webCheck] }
    }
    for (const format of [settledFormat - 1, settledFormat]) {
      const isSettled = format === settledFormat
      const catalog = new MemoryCatalog(format)
      const apply = (body: RegisterCommand) => must(catalog.apply(body).outcomes[0])
      catalog.apply(agent('n1', one), service('n1', 'web'))
      const replaced = apply(registered('n1', two))
      t.match(replaced, isSettled ? { error: 'unknown-service', subject: 'web' } : { ok: true })
      t.equal(catalog.reader.node('n1')?.id, isSettled ? one : two)
      if (!isSettled) continue
      t.match(apply(registered('n9', one)), { ok: true }, 'a renamed node brings its service along')
      t.match(
        catalog.reader.checksOfNode('n9').map(({ checkId, serviceId }) => [checkId, serviceId]),
        [
          ['c', 'web'],
          ['serfHealth', ''],
          ['service:web', 'web'],
        ],
      )
      t.match(apply({ ...registered('n9', one), isNodeKept: true }), { ok: true })
      checkSums(t, catalog)
    }
  },
)

t.test('a node without an agent is whatever is written of it last', async (t) => {
  const catalog = new MemoryCatalog()
  const external = (id: string) => registerCommand('ext', { node: nodeDefinition('ext', { id }) })
  catalog.apply(external(one), service('ext', 'web'), external(two))
  t.strictSame(idsOn(catalog, 'ext'), ['web'])
  catalog.apply(external(''))
  t.strictSame(idsOn(catalog, 'ext'), ['web'], 'also without an id')
  catalog.apply(agent('n1', ''), agent('n2', ''))
  t.equal(catalog.reader.nodes().length, 3, 'no id is nobody')
  checkSums(t, catalog)
})

t.test('what is on the new name already stays as it is', async (t) => {
  const catalog = new MemoryCatalog()
  const free = registerCommand('n9', { service: serviceDefinition('web', { port: 9999 }) })
  catalog.apply(agent('n1', one), service('n1', 'web'), service('n1', 'db'), free)
  catalog.apply(agent('n9', one))
  t.strictSame(idsOn(catalog, 'n9'), ['db', 'web'])
  t.equal(catalog.reader.service('n9', 'web')?.port, 9999)
  checkSums(t, catalog)
})

t.test(
  'a node takes along what it has under all its names, the newest of what is there twice',
  async (t) => {
    for (const names of [
      ['n1', 'n2'],
      ['n2', 'n1'],
    ] as const) {
      const catalog = new MemoryCatalog()
      const [older, newer] = names
      const web = (node: string, port: number) =>
        registerCommand(node, { node: undefined, service: serviceDefinition('web', { port }) })
      catalog.apply(agent(older, one), agent(newer, two), web(older, 1), service(older, 'a'))
      catalog.apply(web(newer, 2), service(newer, 'b'))
      // As an earlier release left them.
      catalog.db.prepare('UPDATE nodes SET id = ? WHERE key = ?').run(one, newer)
      catalog.apply(agent('n9', one))
      t.strictSame(idsOn(catalog, 'n9'), ['a', 'b', 'web'])
      t.equal(catalog.reader.service('n9', 'web')?.port, 2)
      t.strictSame(
        catalog.reader.nodes().map(({ name }) => name),
        ['n9'],
      )
    }
  },
)
