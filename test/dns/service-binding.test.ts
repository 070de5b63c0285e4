import t from 'tap'
import { encodeData } from '../../src/dns/rdata.ts'
import { formatServiceBinding } from '../../src/dns/service-binding-text.ts'
import { allRecords } from '../../src/dns/packed-records.ts'
import { staticZones } from '../../src/dns/static-zone.ts'
import { parseZoneFile } from '../../src/dns/zone-file/zone-file.ts'
import { Bench, buildQuery, replyText } from './fixture.ts'

const soa = 'consul. 0 SOA ns.consul. hostmaster.consul. 7 3600 600 86400 0'
const noData = `NOERROR aa\nauthority\n${soa}`

function registry(): Bench {
  const bench = new Bench()
  bench.registry
    .addNode('n1', '10.0.0.1')
    .add(
      'web',
      { at: '10.9.0.1', port: 8443, tags: ['v1'], meta: { 'svcb-alpn': 'h2,http/1.1' } },
      { at: '2001:db8::2', port: 8443, meta: { 'svcb-alpn': 'h3', 'svcb-priority': '2' } },
      { at: '10.9.0.3', port: 80 },
    )
    .add('plain', { node: 'n1', nodeAt: '10.0.0.1', port: 0 })
    .add('sick', { at: '10.9.0.4', port: 1, weight: 0, meta: { 'svcb-priority': '7' } })
    .add('far', { at: 'db.example.org', port: 5432, meta: { 'svcb-alpn': 'postgresql' } })
    .add(
      'dot',
      { at: '10.9.0.5', port: 853, meta: { 'svcb-alpn': 'dot', 'svcb-dohpath': '/q{?dns}' } },
      { at: '10.9.0.5', port: 853, meta: { 'svcb-alpn': 'dot', 'svcb-dohpath': '/q{?dns}' } },
    )
    .add('old', {
      at: '10.9.0.6',
      port: 443,
      // An earlier release did not check them.
      meta: { 'svcb-alpn': 'h2,,', 'svcb-ech': 'x', 'svcb-no-default-alpn': 'true' },
    })
    .add('only', {
      at: '10.9.0.7',
      port: 443,
      meta: { 'svcb-alpn': 'h2', 'svcb-no-default-alpn': 'true', 'svcb-ech': 'AAECAw==' },
    })
    .add('inner', { at: 'old.service.consul', port: 8 })
    .addQuery('best', 'web')
  return bench
}

const webGlue = [
  '0a090001.addr.dc1.consul. 10 A 10.9.0.1',
  '20010db8000000000000000000000002.addr.dc1.consul. 10 AAAA 2001:db8::2',
]
const secure = [
  '1 0a090001.addr.dc1.consul. alpn="h2,http/1.1" port=8443 ipv4hint=10.9.0.1',
  '2 20010db8000000000000000000000002.addr.dc1.consul. alpn="h3" port=8443 ipv6hint=2001:db8::2',
]

