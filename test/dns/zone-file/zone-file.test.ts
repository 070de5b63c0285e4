import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { formatName } from '../../../src/dns/name.ts'
import { allRecords } from '../../../src/dns/packed-records.ts'
import { readZoneFiles } from '../../../src/resolver/zones/zone-files.ts'
import { parseZoneFile } from '../../../src/dns/zone-file/zone-file.ts'
import { lookUpStatic, staticZones } from '../../../src/dns/static-zone.ts'
import { Bench, replyText } from '../fixture.ts'
import type { StaticZone } from '../../../src/dns/static-zone.ts'

const example = new URL('../../../zones/example.zone', import.meta.url)

function parse(text: string): StaticZone {
  const result = parseZoneFile(text, { file: 'x.zone' })
  if ('faults' in result) throw new Error(result.faults.join('\n'))
  return result.zone
}

function served(text: string): Bench {
  const bench = new Bench()
  bench.registry.addNode('n1', '10.0.0.1').add('web', { at: '10.9.0.1', port: 80 })
  bench.zone = { ...bench.zone, staticZones: staticZones([parse(text)]) }
  return bench
}

const soa =
  'example.org. 300 SOA ns.example.org. hostmaster.example.org. 2025010101 3600 900 1209600 300'

const cases: Record<string, readonly string[]> = {
  'www.example.org A': [
    'NOERROR aa',
    'answer',
    'web.service.consul. 10 A 10.9.0.1',
    'www.example.org. 3600 CNAME web.service.consul.',
  ],
  'www.example.org CNAME': [
    'NOERROR aa',
    'answer',
    'www.example.org. 3600 CNAME web.service.consul.',
  ],
  'example.org SOA': ['NOERROR aa', 'answer', soa.replace(' 300 SOA', ' 3600 SOA')],
  'example.org NS': [
    'NOERROR aa',
    'answer',
    'example.org. 3600 NS ns.example.org.',
    'additional',
    'ns.example.org. 3600 A 192.0.2.53',
    'ns.example.org. 3600 AAAA 2001:db8::53',
  ],
  'example.org MX': [
    'NOERROR aa',
    'answer',
    'example.org. 3600 MX 10 mail.example.org.',
    'additional',
    'mail.example.org. 3600 A 192.0.2.25',
  ],
  'eXample.org TXT': ['NOERROR aa', 'answer', 'eXample.org. 3600 TXT "v=spf1 mx -all"'],
  'example.org A': ['NOERROR aa', 'authority', soa],
  'nope.example.org A': ['NXDOMAIN aa', 'authority', soa],
  // Wildcards (RFC 4592): any depth below, not the name itself, not past what exists.
  'x.apps.example.org A': ['NOERROR aa', 'answer', 'x.apps.example.org. 3600 A 192.0.2.80'],
  'x.y.apps.example.org A': ['NOERROR aa', 'answer', 'x.y.apps.example.org. 3600 A 192.0.2.80'],
  'x.apps.example.org AAAA': ['NOERROR aa', 'authority', soa],
  'apps.example.org A': ['NOERROR aa', 'authority', soa],
  '_tcp.example.org A': ['NOERROR aa', 'authority', soa],
  'x._tcp.example.org A': ['NXDOMAIN aa', 'authority', soa],
  '_sip._tcp.example.org SRV': [
    'NOERROR aa',
    'answer',
    '_sip._tcp.example.org. 3600 SRV 10 60 5060 mail.example.org.',
    'additional',
    'mail.example.org. 3600 A 192.0.2.25',
  ],
  // Delegation
  'a.lab.example.org A': [
    'NOERROR',
    'authority',
    'lab.example.org. 3600 NS ns.lab.example.org.',
    'additional',
    'ns.lab.example.org. 3600 A 192.0.2.99',
  ],
  'lab.example.org NS': [
    'NOERROR',
    'authority',
    'lab.example.org. 3600 NS ns.lab.example.org.',
    'additional',
    'ns.lab.example.org. 3600 A 192.0.2.99',
  ],
  'web.service.consul A': ['NOERROR aa', 'answer', 'web.service.consul. 10 A 10.9.0.1'],
  'other.org A': ['REFUSED'],
}

