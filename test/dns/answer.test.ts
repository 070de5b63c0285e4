import t from 'tap'
import { staticZones } from '../../src/dns/static-zone.ts'
import { parseZoneFile } from '../../src/dns/zone-file/zone-file.ts'
import { Bench, replyText } from './fixture.ts'

const soa = 'consul. 0 SOA ns.consul. hostmaster.consul. 7 3600 600 86400 0'
const soaData = soa.slice('consul. 0 '.length)
const altSoa = 'alt.test. 0 SOA ns.alt.test. hostmaster.alt.test. 7 3600 600 86400 0'
const six = '6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'
const ptr = (name: string, target: string): string => `NOERROR aa\nanswer\n${name} 5 PTR ${target}`
const noData = `NOERROR aa\nauthority\n${soa}`
const noName = `NXDOMAIN aa\nauthority\n${soa}`

function registry(): Bench {
  const bench = new Bench()
  bench.registry
    .addNode('N1', '10.0.0.1', { os: 'linux', 'a=b': 'x`y', 'rfc1035-raw': 'v=1' })
    .addNode('six', '2001:db8::6')
    .addNode('both', '10.0.0.7 2001:db8::7')
    .addNode('named', 'host.example.org')
    .addNode('a.b.example', '10.0.0.9')
    .add(
      'web',
      { node: 'N1', at: '10.9.0.1', port: 8080, tags: ['v1', 'Blue.Green'], meta: { rev: '7' } },
      { node: 'both', at: '', nodeAt: '10.0.0.7 2001:db8::7', port: 8080, tags: ['v2'], weight: 5 },
      { node: 'six', at: '2001:db8::99', port: 8081, tags: ['udp'] },
    )
    .add('twin', { at: '10.9.0.1', port: 80 }, { node: 'n2', at: '10.9.0.1', port: 80 })
    .add('ports', { at: '10.9.0.1', port: 80 }, { at: '10.9.0.1', port: 81 })
    .add('down')
    .add('dual', { at: '10.9.0.1 2001:db8::1' })
    .add('db', { at: 'db.example.org', port: 5432 }, { at: 'db2.example.org', port: 5432 })
    .add('mixed', { at: 'm.example.org' }, { at: '10.9.0.2' })
    .add('inner', { at: 'web.service.consul', port: 1 })
    .add('gone', { at: 'nobody.service.consul' })
    .add('loop1', { at: 'loop2.service.consul' })
    .add('loop2', { at: 'loop1.service.consul' })
    .add('c1', { at: 'c2.service.consul' })
    .add('c2', { at: 'c3.service.consul' })
    .add('c3', { at: 'c4.service.consul' })
    .add('c4', { at: 'twin.service.consul' })
    .add('odd', { node: 'x'.repeat(64), nodeAt: '10.0.0.3' })
    .add('müller', { at: '10.9.0.3' })
    .addNode('node with space', '10.0.0.11')
    .addNode('nöde', '10.0.0.12 2001:db8::12')
    .addNode('my_node', '10.0.0.13 2001:db8::13')
    .add(
      'on-odd',
      { node: 'node with space', nodeAt: '10.0.0.11', port: 1 },
      { node: 'nöde', nodeAt: '10.0.0.12 2001:db8::12', port: 2 },
      { node: 'my_node', nodeAt: '10.0.0.13 2001:db8::13', port: 3 },
      { node: '-n-', nodeAt: '10.0.0.14', port: 4 },
      { node: 'a.b.example', nodeAt: '10.0.0.9', port: 5 },
    )
    .ids.set('5d3a1d0e-8f2b-4c1c-9a56-0d6c0c7f9b11', 'n1')
  return bench
}

const webA = ['10.0.0.7', '10.9.0.1']
const webAt = (name: string): string =>
  ['NOERROR aa', 'answer', ...webA.map((ip) => `${name} 10 A ${ip}`)].join('\n')