const cases: Readonly<Record<string, string>> = {
  'web.service.consul SVCB': [
    'NOERROR aa',
    'answer',
    `web.service.consul. 10 SVCB ${secure[0]}`,
    'web.service.consul. 10 SVCB 1 0a090003.addr.dc1.consul. port=80 ipv4hint=10.9.0.3',
    `web.service.consul. 10 SVCB ${secure[1]}`,
    'additional',
    webGlue[0],
    '0a090003.addr.dc1.consul. 10 A 10.9.0.3',
    webGlue[1],
  ].join('\n'),
  // Without the instance that does not say that it speaks HTTPS.
  'web.service.consul HTTPS': [
    'NOERROR aa',
    'answer',
    ...secure.map((data) => `web.service.consul. 10 HTTPS ${data}`),
    'additional',
    ...webGlue,
  ].join('\n'),
  '_web._tcp.service.dc1.consul HTTPS': [
    'NOERROR aa',
    'answer',
    ...secure.map((data) => `_web._tcp.service.dc1.consul. 10 HTTPS ${data}`),
    'additional',
    ...webGlue,
  ].join('\n'),
  'v1.web.service.consul HTTPS': [
    'NOERROR aa',
    'answer',
    `v1.web.service.consul. 10 HTTPS ${secure[0]}`,
    'additional',
    webGlue[0],
  ].join('\n'),
  'best.query.consul HTTPS': [
    'NOERROR aa',
    'answer',
    ...secure.map((data) => `best.query.consul. 10 HTTPS ${data}`),
    'additional',
    ...webGlue,
  ].join('\n'),
  'v1.web.service.alt.test HTTPS': [
    'NOERROR aa',
    'answer',
    `v1.web.service.alt.test. 10 HTTPS ${secure[0]?.replace('.consul.', '.alt.test.')}`,
    'additional',
    '0a090001.addr.dc1.alt.test. 10 A 10.9.0.1',
  ].join('\n'),
  // The port 0 is none, and the node's name is the target of an instance without an address.
  'plain.service.consul SVCB': [
    'NOERROR aa',
    'answer',
    'plain.service.consul. 10 SVCB 1 n1.node.dc1.consul. ipv4hint=10.0.0.1',
    'additional',
    'n1.node.dc1.consul. 10 A 10.0.0.1',
  ].join('\n'),
  'plain.service.consul HTTPS': noData,
  '_plain._tcp.consul SVCB': [
    'NOERROR aa',
    'answer',
    '_plain._tcp.consul. 10 SVCB 1 n1.node.dc1.consul. ipv4hint=10.0.0.1',
    'additional',
    'n1.node.dc1.consul. 10 A 10.0.0.1',
  ].join('\n'),
  // Clients look for HTTPS records only where they look for addresses.
  '_web._tcp.consul HTTPS': noData,
  'n1.node.consul SVCB': noData,
  'n1.node.consul HTTPS': noData,
  // An instance with the weight 0 comes last.
  'sick.service.consul SVCB': [
    'NOERROR aa',
    'answer',
    'sick.service.consul. 10 SVCB 65535 0a090004.addr.dc1.consul. port=1 ipv4hint=10.9.0.4',
    'additional',
    '0a090004.addr.dc1.consul. 10 A 10.9.0.4',
  ].join('\n'),
  // Beside an alias, as SRV; HTTPS is looked up at the target of the alias.
  'far.service.consul SVCB':
    'NOERROR aa\nanswer\nfar.service.consul. 10 SVCB 1 db.example.org. alpn="postgresql" port=5432',
  'far.service.consul HTTPS': 'NOERROR aa\nanswer\nfar.service.consul. 10 CNAME db.example.org.',
  'dot.service.consul SVCB': [
    'NOERROR aa',
    'answer',
    'dot.service.consul. 10 SVCB 1 0a090005.addr.dc1.consul. alpn="dot" port=853 ipv4hint=10.9.0.5 dohpath="/q{?dns}"',
    'additional',
    '0a090005.addr.dc1.consul. 10 A 10.9.0.5',
  ].join('\n'),
  'old.service.consul SVCB': [
    'NOERROR aa',
    'answer',
    'old.service.consul. 10 SVCB 1 0a090006.addr.dc1.consul. port=443 ipv4hint=10.9.0.6',
    'additional',
    '0a090006.addr.dc1.consul. 10 A 10.9.0.6',
  ].join('\n'),
  'old.service.consul HTTPS': noData,
  'inner.service.consul SVCB': [
    'NOERROR aa',
    'answer',
    'inner.service.consul. 10 SVCB 1 old.service.consul. port=8',
    'additional',
    'old.service.consul. 10 A 10.9.0.6',
  ].join('\n'),
  'only.service.consul HTTPS': [
    'NOERROR aa',
    'answer',
    'only.service.consul. 10 HTTPS 1 0a090007.addr.dc1.consul. alpn="h2" no-default-alpn port=443 ipv4hint=10.9.0.7 ech=AAECAw==',
    'additional',
    '0a090007.addr.dc1.consul. 10 A 10.9.0.7',
  ].join('\n'),
}

t.test('SVCB and HTTPS records have what the table says', async (t) => {
  const bench = registry()
  for (const [asked, wanted] of Object.entries(cases)) {
    const [name = '', type = ''] = asked.split(' ')
    t.equal(replyText(bench.ask(name, type, { edns: 4096 })), wanted, asked)
    t.equal(replyText(bench.ask(name, type, { edns: 4096 })), wanted, `${asked}, from the cache`)
  }
  t.strictSame(bench.errors, [])
})

t.test('an SVCB answer that is too long is cut as an SRV answer is', async (t) => {
  const bench = new Bench()
  for (let n = 0; n < 100; n++) bench.registry.add('web', { at: `10.9.1.${n}`, port: 8000 + n })
  const ask = (client: string, edns?: number) =>
    bench.ask('web.service.consul', 'SVCB', { client, edns })
  const small = ask('10.1.1.1')
  t.ok(small.flags.includes('tc') && small.bytes <= 512 && small.answer.length >= 5)
  t.equal(small.additional.length, 0)
  const large = ask('10.1.1.1', 1232)
  t.ok(large.flags.includes('tc') && large.bytes <= 1232 && large.bytes > 1232 - 80)
  t.equal(large.udpBytes, 1232, 'OPT stays')
  t.strictSame(ask('10.1.1.77', 1232).answer, large.answer, 'one network, one part of it')
  const others = ['10.1.2.1', '10.2.3.4', '192.0.2.1', '2001:db8::1'].map((client) => ask(client))
  t.ok(new Set([small, ...others].map(({ answer }) => answer[0]?.data)).size > 2)
  const whole = bench.ask('web.service.consul', 'SVCB', { tcp: true })
  t.strictSame([whole.flags.includes('tc'), whole.answer.length], [false, 100])
  t.equal(whole.additional.length, 100)
  bench.zone = { ...bench.zone, enableTruncate: false }
  bench.versions.bumpGeneration()
  t.ok(ask('10.1.1.1').flags.includes('tc'), 'as for other types than addresses and SRV')
})