t.test('zones/example.zone is served as the table says', async (t) => {
  const bench = served(readFileSync(example, 'utf8'))
  for (const [asked, wanted] of Object.entries(cases)) {
    const [name = '', type = ''] = asked.split(' ')
    t.equal(replyText(bench.ask(name, type, { edns: 1232 })), wanted.join('\n'), asked)
  }
})

const head = '$ORIGIN example.org.\n$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns.example.net.\n'

t.test('the forms a master file may take', async (t) => {
  const bench = served(
    [
      '$TTL 1h30m',
      'example.org. IN SOA ns.example.org. a\\.b.example.org. ( 1 1d',
      '  1w ; a comment; with a semicolon',
      '  4 5 )',
      '\tIN NS ns.example.net.',
      '$ORIGIN sub.example.org.',
      'a 7 IN A 10.0.0.1',
      '  IN 7 A 10.0.0.2 ; the owner of the line above, class and TTL the other way round',
      'A 7 A 10.0.0.2',
      't TXT one "two three" "a\\"b" "\\007\\;"',
      'u TYPE1000 \\# 3 0a0b 0C',
      '@ PTR x.',
    ].join('\r\n'),
  )
  const text = (name: string, type: string): string[] =>
    bench
      .ask(name, type)
      .answer.map(({ ttl, data }) => `${ttl} ${data}`)
      .toSorted()
  t.same(text('a.sub.example.org', 'A'), ['7 10.0.0.1', '7 10.0.0.2'])
  t.same(text('t.sub.example.org', 'TXT'), ['5400 "one" "two three" "a\\"b" "\\u0007;"'])
  t.same(text('u.sub.example.org', 'TYPE1000'), ['5400 \\# 3 0a0b0c'])
  t.same(text('sub.example.org', 'PTR'), ['5400 x.'])
  t.same(text('example.org', 'SOA'), ['5400 ns.example.org. a.b.example.org. 1 86400 604800 4 5'])
})

const faulty: Record<string, readonly [string, string]> = {
  'an address': [`${head}a A 10.0.0.256\n`, 'x.zone:5: "10.0.0.256" is not a valid IPv4 address'],
  'an IPv6 address': [
    `${head}a AAAA 10.0.0.1\n`,
    'x.zone:5: "10.0.0.1" is not a valid IPv6 address',
  ],
  'a type': [`${head}a FOO x\n`, 'x.zone:5: "FOO" is not a valid record type'],
  'a question type': [`${head}a ANY x\n`, 'x.zone:5: "ANY" is not a valid record type'],
  'a class': [`${head}a CH A 10.0.0.1\n`, 'x.zone:5: class CH is not supported; use IN'],
  'a field too few': [
    `${head}\n\na SRV 1 2 3\n`,
    'x.zone:7: expected priority, weight, port, target; found 3 fields',
  ],
  'a port': [`${head}a SRV 1 2 65536 x\n`, 'x.zone:5: "65536" is not a number from 0 to 65535'],
  'a name': [`${head}a..b A 10.0.0.1\n`, 'x.zone:5: "a..b" is not a valid name'],
  'a name that is long': [`${head}a CNAME ${'abcdefgh.'.repeat(27)}\n`, ''],
  'a long relative name': [
    `${head}${'abcdefgh.'.repeat(27)}x A 10.0.0.1\n`,
    `x.zone:5: "${'abcdefgh.'.repeat(27).slice(0, 60)}…" is not a valid name`,
  ],
  'a TTL': [`${head}a 1y A 10.0.0.1\n`, 'x.zone:5: "1y" is not a valid time; use seconds or 1h30m'],
  'no TTL': [
    'a.example.org. A 10.0.0.1\n',
    'x.zone:1: no TTL; add a $TTL line at the top of the file',
  ],
  'no origin': [
    'a 1 A 10.0.0.1\n',
    'x.zone:1: "a" has no final dot, and there is no $ORIGIN before it',
  ],
  'a file to include': [
    `${head}$INCLUDE y\n`,
    'x.zone:5: $INCLUDE "y": no file can be included here',
  ],
  'a range': [
    `${head}$GENERATE 1-99999 a$ A 10.0.0.1\n`,
    'x.zone:5: $GENERATE would create 99999 records; the limit is 65536',
  ],
  'a signed zone': [
    `${head}@ RRSIG A 8 2 60 1 1 1 example.org. AA==\n`,
    'x.zone:5: RRSIG belongs to a signed zone, which svcd does not serve; use the unsigned zone file',
  ],
  'a parenthesis': [`${head}a TXT ( "x"\nb TXT "y"\n`, 'x.zone:5: a "(" is never closed'],
  'the other parenthesis': [`${head}a TXT "x" )\n`, 'x.zone:5: a ")" without a "(" before it'],
  'a quote': [`${head}a TXT "x\n`, 'x.zone:5: a quoted string is not closed on its line'],
  'a long string': [
    `${head}a TXT ${'x'.repeat(256)}\n`,
    'x.zone:5: a string has 256 octets; the limit is 255',
  ],
  'no SOA': ['$TTL 1\n$ORIGIN a.\n@ NS b.\n', 'x.zone:1: the file has no SOA record'],
  'two SOAs': [
    `${head}@ SOA ns host 1 2 3 4 6\n`,
    'x.zone:5: a second SOA record; a zone has exactly one',
  ],
  'no NS': [`$ORIGIN a.\n@ 1 SOA ns host 1 2 3 4 5\n`, 'x.zone:2: the zone a. has no NS record'],
  'hex data': [
    `${head}a TYPE1000 \\# 2 0a\n`,
    'x.zone:5: \\# 2 must be followed by 2 octets in hexadecimal',
  ],
}