const cases: Record<string, string> = {
  // Services
  'web.service.consul A': webAt('web.service.consul.'),
  'web.service.dc1.consul A': webAt('web.service.dc1.consul.'),
  'web.service.dc1.dc.consul A': webAt('web.service.dc1.dc.consul.'),
  'wEb.SERVICE.DC1.coNSul A': webAt('wEb.SERVICE.DC1.coNSul.'),
  'web.service.consul AAAA':
    'NOERROR aa\nanswer\nweb.service.consul. 10 AAAA 2001:db8::7\nweb.service.consul. 10 AAAA 2001:db8::99',
  'v1.web.service.consul A': 'NOERROR aa\nanswer\nv1.web.service.consul. 10 A 10.9.0.1',
  'blue.green.web.service.consul A':
    'NOERROR aa\nanswer\nblue.green.web.service.consul. 10 A 10.9.0.1',
  'green.web.service.consul A': noData,
  'v1.web.service.consul AAAA': noData,
  'nope.web.service.consul A': noName,
  'nope.service.consul A': noName,
  'down.service.consul A': noName,
  'v1.down.service.consul A': noName,
  'web.service.dc2.consul A': noName,
  'web.service.dc1.x.consul A': noName,
  'twin.service.consul A': 'NOERROR aa\nanswer\ntwin.service.consul. 10 A 10.9.0.1',
  // SRV
  'web.service.consul SRV': [
    'NOERROR aa',
    'answer',
    'web.service.consul. 10 SRV 1 1 8080 0a090001.addr.dc1.consul.',
    'web.service.consul. 10 SRV 1 1 8081 20010db8000000000000000000000099.addr.dc1.consul.',
    'web.service.consul. 10 SRV 1 5 8080 both.node.dc1.consul.',
    'additional',
    '0a090001.addr.dc1.consul. 10 A 10.9.0.1',
    '20010db8000000000000000000000099.addr.dc1.consul. 10 AAAA 2001:db8::99',
    'both.node.dc1.consul. 10 A 10.0.0.7',
    'both.node.dc1.consul. 10 AAAA 2001:db8::7',
  ].join('\n'),
  '_web._v2.service.dc1.consul SRV': [
    'NOERROR aa',
    'answer',
    '_web._v2.service.dc1.consul. 10 SRV 1 5 8080 both.node.dc1.consul.',
    'additional',
    'both.node.dc1.consul. 10 A 10.0.0.7',
    'both.node.dc1.consul. 10 AAAA 2001:db8::7',
  ].join('\n'),
  '_web._tcp.service.consul A': webAt('_web._tcp.service.consul.'),
  '_web._udp.service.consul AAAA':
    'NOERROR aa\nanswer\n_web._udp.service.consul. 10 AAAA 2001:db8::99',
  '_twin._tcp.consul SRV': [
    'NOERROR aa',
    'answer',
    '_twin._tcp.consul. 10 SRV 1 1 80 0a090001.addr.dc1.consul.',
    'additional',
    '0a090001.addr.dc1.consul. 10 A 10.9.0.1',
  ].join('\n'),
  '_twin._tcp.consul A': noData,
  '_nope._tcp.consul SRV': noName,
  'ports.service.consul SRV': [
    'NOERROR aa',
    'answer',
    'ports.service.consul. 10 SRV 1 1 80 0a090001.addr.dc1.consul.',
    'ports.service.consul. 10 SRV 1 1 81 0a090001.addr.dc1.consul.',
    'additional',
    '0a090001.addr.dc1.consul. 10 A 10.9.0.1',
  ].join('\n'),
  // A node's name that is no label gives way to its address.
  'odd.service.consul SRV': [
    'NOERROR aa',
    'answer',
    'odd.service.consul. 10 SRV 1 1 80 0a000003.addr.dc1.consul.',
    'additional',
    '0a000003.addr.dc1.consul. 10 A 10.0.0.3',
  ].join('\n'),
  // So does one with other characters than a host name has: resolvers drop the whole answer for it.
  'on-odd.service.consul SRV': [
    'NOERROR aa',
    'answer',
    'on-odd.service.consul. 10 SRV 1 1 1 0a00000b.addr.dc1.consul.',
    'on-odd.service.consul. 10 SRV 1 1 2 0a00000c20010db8000000000000000000000012.addr.dc1.consul.',
    'on-odd.service.consul. 10 SRV 1 1 3 my_node.node.dc1.consul.',
    'on-odd.service.consul. 10 SRV 1 1 4 -n-.node.dc1.consul.',
    'on-odd.service.consul. 10 SRV 1 1 5 a.b.example.node.dc1.consul.',
    'additional',
    '-n-.node.dc1.consul. 10 A 10.0.0.14',
    '0a00000b.addr.dc1.consul. 10 A 10.0.0.11',
    '0a00000c20010db8000000000000000000000012.addr.dc1.consul. 10 A 10.0.0.12',
    '0a00000c20010db8000000000000000000000012.addr.dc1.consul. 10 AAAA 2001:db8::12',
    'a.b.example.node.dc1.consul. 10 A 10.0.0.9',
    'my_node.node.dc1.consul. 10 A 10.0.0.13',
    'my_node.node.dc1.consul. 10 AAAA 2001:db8::13',
  ].join('\n'),
  'my_node.node.consul A': 'NOERROR aa\nanswer\nmy_node.node.consul. 5 A 10.0.0.13',
  '11.0.0.10.in-addr.arpa PTR': ptr('11.0.0.10.in-addr.arpa.', '0a00000b.addr.dc1.consul.'),
  '13.0.0.10.in-addr.arpa PTR': ptr('13.0.0.10.in-addr.arpa.', 'my_node.node.dc1.consul.'),
  '3.0.9.10.in-addr.arpa PTR': ptr('3.0.9.10.in-addr.arpa.', '0a090003.addr.dc1.consul.'),
  // Host names
  'db.service.consul A': 'NOERROR aa\nanswer\ndb.service.consul. 30 CNAME db.example.org.',
  'db.service.consul CNAME': 'NOERROR aa\nanswer\ndb.service.consul. 30 CNAME db.example.org.',
  'db.service.consul TXT': 'NOERROR aa\nanswer\ndb.service.consul. 30 CNAME db.example.org.',
  'dual.service.consul SRV': [
    'NOERROR aa',
    'answer',
    'dual.service.consul. 10 SRV 1 1 80 20010db8000000000000000000000001.addr.dc1.consul.',
    'additional',
    '20010db8000000000000000000000001.addr.dc1.consul. 10 AAAA 2001:db8::1',
  ].join('\n'),
  'db.service.consul SRV': [
    'NOERROR aa',
    'answer',
    'db.service.consul. 30 SRV 1 1 5432 db.example.org.',
    'db.service.consul. 30 SRV 1 1 5432 db2.example.org.',
  ].join('\n'),
  'mixed.service.consul A': 'NOERROR aa\nanswer\nmixed.service.consul. 10 A 10.9.0.2',
  'mixed.service.consul AAAA': noData,
  'inner.service.consul AAAA': [
    'NOERROR aa',
    'answer',
    'inner.service.consul. 10 CNAME web.service.consul.',
    'web.service.consul. 10 AAAA 2001:db8::7',
    'web.service.consul. 10 AAAA 2001:db8::99',
  ].join('\n'),
  'inner.service.consul SRV': [
    'NOERROR aa',
    'answer',
    'inner.service.consul. 10 SRV 1 1 1 web.service.consul.',
    'additional',
    'web.service.consul. 10 A 10.0.0.7',
    'web.service.consul. 10 A 10.9.0.1',
    'web.service.consul. 10 AAAA 2001:db8::7',
    'web.service.consul. 10 AAAA 2001:db8::99',
  ].join('\n'),
  // RFC 6604 §3: the rcode is that of the last name of the chain.
  'gone.service.consul A': [
    'NXDOMAIN aa',
    'answer',
    'gone.service.consul. 10 CNAME nobody.service.consul.',
    'authority',
    soa,
  ].join('\n'),
  'loop1.service.consul A': [
    'NOERROR aa',
    'answer',
    'loop1.service.consul. 10 CNAME loop2.service.consul.',
    'loop2.service.consul. 10 CNAME loop1.service.consul.',
  ].join('\n'),
  'c2.service.consul A': [
    'NOERROR aa',
    'answer',
    'c2.service.consul. 10 CNAME c3.service.consul.',
    'c3.service.consul. 10 CNAME c4.service.consul.',
    'c4.service.consul. 10 CNAME twin.service.consul.',
    'twin.service.consul. 10 A 10.9.0.1',
  ].join('\n'),
  'c1.service.consul A': [
    'NOERROR aa',
    'answer',
    'c1.service.consul. 10 CNAME c2.service.consul.',
    'c2.service.consul. 10 CNAME c3.service.consul.',
    'c3.service.consul. 10 CNAME c4.service.consul.',
    'c4.service.consul. 10 CNAME twin.service.consul.',
    'twin.service.consul. 10 A 10.9.0.1',
  ].join('\n'),
  // Nodes
  'n1.node.consul A': [
    'NOERROR aa',
    'answer',
    'n1.node.consul. 5 A 10.0.0.1',
    'additional',
    'n1.node.consul. 5 TXT "a`=b=x``y"',
    'n1.node.consul. 5 TXT "os=linux"',
    'n1.node.consul. 5 TXT "v=1"',
  ].join('\n'),
  'n1.node.dc1.consul TXT': [
    'NOERROR aa',
    'answer',
    'n1.node.dc1.consul. 5 TXT "a`=b=x``y"',
    'n1.node.dc1.consul. 5 TXT "os=linux"',
    'n1.node.dc1.consul. 5 TXT "v=1"',
  ].join('\n'),
  '5D3A1D0E-8f2b-4c1c-9a56-0d6c0c7f9b11.node.consul A': [
    'NOERROR aa',
    'answer',
    '5D3A1D0E-8f2b-4c1c-9a56-0d6c0c7f9b11.node.consul. 5 A 10.0.0.1',
    'additional',
    '5D3A1D0E-8f2b-4c1c-9a56-0d6c0c7f9b11.node.consul. 5 TXT "a`=b=x``y"',
    '5D3A1D0E-8f2b-4c1c-9a56-0d6c0c7f9b11.node.consul. 5 TXT "os=linux"',
    '5D3A1D0E-8f2b-4c1c-9a56-0d6c0c7f9b11.node.consul. 5 TXT "v=1"',
  ].join('\n'),
  // No prefixes of ids: a name must not resolve by accident.
  '5d3a1d0e.node.consul A': noName,
  'n1.node.consul AAAA': noData,
  'n1.node.consul SRV': noData,
  'nope.node.consul A': noName,
  'a.b.example.node.consul A': 'NOERROR aa\nanswer\na.b.example.node.consul. 5 A 10.0.0.9',
  'b.example.node.consul A': noData,
  'named.node.consul A': 'NOERROR aa\nanswer\nnamed.node.consul. 5 CNAME host.example.org.',
  // Addresses
  '0a090001.addr.dc1.consul A': 'NOERROR aa\nanswer\n0a090001.addr.dc1.consul. 5 A 10.9.0.1',
  '0A090001.addr.consul A': 'NOERROR aa\nanswer\n0A090001.addr.consul. 5 A 10.9.0.1',
  '0a090001.addr.dc1.consul AAAA': noData,
  '20010db8000000000000000000000099.addr.dc1.consul AAAA':
    'NOERROR aa\nanswer\n20010db8000000000000000000000099.addr.dc1.consul. 5 AAAA 2001:db8::99',
  '0a00000c20010db8000000000000000000000012.addr.consul A':
    'NOERROR aa\nanswer\n0a00000c20010db8000000000000000000000012.addr.consul. 5 A 10.0.0.12',
  '0a00000c20010db8000000000000000000000012.addr.dc1.consul AAAA':
    'NOERROR aa\nanswer\n0a00000c20010db8000000000000000000000012.addr.dc1.consul. 5 AAAA 2001:db8::12',
  '0a00000c20010db8000000000000000000000012.addr.dc1.consul SRV': noData,
  '0a00000c20010db80000000000000000000000120.addr.dc1.consul A': noName,
  '0a09000.addr.dc1.consul A': noName,
  '0a09000g.addr.dc1.consul A': noName,
  // From addresses to names: a node's before a service's
  '1.0.0.10.in-addr.arpa PTR': ptr('1.0.0.10.in-addr.arpa.', 'N1.node.dc1.consul.'),
  '1.0.9.10.IN-ADDR.arpa PTR': [
    'NOERROR aa',
    'answer',
    '1.0.9.10.IN-ADDR.arpa. 5 PTR dual.service.dc1.consul.',
    '1.0.9.10.IN-ADDR.arpa. 5 PTR ports.service.dc1.consul.',
    '1.0.9.10.IN-ADDR.arpa. 5 PTR twin.service.dc1.consul.',
    '1.0.9.10.IN-ADDR.arpa. 5 PTR web.service.dc1.consul.',
  ].join('\n'),
  [`${six}.ip6.arpa PTR`]: ptr(`${six}.ip6.arpa.`, 'six.node.dc1.consul.'),
  '1.0.0.10.in-addr.arpa A': `NOERROR aa\nauthority\n1.0.0.10.in-addr.arpa. 0 ${soaData}`,
  'x.1.0.0.10.in-addr.arpa PTR': `NXDOMAIN aa\nauthority\n1.0.0.10.in-addr.arpa. 0 ${soaData}`,
  '0.10.in-addr.arpa NS': `NOERROR aa\nauthority\n0.10.in-addr.arpa. 0 ${soaData}`,
  '2.ip6.arpa NS': `NOERROR aa\nauthority\n2.ip6.arpa. 0 ${soaData}`,
  '9.8.7.10.in-addr.arpa PTR': 'REFUSED',
  '01.0.0.10.in-addr.arpa PTR': 'REFUSED',
  '11.in-addr.arpa NS': 'REFUSED',
  'in-addr.arpa NS': 'REFUSED',
  'arpa NS': 'REFUSED',
  // The other domain
  'twin.service.alt.test A': 'NOERROR aa\nanswer\ntwin.service.alt.test. 10 A 10.9.0.1',
  '_twin._tcp.alt.test SRV': [
    'NOERROR aa',
    'answer',
    '_twin._tcp.alt.test. 10 SRV 1 1 80 0a090001.addr.dc1.alt.test.',
    'additional',
    '0a090001.addr.dc1.alt.test. 10 A 10.9.0.1',
  ].join('\n'),
  'alt.test SOA': `NOERROR aa\nanswer\n${altSoa}`,
  'alt.test NS':
    'NOERROR aa\nanswer\nalt.test. 5 NS N1.node.dc1.alt.test.\nadditional\nN1.node.dc1.alt.test. 5 A 10.0.0.1',
  'ns.alt.test A': 'NOERROR aa\nanswer\nns.alt.test. 5 A 10.0.0.1',
  'nope.service.alt.test A': `NXDOMAIN aa\nauthority\n${altSoa}`,
  'inner.service.alt.test AAAA': [
    'NOERROR aa',
    'answer',
    'inner.service.alt.test. 10 CNAME web.service.consul.',
    'web.service.consul. 10 AAAA 2001:db8::7',
    'web.service.consul. 10 AAAA 2001:db8::99',
  ].join('\n'),
  'xalt.test A': 'REFUSED',
  // The apex and names that exist only for what is below them
  'consul SOA': `NOERROR aa\nanswer\n${soa}`,
  'consul NS':
    'NOERROR aa\nanswer\nconsul. 5 NS N1.node.dc1.consul.\nadditional\nN1.node.dc1.consul. 5 A 10.0.0.1',
  'consul A': noData,
  'ns.consul A': 'NOERROR aa\nanswer\nns.consul. 5 A 10.0.0.1',
  'service.consul A': noData,
  'node.consul SOA': noData,
  'addr.consul NS': noData,
  'dc1.consul A': noData,
  'dc.consul A': noData,
  'service.dc1.consul A': noData,
  '_tcp.service.consul A': noData,
  '_tcp.consul SRV': noData,
  'dc2.consul A': noName,
  'nope.consul A': noName,
  'web.query.consul A': noName,
  // Types
  'web.service.consul TYPE1000': noData,
  'web.service.consul HTTPS': noData,
  'web.service.consul TXT': 'NOERROR aa\nanswer\nweb.service.consul. 10 TXT "rev=7"',
  'web.service.consul AXFR': 'REFUSED',
  'web.service.consul IXFR': 'REFUSED',
  // Outside
  'example.org A': 'REFUSED',
  'a.root-servers.net NS': 'REFUSED',
  'xconsul A': 'REFUSED',
}

