import t from 'tap'
import { utf8ToOctets } from '../../src/dns/name.ts'
import { subject } from '../../src/state/catalog/subjects.ts'
import { Bench, replyText } from './fixture.ts'

// DNS-based service discovery (RFC 6763).

const soa = 'consul. 0 SOA ns.consul. hostmaster.consul. 7 3600 600 86400 0'
const noData = `NOERROR aa\nauthority\n${soa}`
const noName = `NXDOMAIN aa\nauthority\n${soa}`
const long = `_nomad-task-${'5d3a1d0e-'.repeat(8)}web-http`

function registry(): Bench {
  const bench = new Bench()
  bench.registry
    .add(
      'web',
      { id: 'web-1', at: '10.9.0.1', port: 8080, tags: ['v1'], meta: { rev: '7', 'a`b': 'x=y' } },
      { id: 'web-2', node: 'N2', nodeAt: '10.0.0.2', port: 8081, weight: 3 },
    )
    .add('db', { id: 'db', node: 'rack.n3', nodeAt: '10.0.0.3', port: 5432, tags: ['udp'] })
    .add('job', { id: long, at: '10.9.0.4', port: 1, meta: { big: 'x'.repeat(300), k: '' } })
    .add('has.dot', { at: '10.9.0.5' })
    .add('müller', { at: '10.9.0.6' })
    .add('down')
  return bench
}

const types = ['_db._tcp', '_down._tcp', '_job._tcp', '_web._tcp']
const label = 'n1:_nomad-task-5d3a1d0e-5d3a1d0e-5d3a1d0e-5d3a1d0e-5d3~'

const cases: Readonly<Record<string, string>> = {
  '_services._dns-sd._udp.consul PTR': [
    'NOERROR aa',
    'answer',
    ...types.map((type) => `_services._dns-sd._udp.consul. 10 PTR ${type}.consul.`),
  ].join('\n'),
  '_Services._DNS-SD._udp.alt.test PTR': [
    'NOERROR aa',
    'answer',
    ...types.map((type) => `_Services._DNS-SD._udp.alt.test. 10 PTR ${type}.alt.test.`),
  ].join('\n'),
  '_services._dns-sd._udp.consul A': noData,
  '_dns-sd._udp.consul PTR': noData,
  '_udp.consul PTR': noData,
  'x._services._dns-sd._udp.consul PTR': noName,
  'r._dns-sd._udp.consul PTR': noName,
  'b._dns-sd._udp.consul PTR': 'NOERROR aa\nanswer\nb._dns-sd._udp.consul. 10 PTR consul.',
  'db._dns-sd._udp.consul PTR': 'NOERROR aa\nanswer\ndb._dns-sd._udp.consul. 10 PTR consul.',
  'lb._dns-sd._udp.alt.test PTR': 'NOERROR aa\nanswer\nlb._dns-sd._udp.alt.test. 10 PTR alt.test.',
  'b._dns-sd._udp.consul TXT': noData,
  '_web._tcp.consul PTR': [
    'NOERROR aa',
    'answer',
    '_web._tcp.consul. 10 PTR N2:web-2._web._tcp.consul.',
    '_web._tcp.consul. 10 PTR n1:web-1._web._tcp.consul.',
    'additional',
    '0a090001.addr.dc1.consul. 10 A 10.9.0.1',
    'N2.node.dc1.consul. 10 A 10.0.0.2',
    'N2:web-2._web._tcp.consul. 10 SRV 1 3 8081 N2.node.dc1.consul.',
    'N2:web-2._web._tcp.consul. 10 TXT ""',
    'n1:web-1._web._tcp.consul. 10 SRV 1 1 8080 0a090001.addr.dc1.consul.',
    'n1:web-1._web._tcp.consul. 10 TXT "a`b=x=y" "rev=7"',
  ].join('\n'),
  // As for SRV, the second label is a tag unless it is `_tcp`.
  '_web._v1.consul PTR': [
    'NOERROR aa',
    'answer',
    '_web._v1.consul. 10 PTR n1:web-1._web._v1.consul.',
    'additional',
    '0a090001.addr.dc1.consul. 10 A 10.9.0.1',
    'n1:web-1._web._v1.consul. 10 SRV 1 1 8080 0a090001.addr.dc1.consul.',
    'n1:web-1._web._v1.consul. 10 TXT "a`b=x=y" "rev=7"',
  ].join('\n'),
  'n1:web-1._web._tcp.consul SRV': [
    'NOERROR aa',
    'answer',
    'n1:web-1._web._tcp.consul. 10 SRV 1 1 8080 0a090001.addr.dc1.consul.',
    'additional',
    '0a090001.addr.dc1.consul. 10 A 10.9.0.1',
  ].join('\n'),
  'N1:WEB-1._web._tcp.consul TXT':
    'NOERROR aa\nanswer\nN1:WEB-1._web._tcp.consul. 10 TXT "a`b=x=y" "rev=7"',
  'n2:web-2._web._tcp.alt.test SRV': [
    'NOERROR aa',
    'answer',
    'n2:web-2._web._tcp.alt.test. 10 SRV 1 3 8081 N2.node.dc1.alt.test.',
    'additional',
    'N2.node.dc1.alt.test. 10 A 10.0.0.2',
  ].join('\n'),
  'n1:web-1._web._tcp.consul A': noData,
  'n1:web-1._web._tcp.consul PTR': noData,
  'n1:web-1._web._v1.consul TXT':
    'NOERROR aa\nanswer\nn1:web-1._web._v1.consul. 10 TXT "a`b=x=y" "rev=7"',
  'n2:web-2._web._v1.consul TXT': noName,
  'n1:web-9._web._tcp.consul SRV': noName,
  'x.n1:web-1._web._tcp.consul SRV': noName,
  '_down._tcp.consul PTR': noName,
  '_nope._tcp.consul PTR': noName,
  // The browsing domain is the domain, not `service.consul`.
  '_web._tcp.service.consul PTR': noData,
}