t.test('an error has file, line and reason', async (t) => {
  for (const [title, [text, wanted]] of Object.entries(faulty)) {
    const result = parseZoneFile(text, { file: 'x.zone' })
    t.equal('faults' in result ? result.faults[0] : '', wanted, title)
  }
  const long = parseZoneFile(`${head}a A ${'x'.repeat(1e6)}\n`, { file: 'x.zone' })
  t.ok('faults' in long && (long.faults[0]?.length ?? 0) < 200, 'a long text is not repeated')
  const many = parseZoneFile(`${head}${'a A x\n'.repeat(1000)}`, { file: 'x.zone' })
  t.equal('faults' in many && many.faults.length, 100, 'there is an end to it')
  const both = parseZoneFile(`${head}a A x\nb A y\nc A 10.0.0.1\n`, { file: 'x.zone' })
  t.equal('faults' in both && both.faults.length, 2, 'all faults are named at once')
})

t.test('the path of an included file is relative to the file that includes it', async (t) => {
  const directory = t.testdir({
    'a.zone': `${head}$INCLUDE parts/b.inc sub\nlast A 10.0.0.4\n`,
    parts: {
      'b.inc': 'b A 10.0.0.1\n$ORIGIN other\n$INCLUDE c.inc\n  A 10.0.0.2\n',
      'c.inc': '@ A 10.0.0.3\n',
      'loop.inc': '$INCLUDE ../loop.zone\n',
      'deep.inc': 'x A 10.0.0.1\n',
    },
  })
  const { zones } = readZoneFiles(directory)
  const names = allRecords(must(zones[0]).records)
    .filter(({ type }) => type === 1)
    .map(({ name, data }) => `${data.kind === 'ip' && data.ip.at(-1)} ${formatName(name)}`)
    .toSorted()
  t.strictSame(names, [
    '1 b.sub.example.org.',
    '2 b.sub.example.org.',
    '3 other.sub.example.org.',
    '4 last.example.org.',
  ])
  writeFileSync(join(directory, 'loop.zone'), `${head}$INCLUDE parts/loop.inc\n`)
  t.throws(() => readZoneFiles(directory), {
    code: 'zone-invalid',
    message: /parts\/loop\.inc:1: \$INCLUDE "\.\.\/loop\.zone": the file includes itself/,
  })
  const chain = parseZoneFile(`${head}$INCLUDE 0\n`, {
    file: 'x.zone',
    include: (path) => ({ file: path, text: `$INCLUDE ${Number(path) + 1}\n` }),
  })
  t.match('faults' in chain && chain.faults, [/^9:1: \$INCLUDE: more than 10 nested files$/])
})