t.test('every name and type has the answer that the table says', async (t) => {
  const bench = registry()
  for (const [asked, wanted] of Object.entries(cases)) {
    const [name = '', type = ''] = asked.split(' ')
    t.equal(replyText(bench.ask(name, type, { edns: 4096 })), wanted, asked)
    t.equal(replyText(bench.ask(name, type, { edns: 4096 })), wanted, `${asked}, from the cache`)
  }
  t.same(bench.errors, [])
})

t.test('ANY gets a small answer over UDP and all records over TCP (RFC 8482)', async (t) => {
  const bench = registry()
  const both = (name: string): string[] => bench.ask(name, 'ANY').answer.map(({ type }) => type)
  t.strictSame(both('web.service.consul'), ['A', 'A', 'AAAA', 'AAAA'], 'both families')
  t.strictSame(both('web.service.consul'), ['A', 'A', 'AAAA', 'AAAA'], 'also from the cache')
  t.strictSame(both('both.node.consul'), ['A', 'AAAA'])
  t.strictSame(both('six.node.consul'), ['AAAA'])
  t.strictSame(both('twin.service.consul'), ['A'], 'SRV and TXT only over TCP')
  t.strictSame(both('_twin._tcp.consul'), ['SRV'])
  // 12 + 24 + 4, then 12 A of 16 octets and as many AAAA of 28 are 568.
  for (let n = 0; n < 12; n++) bench.registry.add('wide', { at: `10.9.1.${n} 2001:db8::1:${n}` })
  t.strictSame(new Set(both('wide.service.consul')), new Set(['A']), 'where both do not fit, one')
  t.equal(bench.ask('wide.service.consul', 'ANY', { edns: 1232 }).answer.length, 24)
  const parsed = parseZoneFile(
    '$ORIGIN example.org.\n$TTL 9\n@ SOA ns host 1 2 3 4 5\n@ NS ns.net.\n' +
      'a AAAA 2001:db8::1\na TXT "x"\na A 10.0.0.1\nb MX 1 a\nb A 10.0.0.2\n*.c A 10.0.0.3\n*.c AAAA ::3\n',
    { file: 'x.zone' },
  )
  if ('faults' in parsed) throw new Error(parsed.faults.join())
  bench.zone = { ...bench.zone, staticZones: staticZones([parsed.zone]) }
  t.strictSame(both('a.example.org'), ['AAAA', 'A'], 'of a zone file too')
  t.strictSame(both('b.example.org'), ['MX'])
  t.strictSame(both('x.c.example.org'), ['A', 'AAAA'])
  t.equal(bench.ask('a.example.org', 'ANY', { tcp: true }).answer.length, 3)
  const types = bench.ask('web.service.consul', 'ANY', { tcp: true }).answer.map(({ type }) => type)
  t.same([...new Set(types)], ['A', 'AAAA', 'SRV', 'TXT', 'SVCB'])
  t.equal(
    replyText(bench.ask('db.service.consul', 'ANY')),
    'NOERROR aa\nanswer\ndb.service.consul. 30 CNAME db.example.org.',
  )
})