t.test('the target of SVCB is never compressed, and the parameters are in order', async (t) => {
  const bench = registry()
  const bytes = bench.send(buildQuery('v1.web.service.consul', 'HTTPS'))
  const target = '08306130393030303104616464720364633106636f6e73756c00'
  const data = `0001${target}000100 0c026832 08687474702f312e31 00030002 20fb 00040004 0a090001`
  t.match(bytes?.toString('hex'), data.replaceAll(' ', ''))
})

/** RFC 9460 Appendix D: the data of SVCB records, and what is wrong with others. */
const vectors: Readonly<Record<string, string>> = {
  '0 foo.example.com.': '000003666f6f076578616d706c6503636f6d00',
  '1 .': '000100',
  '16 foo.example.com. port=53': '001003666f6f076578616d706c6503636f6d00000300020035',
  '1 foo.example.com. key667="hello"': '000103666f6f076578616d706c6503636f6d00029b000568656c6c6f',
  '1 foo.example.com. key667="hello\\210qoo"':
    '000103666f6f076578616d706c6503636f6d00029b000968656c6c6fd2716f6f',
  '1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1':
    '000103666f6f076578616d706c6503636f6d000006002020010db800000000000000000000000120010db8000000000000000000530001',
  '16 foo.example.org. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1':
    '001003666f6f076578616d706c65036f7267000000000400010004000100090268320568332d313900040004c0000201',
  '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"':
    '001003666f6f076578616d706c65036f7267000001000c08665c6f6f2c626172026832',
}
const refused = [
  '1 foo.example.com. key123=abc key123=def',
  '1 foo.example.com. mandatory',
  '1 foo.example.com. alpn',
  '1 foo.example.com. port',
  '1 foo.example.com. ipv4hint',
  '1 foo.example.com. no-default-alpn=abc',
  '1 foo.example.com. mandatory=key123',
  '1 foo.example.com. mandatory=mandatory',
  '1 foo.example.com. mandatory=key123,key123 key123=abc',
]

const head = '$ORIGIN example.com.\n$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns.example.net.\n'

t.test('a zone file accepts and refuses the test vectors of RFC 9460', async (t) => {
  for (const type of ['SVCB', 'HTTPS']) {
    for (const [text, octets] of Object.entries(vectors)) {
      const parsed = parseZoneFile(`${head}svc ${type} ${text}\n`, { file: 'x.zone' })
      if ('faults' in parsed) throw new Error(`${text}: ${parsed.faults.join()}`)
      const [record] = allRecords(parsed.zone.records).filter(({ name }) => name[0] === 'svc')
      const data = Buffer.from(record === undefined ? '' : encodeData(record.data), 'latin1')
      t.equal(data.toString('hex'), octets, text)
      t.equal(formatServiceBinding(data), text, `${text}, read back`)
      const bench = new Bench()
      bench.zone = { ...bench.zone, staticZones: staticZones([parsed.zone]) }
      t.equal(bench.ask('svc.example.com', type).answer[0]?.data, text, `${text}, over DNS`)
    }
    for (const text of refused) {
      const parsed = parseZoneFile(`${head}svc ${type} ${text}\n`, { file: 'x.zone' })
      t.match('faults' in parsed ? parsed.faults : [], [/^x\.zone:5: /], text)
    }
  }
})

t.test(
  'the addresses of targets in a zone file follow an HTTPS record (RFC 9460 §4.1)',
  async (t) => {
    const text = `${head}@ HTTPS 1 www\n@ HTTPS 2 .\n@ HTTPS 3 web.service.consul.\nwww A 192.0.2.1\nwww AAAA 2001:db8::1\n`
    const parsed = parseZoneFile(text, { file: 'x.zone' })
    if ('faults' in parsed) throw new Error(parsed.faults.join())
    const bench = registry()
    bench.zone = { ...bench.zone, staticZones: staticZones([parsed.zone]) }
    const { answer, additional } = bench.ask('example.com', 'HTTPS', { edns: 1232 })
    t.equal(answer.length, 3)
    t.strictSame(
      additional.map(({ name, data }) => `${name} ${data}`),
      [
        'www.example.com. 192.0.2.1',
        'www.example.com. 2001:db8::1',
        'web.service.consul. 10.9.0.1',
        'web.service.consul. 10.9.0.3',
        'web.service.consul. 2001:db8::2',
      ],
    )
  },
)

t.test('data of SVCB that is malformed is printed as octets', async (t) => {
  const sound = Buffer.from('001003666f6f00000300020035', 'hex')
  t.equal(formatServiceBinding(sound), '16 foo. port=53')
  for (let length = 0; length < sound.length; length++) {
    const text = formatServiceBinding(sound.subarray(0, length))
    t.equal(text, length === 7 ? '16 foo.' : undefined, `${length} octets`)
  }
  for (const bad of [
    '00010000030001ff',
    '0001000002000100',
    '00010000040003c00002',
    '00010000010002ff61',
  ]) {
    t.equal(formatServiceBinding(Buffer.from(bad, 'hex')), undefined, bad)
  }
})
