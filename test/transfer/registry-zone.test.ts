import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { formatName } from '../../src/dns/name.ts'
import type { Name } from '../../src/dns/name.ts'
import { WireWriter } from '../../src/dns/wire-writer.ts'
import { formatType, recordType } from '../../src/dns/record.ts'
import type { ResourceRecord } from '../../src/dns/record.ts'
import { staticZone, staticZones } from '../../src/dns/static-zone.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { transferMessages } from '../../src/transfer/messages.ts'
import { registrySoa, registryZone } from '../../src/transfer/registry-zone.ts'
import type { RegistryNames } from '../../src/transfer/registry-zone.ts'
import { Bench, recordText } from '../dns/fixture.ts'

/** Labels may have dots and spaces in them, which a text cannot have. */
function queryFor(name: Name, type: number): Buffer {
  const writer = new WireWriter()
  for (const field of [4711, 0, 1, 0, 0, 0]) writer.uint16(field)
  writer.plainName(name)
  writer.uint16(type)
  writer.uint16(1)
  return writer.bytes()
}

/** The names of a registry in memory. */
function namesOf({ registry }: Bench): RegistryNames {
  const ips = [...registry.nodes.values()].flatMap(({ addresses: { v4, v6 } }) => [v4, v6])
  const own = [...registry.services.values()].flat().flatMap(({ service: { v4, v6 } }) => [v4, v6])
  return {
    services: () => registry.services.keys(),
    nodes: () =>
      [...registry.nodes.values()].map(({ node }) => ({
        name: node,
        id: [...registry.ids].find(([, name]) => name === node.toLowerCase())?.[0] ?? '',
      })),
    addresses: () => [...ips, ...own].filter((ip) => ip !== undefined),
    queries: () => [...registry.queries.keys()].map((name) => ({ name, id: '' })),
  }
}

function zoneOf(bench: Bench, zone: Zone = bench.zone): ResourceRecord[] {
  return [...registryZone(bench.registry, namesOf(bench), zone)]
}

/** The records as texts, as a client reads them. */
function textsOf(records: readonly ResourceRecord[], bench: Bench): readonly string[] {
  const messages = [...transferMessages(registrySoa(bench.zone, 7), records)]
  return messages.flatMap((bytes) => decodeReply(bytes).answer.map(recordText)).slice(1, -1)
}

const uuid = '0a1b2c3d-0000-4000-8000-000000000001'

function filled(): Bench {
  const bench = new Bench()
  bench.registry
    .addNode('n1', '10.0.0.1 2001:db8::1', { rack: 'a' })
    .addNode('N2.rack', '10.0.0.2')
    .addNode('odd node', '10.0.0.3 2001:db8::3')
    .addNode('hosted', 'host.example.com')
    .add('web', { node: 'n1', at: '10.9.0.1', port: 80, tags: ['v1', 'Blue', 'a.b', 'tcp'] })
    .add('web', { node: 'N2.rack', nodeAt: '10.0.0.2', port: 81, tags: ['v1'], meta: { k: 'v' } })
    .add('odd', { node: 'odd node', nodeAt: '10.0.0.3 2001:db8::3', port: 7 })
    .add('away', { at: 'host.example.com', port: 5, tags: ['x'] })
    .add('grün', { at: '10.9.0.5' })
    .add('service', { at: '10.9.0.6' })
    .add('a.dot', { at: '10.9.0.7' })
    .addQuery('q', 'web')
  bench.registry.services.set('down', [])
  bench.registry.ids.set(uuid, 'n1')
  return bench
}