t.test(
  'a server whose name resolvers reject is named by its addresses, of both families',
  async (t) => {
    const dual = new Bench()
    dual.registry.addNode('my server', '10.0.0.1 2001:db8::1')
    const name = '0a00000120010db8000000000000000000000001.addr.dc1.consul.'
    t.equal(
      replyText(dual.ask('consul', 'NS')),
      `NOERROR aa\nanswer\nconsul. 5 NS ${name}\nadditional\n${name} 5 A 10.0.0.1\n${name} 5 AAAA 2001:db8::1`,
    )
    const bench = new Bench()
    bench.registry.addNode('my server', '10.0.0.1')
    t.equal(
      replyText(bench.ask('consul', 'NS')),
      'NOERROR aa\nanswer\nconsul. 5 NS 0a000001.addr.dc1.consul.\nadditional\n0a000001.addr.dc1.consul. 5 A 10.0.0.1',
    )
  },
)

t.test('class ANY is treated as IN, other classes are refused', async (t) => {
  const bench = registry()
  t.equal(bench.ask('web.service.consul', 'A', { class: 255 }).answer.length, 2)
  t.equal(bench.ask('version.bind', 'TXT', { class: 3 }).rcode, 'REFUSED')
  t.equal(bench.ask('web.service.consul', 'A', { class: 3 }).rcode, 'REFUSED')
  t.equal(bench.ask('web.service.consul', 'A', { class: 4 }).rcode, 'REFUSED')
})