t.test(
  'without $ORIGIN the name of the file is the origin, and two files cannot contain one zone',
  async (t) => {
    const zone = '@ 60 SOA ns.example.net. host 1 2 3 4 5\n@ NS ns.example.net.\n'
    const directory = t.testdir({ 'Example.com.zone': zone, 'other.txt': 'x' })
    const { zones } = readZoneFiles(directory)
    t.strictSame(
      zones.map(({ origin }) => origin),
      [['Example', 'com']],
    )
    writeFileSync(join(directory, 'x.zone'), `$ORIGIN example.com.\n${zone}`)
    t.throws(() => readZoneFiles(directory), {
      code: 'zone-invalid',
      message: /x\.zone:1: .*Example\.com\.zone already defines example\.com\./,
    })
  },
)

t.test('the SOA must be at the top of the zone that the file is named after', async (t) => {
  const rest = 'SOA ns host 1 2 3 4 5\n  NS ns.example.net.\n'
  const cases: Record<string, string | RegExp> = {
    [`$ORIGIN z.example\n@ 60 ${rest}`]:
      /:2: the SOA record is at z\.example\.z\.example\., not at the top of the zone z\.example\.; \$ORIGIN "z\.example" has no final dot/,
    [`sub 60 ${rest}`]: /:1: the SOA record is at sub\.z\.example\., not at the top/,
    [`$ORIGIN .\n$ORIGIN z.example\n@ 60 ${rest}`]: 'z.example.',
    [`z.example. 60 ${rest}`]: 'z.example.',
    // An absolute name may name another zone.
    [`$ORIGIN other.example.\n@ 60 ${rest}`]: 'other.example.',
    [`$ORIGIN below.z.example.\n@ 60 ${rest}`]: 'below.z.example.',
    [`other.example. 60 ${rest}`]: 'other.example.',
  }
  for (const [text, wanted] of Object.entries(cases)) {
    const directory = t.testdir({ 'z.example.zone': text })
    if (typeof wanted === 'string') {
      t.equal(formatName(must(readZoneFiles(directory).zones[0]).origin), wanted, text)
    } else {
      t.throws(() => readZoneFiles(directory), { code: 'zone-invalid', message: wanted }, text)
    }
  }
})

t.test('a name that repeats the origin gives a warning: its final dot is missing', async (t) => {
  const text = `${head}www.example.org A 10.0.0.1\na MX 5 mail.example.org\nb A 10.0.0.2\nc.org A 10.0.0.3\n`
  const result = parseZoneFile(text, { file: 'x.zone' })
  t.match(result.warnings, [
    'x.zone:5: www.example.org.example.org. repeats example.org.; a final dot is probably missing',
    /^x\.zone:6: the MX host mail\.example\.org\.example\.org\. has no address/,
    /^x\.zone:6: mail\.example\.org\.example\.org\. repeats example\.org\./,
  ])
  t.equal(result.warnings.length, 3)
})

t.test(
  "a file for the registry's own domain is refused, records of a file above it give warnings",
  async (t) => {
    const domains = [['consul'], ['svc', 'example', 'org']]
    const zone = '@ 60 SOA ns.example.net. host 1 2 3 4 5\n@ 60 NS ns.example.net.\n'
    for (const name of ['consul', 'Svc.Example.org']) {
      const directory = t.testdir({ [`${name}.zone`]: `${zone}x 60 A 10.0.0.1\n` })
      t.throws(() => readZoneFiles(directory, domains), {
        code: 'zone-invalid',
        message: new RegExp(`${name}.zone:1: the registry itself answers for ${name}\\.`, 'i'),
      })
    }
    const above = parseZoneFile(
      [
        head,
        'svc NS ns.svc',
        'ns.svc A 10.0.0.1',
        'web.service.svc A 10.0.0.2',
        'svc TXT "x"',
        'a.svcs A 10.0.0.3',
      ].join('\n'),
      { file: 'x.zone', domains },
    )
    t.strictSame(
      above.warnings.filter((text) => text.includes('registry')),
      [
        'x.zone:8: web.service.svc.example.org. is never served: the registry answers for svc.example.org.',
        'x.zone:9: svc.example.org. is never served: the registry answers for svc.example.org.',
      ],
    )
    const plain = parseZoneFile(`${head}a.svc A 10.0.0.1\nsvc TXT "x"\n`, {
      file: 'x.zone',
      domains,
    })
    t.equal(plain.warnings.length, 2)
    const below = parseZoneFile(`$ORIGIN static.consul.\n${zone}`, { file: 'x.zone', domains })
    t.ok('zone' in below && below.warnings.length === 0, 'below it a file is served')
  },
)