t.test('the names for browsing have the records that the table says', async (t) => {
  const bench = registry()
  for (const [asked, wanted] of Object.entries(cases)) {
    const [name = '', type = ''] = asked.split(' ')
    t.equal(replyText(bench.ask(name, type, { edns: 4096 })), wanted, asked)
    t.equal(replyText(bench.ask(name, type, { edns: 4096 })), wanted, `${asked}, from the cache`)
  }
  t.strictSame(bench.errors, [])
})

t.test('a name of an instance that is too long ends in a hash, and works', async (t) => {
  const bench = registry()
  const [pointer] = bench.ask('_job._tcp.consul', 'PTR').answer
  const name = pointer?.data ?? ''
  t.ok(name.startsWith(label), name)
  t.equal(name.indexOf('.'), 63)
  const [srv] = bench.ask(name.slice(0, -1), 'SRV').answer
  t.equal(srv?.data, '1 1 1 0a090004.addr.dc1.consul.')
  const [text] = bench.ask(name.slice(0, -1), 'TXT').answer
  t.equal(text?.data, '"k="', 'without the pair that does not fit into a string')
  bench.registry.add('job', { id: `${long}2`, at: '10.9.0.5' })
  bench.versions.bump([subject.service('job')])
  const names = bench.ask('_job._tcp.consul', 'PTR').answer.map(({ data }) => data)
  t.equal(new Set(names).size, 2)
  for (const char of ['é', '漢', '🙂']) {
    const other = new Bench()
    for (let n = 0; n < 4; n++) other.registry.add('u', { id: 'x'.repeat(n) + char.repeat(40) })
    for (const { data } of other.ask('_u._tcp.consul', 'PTR').answer) {
      t.notMatch(data, /\uFFFD/, 'no character is cut')
      t.equal(other.ask(utf8ToOctets(data.slice(0, -1)), 'SRV').answer.length, 1, data)
    }
  }
})

t.test('a long list is cut, and has TC, and reads no more names than it needs', async (t) => {
  const bench = new Bench()
  for (let n = 0; n < 5000; n++) bench.registry.add(`s${n}`, { at: '10.9.0.1' })
  const limits: number[] = []
  const names = bench.registry.serviceNames.bind(bench.registry)
  bench.registry.serviceNames = (limit, isWanted) => {
    limits.push(limit)
    return names(limit, isWanted)
  }
  const ask = (options = {}) => bench.ask('_services._dns-sd._udp.consul', 'PTR', options)
  const small = ask()
  t.ok(small.flags.includes('tc') && small.bytes <= 512 && small.answer.length > 10)
  const large = ask({ edns: 1232 })
  t.ok(large.flags.includes('tc') && large.bytes <= 1232 && large.answer.length > 30)
  const most = ask({ tcp: true })
  t.ok(most.flags.includes('tc') && most.answer.length > 2000 && most.bytes > 65_535 - 40)
  t.strictSame(limits, [24, 57, 2979])
  // The shortest names: the answer is full before the names are at an end.
  const short = new Bench()
  for (let n = 0; n < 26; n++) short.registry.add(String.fromCharCode(97 + n), { at: '10.9.0.1' })
  t.ok(short.ask('_services._dns-sd._udp.consul', 'PTR').flags.includes('tc'))
  t.equal(short.ask('_services._dns-sd._udp.consul', 'PTR', { edns: 1232 }).answer.length, 26)
})

t.test('instances that do not fit are cut, and what is additional is bounded', async (t) => {
  const bench = new Bench()
  const meta = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`k${n}`, 'x'.repeat(250)]))
  for (let n = 0; n < 500; n++) {
    bench.registry.add('web', { id: `i${n}`, at: `10.9.${n >> 8}.${n & 255}`, port: n, meta })
  }
  const ask = (options = {}) => bench.ask('_web._tcp.consul', 'PTR', options)
  t.ok(ask().flags.includes('tc'))
  const whole = ask({ tcp: true })
  t.strictSame([whole.flags.includes('tc'), whole.answer.length], [false, 500])
  t.ok(whole.bytes <= 65_535 && whole.additional.length > 3)
  const text = bench.ask('n1:i7._web._tcp.consul', 'TXT', { edns: 1232 })
  t.ok(text.flags.includes('tc'))
  t.equal(bench.ask('n1:i7._web._tcp.consul', 'TXT', { tcp: true }).answer.length, 1)
})

t.test('the list of services is read again when a service comes or goes', async (t) => {
  const bench = registry()
  const count = (): number => bench.ask('_services._dns-sd._udp.consul', 'PTR').answer.length
  t.equal(count(), 4)
  const { reads } = bench.registry
  bench.versions.bump([subject.service('web')])
  t.equal(count(), 4)
  t.equal(bench.registry.reads, reads, 'a change of an instance is not one of the list')
  bench.registry.add('new', { at: '10.9.0.9' })
  bench.versions.bump([subject.service('new'), subject.services])
  t.equal(count(), 5)
})
