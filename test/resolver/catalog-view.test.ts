import fc from 'fast-check'
import t from 'tap'
import { anonymous } from '../../src/access/caller.ts'
import { reachOfNode, reachOfService } from '../../src/state/catalog/addresses.ts'
import { candidateQueries } from '../../src/state/catalog/candidates.ts'
import { serviceKeysQuery } from '../../src/state/catalog/query.ts'
import type { Endpoint } from '../../src/dns/view.ts'
import { CatalogVersions } from '../helpers/versions.ts'
import { judge } from '../../src/health/judge.ts'
import { CatalogView } from '../../src/resolver/catalog-view.ts'
import { Snapshots } from '../../src/resolver/batch-snapshots.ts'
import { QueryReader } from '../../src/state/query/reader.ts'
import { sessionFamily } from '../../src/state/session/family.ts'
import { StateReader, StateWriter } from '../../src/storage/state.ts'
import {
  MemoryCatalog,
  checkDefinition,
  nodeDefinition,
  registerCommand,
  serviceDefinition,
} from '../helpers/catalog.ts'
import { fill, tamper } from '../helpers/state.ts'
import { Sqlite } from '../helpers/sqlite.ts'

const serviceOfCheck = fc.constantFrom('web-1', 'web-2', 'db-1', '')
const checkId = fc.constantFrom('a', 'b', '_node_maintenance', '_service_maintenance:web-1')
const anyCheck = fc.record({
  id: checkId,
  serviceId: serviceOfCheck,
  status: fc.constantFrom('passing', 'warning', 'critical'),
})
const anyNode = fc.record({
  name: fc.constantFrom('n1', 'N2', 'n3'),
  lan: fc.boolean(),
  services: fc.uniqueArray(fc.constantFrom('web-1', 'web-2', 'db-1')),
  checks: fc.array(anyCheck, { maxLength: 5 }),
})

/** With all that an endpoint reads when it is asked for it. */
function plain(endpoint: Endpoint): Endpoint {
  const { node, id, tags, port, weight, service, nodeAddresses, meta } = endpoint
  return { node, id, tags, port, weight, service, nodeAddresses, meta }
}

t.test('DNS reads less of an instance than HTTP, and judges it alike', async (t) => {
  const property = fc.property(fc.array(anyNode, { maxLength: 4 }), fc.boolean(), (nodes, only) => {
    const catalog = new MemoryCatalog()
    for (const [at, { name, lan, services, checks }] of nodes.entries()) {
      const taggedAddresses = lan ? { lan_ipv6: '2001:db8::9' } : {}
      const node = nodeDefinition(name, { address: `10.0.0.${at}`, taggedAddresses })
      catalog.apply(registerCommand(name, { node }))
      for (const id of services) {
        const service = serviceDefinition(id.slice(0, -2), { id, port: at, tags: [name] })
        catalog.apply(registerCommand(name, { node, service }))
      }
      for (const { id, serviceId, status } of checks) {
        if (serviceId !== '' && !services.includes(serviceId)) continue
        const check = checkDefinition(id, { serviceId, status })
        catalog.apply(registerCommand(name, { node, checks: [check] }))
      }
    }
    const options = { caller: anonymous, onlyPassing: only, nodeName: 'n1' }
    const readers = {
      catalog: catalog.reader,
      sessions: sessionFamily.reader(catalog.db),
      queries: new QueryReader(catalog.db),
    }
    const view = new CatalogView(readers, options)
    for (const name of ['web', 'db', 'none']) {
      const instances = catalog.reader.instances(name)
      const wanted = instances.flatMap((instance) => {
        const { inAnswer, weight } = judge(instance, options)
        const { node, service } = instance
        const { id, tags, port, meta } = service
        const reach = { service: reachOfService(service), nodeAddresses: reachOfNode(node) }
        return inAnswer ? [{ node: node.name, id, tags, port, weight, ...reach, meta }] : []
      })
      const found = view.service(name)?.map(plain)
      t.strictSame(found, instances.length === 0 ? undefined : wanted)
    }
  })
  fc.assert(property, { numRuns: 100 })
})

t.test('no question of DNS walks a table, sorts, or reads checks that pass', async (t) => {
  const { db } = new MemoryCatalog()
  const plan = (sql: string): string[] =>
    db
      .prepare<[string], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .all('x')
      .map(({ detail }) => detail)
  const covering = 'COVERING INDEX checks_that_tell (node_key=?'
  t.strictSame(plan(candidateQueries.compact), [
    'SEARCH s USING COVERING INDEX services_by_name (name_key=?)',
    'CORRELATED SCALAR SUBQUERY 1',
    `SEARCH c USING ${covering})`,
    'CORRELATED SCALAR SUBQUERY 2',
    `SEARCH c USING ${covering} AND service_id=?)`,
    'CORRELATED SCALAR SUBQUERY 3',
    `SEARCH c USING ${covering} AND service_id=?)`,
  ])
  t.strictSame(plan(candidateQueries.instances), [
    'SEARCH services USING COVERING INDEX services_by_name (name_key=?)',
  ])
  t.strictSame(plan(candidateQueries.metas), [
    'SEARCH services USING INDEX services_by_name (name_key=?)',
  ])
  t.strictSame(plan(candidateQueries.nodes), [
    'CO-ROUTINE s',
    'SEARCH services USING COVERING INDEX services_by_name (name_key=?)',
    'SCAN s',
    'SEARCH n USING PRIMARY KEY (key=?)',
  ])
  t.strictSame(plan(candidateQueries.ownChecks), [
    'SEARCH s USING COVERING INDEX services_by_name (name_key=?)',
    'SEARCH c USING COVERING INDEX checks_that_tell (node_key=? AND service_id=?)',
  ])
  t.strictSame(plan(candidateQueries.nodeChecks), [
    'CO-ROUTINE n',
    'SEARCH services USING COVERING INDEX services_by_name (name_key=?)',
    'SCAN n',
    'SEARCH c USING COVERING INDEX checks_that_tell (node_key=? AND service_id=?)',
  ])
})