t.test('$GENERATE creates the same records as in BIND', async (t) => {
  const zone = parse(
    `${head}$GENERATE 8-12/2 h\${0,3,d}.\${-8,2,x} 30 A 10.0.0.$\n$GENERATE 1-1 c$ TXT "\\$ $$ $"\n`,
  )
  const made = allRecords(zone.records)
    .filter(({ name }) => name.length > 2)
    .toSorted((a, b) => (formatName(a.name) < formatName(b.name) ? -1 : 1))
  t.strictSame(
    made.map(({ name, ttl, data }) => [
      formatName(name),
      ttl,
      data.kind === 'ip' ? data.ip.join('.') : data.kind === 'raw' && String(data.bytes),
    ]),
    [
      ['c1.example.org.', 60, '\u0005$ $ 1'],
      ['h008.00.example.org.', 30, '10.0.0.8'],
      ['h010.02.example.org.', 30, '10.0.0.10'],
      ['h012.04.example.org.', 30, '10.0.0.12'],
    ],
  )
})

t.test('a large file of nonsense is refused quickly and in few words', async (t) => {
  const lines = (text: string): readonly string[] => {
    const result = parseZoneFile(text, { file: 'x' })
    return 'faults' in result ? result.faults : result.warnings
  }
  t.match(lines('\0'.repeat(4e6)), [/^x:1: the line contains a NUL octet$/])
  t.equal(lines('\0\n'.repeat(4e5)).length, 100)
  t.match(lines(`${head}(${'a A 1.2.3.4\n'.repeat(4e5)}`), [/^x:5: a "\(" is never closed$/])
  t.equal(lines(`${head}${'a.net. A 1.2.3.4\n'.repeat(1e5)}`).length, 101)
  t.strictSame(lines(`${head}a TXT ${'x '.repeat(1e5)}\n`), [
    'x:5: the data has 200000 octets; the limit is 65535',
  ])
})

t.test('a zone of 100,000 names is searched no slower than a small one', async (t) => {
  const names = Array.from({ length: 1e5 }, (_, at) => `h${at}.s${at % 100} A 10.0.0.1`)
  const [small, large] = [parse(`${head}h1.s1 A 10.0.0.1\n`), parse(`${head}${names.join('\n')}\n`)]
  const millis = (zone: StaticZone): number => {
    const beganMs = performance.now()
    for (let at = 0; at < 20_000; at++) lookUpStatic(zone, ['h1', 's1', 'example', 'org'], 1)
    return performance.now() - beganMs
  }
  millis(small)
  t.ok(millis(large) < 10 * millis(small) + 50)
})

t.test('any text at all is a zone or a list of faults', async (t) => {
  const word = fc.constantFrom(
    '@',
    'a',
    'IN',
    '60',
    'A',
    '10.0.0.1',
    'TXT',
    '"',
    '(',
    ')',
    ';',
    '\\',
    '\n',
    ' ',
    '$TTL',
    'SRV',
    '\\#',
    '.',
    'SOA',
    'é',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 40 }).map((words) => head + words.join(' ')),
  )
  const result = fc.check(
    fc.property(text, (text) => {
      const parsed = parseZoneFile(text, { file: 'x' })
      return 'zone' in parsed || parsed.faults.every((fault) => /^x:\d+: ./.test(fault))
    }),
    { numRuns: 3000 },
  )
  t.notOk(result.failed, fc.defaultReportMessage(result) ?? 'holds')
})

t.test('the zone with the longest origin answers', async (t) => {
  const bench = served(head + 'a A 10.0.0.1\n')
  const inner = parse(
    '$ORIGIN static.consul.\n@ 9 SOA ns host 1 2 3 4 5\n@ 9 NS ns.example.net.\nx 9 A 10.0.0.3\n',
  )
  bench.zone = {
    ...bench.zone,
    staticZones: staticZones([...bench.zone.staticZones.values(), inner]),
  }
  t.equal(bench.ask('x.static.consul', 'A').answer[0]?.data, '10.0.0.3')
  t.equal(bench.ask('y.static.consul', 'A').authority[0]?.name, 'static.consul.')
  t.equal(bench.ask('y.consul', 'A').authority[0]?.name, 'consul.')
})