t.test('the option makes a service without healthy instances NODATA', async (t) => {
  const bench = registry()
  bench.zone = { ...bench.zone, emptyAnswer: 'nodata' }
  t.equal(replyText(bench.ask('down.service.consul', 'A')), noData)
  t.equal(replyText(bench.ask('nope.service.consul', 'A')), noName)
})

t.test('a service name beyond ASCII is found by its UTF-8 octets', async (t) => {
  const bench = registry()
  // dns2 writes one octet a character, so the name is spelled as the octets of its UTF-8.
  const reply = bench.ask('m\u00c3\u00bcller.service.consul', 'A')
  t.same(
    reply.answer.map(({ data }) => data),
    ['10.9.0.3'],
  )
})

t.test('negative answers carry the SOA with the smaller of its TTLs (RFC 2308)', async (t) => {
  const bench = registry()
  bench.zone = { ...bench.zone, soa: { ...bench.zone.soa, minimum: 15 } }
  t.equal(bench.ask('nope.service.consul', 'A').authority[0]?.ttl, 15)
})

t.test('the option removes the meta of a node from answers to address queries', async (t) => {
  const bench = registry()
  bench.zone = { ...bench.zone, nodeMetaTxt: false }
  t.equal(bench.ask('n1.node.consul', 'A').additional.length, 0)
  t.equal(bench.ask('n1.node.consul', 'TXT').answer.length, 3)
})

