import t from 'tap'
import { Authorizer } from '../../src/access/rules/authorizer.ts'
import { policyFrom } from '../../src/access/rules/policy.ts'
import { everything } from '../../src/access/rights.ts'
import { parseIp } from '../../src/base/ip.ts'
import { must } from '../../src/base/assert.ts'
import { Responder } from '../../src/dns/responder.ts'
import { defaultZone } from '../../src/dns/zone.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { CatalogView } from '../../src/resolver/catalog-view.ts'
import { dnsCaller, dnsRightsOf } from '../../src/resolver/dns-rights.ts'
import { CatalogReader } from '../../src/state/catalog/query.ts'
import { openVersions } from '../../src/state/families.ts'
import { sessionFamily } from '../../src/state/session/family.ts'
import { buildQuery, replyText } from '../dns/fixture.ts'
import { nodeDefinition, registerCommand, serviceDefinition } from '../helpers/catalog.ts'
import { MemoryQueries, queryDefinition, queryId } from '../helpers/queries.ts'

/** Two nodes, each with an instance of two services, and a query for one of them. */
function seeded() {
  const queries = new MemoryQueries()
  const { state } = queries
  for (const [at, name] of ['n1', 'n2.rack'].entries()) {
    const node = nodeDefinition(name, { address: `10.0.0.${at + 1}` })
    for (const id of ['web', 'db']) {
      state.applyAll(registerCommand(name, { node, service: serviceDefinition(id, { id }) }))
    }
  }
  const definition = queryDefinition({ name: 'q', service: { service: 'db' } })
  state.applyAll({ kind: 'query-put', id: queryId(1), mode: 'any', definition })
  const readers = {
    catalog: new CatalogReader(state.db),
    sessions: sessionFamily.reader(state.db),
    queries: queries.reader,
  }
  const view = new CatalogView(readers, {
    caller: dnsCaller(undefined),
    onlyPassing: false,
    nodeName: 'n1',
  })
  const versions = openVersions()
  const [catalog, kv, query] = [versions.of('catalog'), versions.of('kv'), versions.of('query')]
  const responder = new Responder({
    zone: () => defaultZone(['consul'], 'dc1'),
    mode: () => 'ready',
    versions: catalog,
    others: { kv, query },
    snapshot: () => {
      const others = { kv: kv.applied, query: query.applied }
      return { view, generation: versions.generation, applied: catalog.applied, others }
    },
    onError: (error) => {
      throw error
    },
    seed: 1,
  })
  const ask = (name: string, type = 'A', edns = 1232): Buffer => {
    const packet = buildQuery(name, type, edns === 0 ? {} : { edns })
    const asker = { transport: 'udp', client: '127.0.0.1', pathBytesMax: 1232 } as const
    return Buffer.from(must(responder.respond(packet, asker)))
  }
  return {
    view,
    ask,
    /** As the main thread tells a dns thread: the rights are cloned on the way. */
    allow: (...rules: readonly string[]) => {
      const policies = rules.map((text) => policyFrom('dns', text))
      const rights = structuredClone(dnsRightsOf(new Authorizer(policies, 'deny')))
      view.caller = dnsCaller(rights)
      versions.bumpGeneration()
    },
  }
}

const prohibited = Buffer.from([0, 15, 0, 2, 0, 18])
const isProhibited = (answer: Buffer): boolean => answer.includes(prohibited)
const addresses = (answer: Buffer) =>
  decodeReply(answer)
    .answer.map(({ data }) => data)
    .toSorted()
const nodes = 'node_prefix "" { policy = "read" }'

t.test('DNS answers what its token may read, and the rest as if it did not exist', async (t) => {
  const { ask, allow, view } = seeded()
  t.strictSame(addresses(ask('web.service.consul')), ['10.0.0.1', '10.0.0.2'])
  allow('service "web" { policy = "read" }', 'node "n1" { policy = "read" }')
  t.strictSame(addresses(ask('web.service.consul')), ['10.0.0.1'], 'no cached answer survives')
  t.notOk(isProhibited(ask('web.service.consul')), 'there is an answer')
  const noEdns = (name: string): string =>
    replyText(decodeReply(ask(name, 'A', 0))).replaceAll(name, 'NAME')
  t.equal(noEdns('db.service.consul'), noEdns('no.service.consul'))
  t.equal(noEdns('n2.rack.node.consul'), noEdns('n3.rack.node.consul'))
  t.notOk(view.hasNodeBelow('rack'))
  t.strictSame(addresses(ask('n1.node.consul')), ['10.0.0.1'])
  t.strictSame(addresses(ask('q.query.consul')), [])
  t.strictSame(view.holders(must(parseIp('10.0.0.2'))), [])
  t.ok(view.hasAddressBelow('4'), 'of the node that it may read')
})

t.test('browsing lists the services and instances that the token may read', async (t) => {
  const { ask, allow } = seeded()
  const list = '_services._dns-sd._udp.consul'
  t.strictSame(addresses(ask(list, 'PTR')), ['_db._tcp.consul.', '_web._tcp.consul.'])
  t.equal(addresses(ask('_web._tcp.consul', 'PTR')).length, 2)
  allow('service "web" { policy = "read" }', 'node "n1" { policy = "read" }')
  t.strictSame(addresses(ask(list, 'PTR')), ['_web._tcp.consul.'])
  t.strictSame(addresses(ask('_web._tcp.consul', 'PTR')), ['n1:web._web._tcp.consul.'])
  t.strictSame(addresses(ask('n1:web._web._tcp.consul', 'SRV')), ['1 1 0 n1.node.dc1.consul.'])
  for (const name of ['_db._tcp', 'n1:db._db._tcp', 'n2.rack:web._web._tcp']) {
    t.equal(decodeReply(ask(`${name}.consul`, 'PTR')).rcode, 'NXDOMAIN', name)
  }
  allow(nodes)
  t.strictSame(addresses(ask(list, 'PTR')), [])
  t.ok(isProhibited(ask(list, 'PTR')), 'something was hidden')
})

t.test(
  'an empty answer from which something was hidden has EDE 18 if the client sends EDNS',
  async (t) => {
    const { ask, allow } = seeded()
    allow(nodes)
    for (const name of ['db.service.consul', 'q.query.consul']) {
      t.ok(isProhibited(ask(name)), name)
      t.ok(isProhibited(ask(name)), `${name} again`)
      t.notOk(isProhibited(ask(name, 'A', 0)), `${name} without EDNS`)
    }
    t.notOk(isProhibited(ask('no.service.consul')), 'there is no such service')
  },
)

t.test('rights that are everything are sent as nothing, and unknown ones as none', async (t) => {
  t.equal(dnsRightsOf(everything), undefined)
  t.equal(dnsCaller(undefined).rights, everything)
  const yes = (): boolean => true
  const strange = { allows: yes, allowsAll: yes, allowsSome: yes, allowsBelow: yes }
  t.notOk(dnsCaller(dnsRightsOf(strange)).rights.allows('service', 'web', 'read'))
})