t.test('the list of services jumps from name to name, and stops when it is full', async (t) => {
  const catalog = new MemoryCatalog()
  const view = new CatalogView(
    {
      catalog: catalog.reader,
      sessions: sessionFamily.reader(catalog.db),
      queries: new QueryReader(catalog.db),
    },
    { caller: anonymous, onlyPassing: false, nodeName: 'n1' },
  )
  const all = (): boolean => true
  t.strictSame(view.serviceNames(10, all), [])
  for (const name of ['web', 'Web', 'db', 'cache', 'a-1', 'a-2', 'a-3']) {
    for (const id of ['1', '2']) {
      const service = serviceDefinition(name, { id: name + id })
      catalog.apply(registerCommand('n1', { node: nodeDefinition('n1'), service }))
    }
  }
  t.strictSame(view.serviceNames(10, all), ['a-1', 'a-2', 'a-3', 'cache', 'db', 'web'])
  t.strictSame(view.serviceNames(2, all), ['a-1', 'a-2'])
  const wanted: string[] = []
  const isShort = (name: string): boolean => wanted.push(name) > 0 && !name.startsWith('a')
  t.strictSame(view.serviceNames(2, isShort), ['cache', 'db'], 'the first that are wanted')
  t.strictSame(wanted, ['a-1', 'a-2', 'a-3', 'cache', 'db'], 'and no further')
  const plan = catalog.db
    .prepare<[string, number], { detail: string }>(`EXPLAIN QUERY PLAN ${serviceKeysQuery}`)
    .all('', 1)
    .map(({ detail }) => detail)
  const search = 'SEARCH services USING COVERING INDEX services_by_name (name_key>?)'
  t.equal(plan.filter((line) => line === search).length, 2)
  t.notOk(plan.some((line) => line.includes('SCAN services') || line.includes('TEMP B-TREE')))
})

t.test('a question after a write sees it, though its batch began before', async (t) => {
  const path = `${t.testdir()}/state.db`
  const writer = new StateWriter(path)
  fill(writer, 3)
  const reader = new StateReader(path)
  t.teardown(() => {
    reader.close()
    writer.close()
  })
  const versions = new CatalogVersions()
  const snapshots = new Snapshots(
    reader,
    { catalog: versions.catalog, others: { kv: versions.kv, query: versions.query } },
    { caller: anonymous, onlyPassing: false, nodeName: 'n1' },
  )
  const instances = (): number | undefined => snapshots.open().view.service('web')?.length
  t.equal(instances(), 3)
  const first = snapshots.open()
  t.equal(snapshots.open(), first, 'one for the batch')
  fill(writer, 4)
  t.equal(instances(), 3, 'nothing is told yet: it is of one moment')
  versions.bump(['service:web'])
  t.equal(instances(), 4)
  t.equal(snapshots.open().applied, versions.applied)
  snapshots.close()
  t.notOk(snapshots.isOpen)
})

t.test('a text with any character in it does not mix up the instances of a service', async (t) => {
  const catalog = new MemoryCatalog()
  for (const [at, address] of ['h\u001fx', 'plain.example', '\u001f'.repeat(7)].entries()) {
    const service = serviceDefinition('web', {
      id: `web-${at}`,
      address,
      port: at,
      meta: { address },
    })
    catalog.apply(registerCommand(`n${at}`, { node: nodeDefinition(`n${at}`), service }))
  }
  const found = catalog.reader
    .candidates('WEB')
    .map(({ node, service }) => [node, service.port, service.reach.name, service.meta['address']])
  t.strictSame(found, [
    ['n0', 0, 'h\u001fx', 'h\u001fx'],
    ['n1', 1, 'plain.example', 'plain.example'],
    ['n2', 2, '\u001f'.repeat(7), '\u001f'.repeat(7)],
  ])
})

t.test('a state of an earlier release gets the columns of its index at the start', async (t) => {
  const path = `${t.testdir()}/state.db`
  const open = (): void => {
    const writer = new StateWriter(path)
    fill(writer, 5)
    writer.close()
  }
  const columns = (): unknown => {
    const db = new Sqlite(path, { readonly: true })
    const found = db
      .prepare('SELECT name FROM pragma_index_info(?)')
      .pluck()
      .all('services_by_name')
    db.close()
    return found
  }
  open()
  const wide = columns()
  tamper(
    path,
    'DROP INDEX services_by_name; CREATE INDEX services_by_name ON services (name_key, node_key, id)',
  )
  t.strictSame(columns(), ['name_key', 'node_key', 'id'])
  open()
  t.strictSame(columns(), wide)
  t.match(wide, ['name_key', 'node_key', 'id', 'address', 'port'])
})