t.test('the registry adds names to a zone file for a reverse zone', async (t) => {
  const bench = registry()
  const parsed = parseZoneFile(
    `$ORIGIN 10.in-addr.arpa.
@ 60 SOA ns.example.net. host 1 2 3 4 30
@ NS ns.example.net.
1.0.0 PTR own.example.net.
5.5.5 PTR five.example.net.
`,
    { file: 'x.zone' },
  )
  if ('faults' in parsed) throw new Error(parsed.faults.join())
  bench.zone = { ...bench.zone, staticZones: staticZones([parsed.zone]) }
  const zoneSoa = '10.in-addr.arpa. 30 SOA ns.example.net. host.10.in-addr.arpa. 1 2 3 4 30'
  const ask = (name: string, type: string): string =>
    replyText(bench.ask(`${name}.10.in-addr.arpa`, type))
  const answered = (name: string, target: string, ttl = 60): string =>
    `NOERROR aa\nanswer\n${name}.10.in-addr.arpa. ${ttl} PTR ${target}`
  t.equal(ask('5.5.5', 'PTR'), answered('5.5.5', 'five.example.net.'))
  t.equal(ask('1.0.0', 'PTR'), answered('1.0.0', 'own.example.net.'), 'the file comes first')
  t.equal(ask('7.0.0', 'PTR'), answered('7.0.0', 'both.node.dc1.consul.', 5))
  t.equal(ask('7.0.0', 'A'), `NOERROR aa\nauthority\n${zoneSoa}`)
  t.equal(ask('9', 'NS'), `NOERROR aa\nauthority\n${zoneSoa}`, 'there is something below')
  t.equal(ask('8.8.8', 'PTR'), `NXDOMAIN aa\nauthority\n${zoneSoa}`)
})

t.test('the holders of an address are read again after any change', async (t) => {
  const bench = registry()
  t.equal(bench.ask('1.2.3.10.in-addr.arpa', 'PTR').rcode, 'REFUSED')
  bench.registry.addNode('late', '10.3.2.1')
  bench.versions.bump(['service:other'])
  t.equal(bench.ask('1.2.3.10.in-addr.arpa', 'PTR').answer[0]?.data, 'late.node.dc1.consul.')
  const { reads } = bench.registry
  bench.ask('1.2.3.10.in-addr.arpa', 'PTR')
  t.equal(bench.registry.reads, reads, 'and else from the cache')
  bench.registry.addNode('late', '10.3.2.2')
  bench.versions.bump([])
  t.equal(bench.ask('1.2.3.10.in-addr.arpa', 'PTR').rcode, 'REFUSED')
})