t.test('each record of the zone is one that DNS answers for its name', async (t) => {
  const bench = filled()
  const { zone } = bench
  for (const each of [zone, { ...zone, domain: must(zone.altDomain) }]) {
    const records = zoneOf(bench, each)
    const byQuestion = new Map<string, ResourceRecord[]>()
    for (const record of records) {
      const question = `${formatName(record.name)} ${record.type}`
      byQuestion.set(question, [...(byQuestion.get(question) ?? []), record])
    }
    t.ok(byQuestion.size > 60, `${byQuestion.size} sets of records`)
    for (const set of byQuestion.values()) {
      const { name, type } = must(set[0])
      if (type === recordType.DNAME) continue
      const text = formatName(name)
      const { answer } = decodeReply(must(bench.send(queryFor(name, type), { tcp: true })))
      const wanted = answer.filter((record) => record.type === formatType(type)).map(recordText)
      const lower = (all: readonly string[]) => all.map((each) => each.toLowerCase()).toSorted()
      t.strictSame(lower(textsOf(set, bench)), lower(wanted), `${text} ${formatType(type)}`)
    }
  }
})

t.test('the zone has all names of a service, a node, an address and a query', async (t) => {
  const names = new Set(zoneOf(filled()).map(({ name }) => formatName(name)))
  const wanted = `consul. ns.consul. dc1.dc.consul.
    web.service.consul. web.service.dc1.consul. v1.web.service.consul. v1.web.service.dc1.consul.
    blue.web.service.consul. a.b.web.service.consul. tcp.web.service.consul.
    _web._tcp.service.consul. _web._tcp.service.dc1.consul. _web._v1.service.consul. _web._tcp.consul.
    n1.node.consul. n1.node.dc1.consul. n2.rack.node.consul. ${uuid}.node.consul. hosted.node.consul.
    0a000001.addr.dc1.consul. 0a090001.addr.dc1.consul. 0a090001.addr.consul.
    20010db8000000000000000000000001.addr.dc1.consul.
    0a00000320010db8000000000000000000000003.addr.dc1.consul.
    q.query.consul. q.query.dc1.consul. service.service.consul. gr\\195\\188n.service.consul.`
  for (const name of wanted.split(/\s+/)) t.ok(names.has(name), name)
  t.notOk(names.has('down.service.consul.'), 'no instance of it is healthy')
  t.notOk(
    [...names].some((name) => name.includes('a.dot.service')),
    'DNS does not find this name',
  )
})

t.test(
  'a name with an alias has no other records, but the names for SRV have theirs',
  async (t) => {
    const records = zoneOf(filled())
    const at = (text: string) =>
      records.filter(({ name }) => formatName(name) === text).map(({ type }) => formatType(type))
    t.strictSame(at('away.service.consul.'), ['CNAME'])
    t.strictSame(at('hosted.node.consul.'), ['CNAME'])
    t.strictSame(at('_away._tcp.service.consul.'), ['SRV'])
  },
)

t.test('every target of an SRV or NS record in the zone has its addresses there', async (t) => {
  const records = zoneOf(filled())
  const hosts = new Set(
    records
      .filter(({ type }) => type === recordType.A || type === recordType.AAAA)
      .map(({ name }) => formatName(name).toLowerCase()),
  )
  let targets = 0
  for (const { data, type } of records) {
    const target =
      data.kind === 'srv'
        ? data.target
        : type === recordType.NS && data.kind === 'name' && data.name
    if (target === false || target.at(-1) !== 'consul') continue
    targets++
    t.ok(hosts.has(formatName(target).toLowerCase()), formatName(target))
  }
  t.ok(targets > 10)
})

t.test('names that a zone file has are left out', async (t) => {
  const bench = filled()
  const origin = ['web', 'service', 'consul']
  const numbers = { serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 }
  const data = { kind: 'soa', primary: ['ns'], mailbox: ['m'], ...numbers } as const
  const records = [{ name: origin, type: recordType.SOA, ttl: 1, data }]
  const zones = staticZones([staticZone(origin, { data, ttl: 1 }, records)])
  const names = zoneOf(bench, { ...bench.zone, staticZones: zones }).map(({ name }) =>
    formatName(name),
  )
  t.notOk(names.some((name) => name.endsWith('web.service.consul.')))
  t.ok(names.includes('web.service.dc1.consul.'))
})

t.test('a zone without a server that may be shown has a name server nevertheless', async (t) => {
  const bench = new Bench()
  const found = zoneOf(bench).filter(({ type }) => type === recordType.NS)
  t.match(found, [{ data: { kind: 'name', name: ['ns', 'consul'] } }])
})
