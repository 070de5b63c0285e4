import t from 'tap'
import { staticZones } from '../../src/dns/static-zone.ts'
import { parseZoneFile } from '../../src/dns/zone-file/zone-file.ts'
import { Bench } from './fixture.ts'

function bench(instances: number): Bench {
  const bench = new Bench()
  bench.registry.addNode('n1', '10.0.0.1', { os: 'linux' })
  for (let n = 0; n < instances; n++) {
    bench.registry.add('web', { node: `node-${n}`, nodeAt: `10.1.0.${n}`, port: 8000 + n })
  }
  return bench
}

t.test('the serial of the SOA is the index that is applied, in cached answers too', async (t) => {
  const server = bench(1)
  const zoneText = '$ORIGIN example.org.\n@ 9 SOA ns.net. host 77 2 3 4 5\n@ 9 NS ns.net.\n'
  const parsed = parseZoneFile(zoneText, { file: 'x.zone' })
  if ('faults' in parsed) throw new Error(parsed.faults.join())
  server.registry.add('alias', { at: 'nope.service.consul' })
  server.zone = { ...server.zone, staticZones: staticZones([parsed.zone]) }
  const asked = [
    'consul SOA',
    'consul ANY',
    'web.service.consul AAAA',
    'nope.service.consul A',
    'nope.service.alt.test A',
    'alias.service.consul A',
    'service.consul A',
    'a.1.0.0.10.in-addr.arpa PTR',
  ]
  const serials = (): Record<string, string | undefined> =>
    Object.fromEntries(
      asked.map((each) => {
        const [name = '', type = ''] = each.split(' ')
        const { answer, authority } = server.ask(name, type, { edns: 1232 })
        const soa = [...answer, ...authority].find((record) => record.type === 'SOA')
        return [each, soa?.data.split(' ')[2]]
      }),
    )
  const all = (serial: string): Record<string, string> =>
    Object.fromEntries(asked.map((each) => [each, serial]))
  t.strictSame(serials(), all('7'))
  t.strictSame(serials(), all('7'))
  const { hits, misses } = server.responder.counters
  for (const index of [8, 300, 70_000, 2 ** 31 + 5, 2 ** 32 - 1, 2 ** 32 + 9]) {
    server.versions.index = index
    server.versions.bump([])
    t.strictSame(serials(), all(String(index % 2 ** 32)), `index ${index}`)
  }
  t.equal(server.responder.counters.misses, misses + 6, 'only what depends on all is made again')
  t.ok(server.responder.counters.hits > hits)
  for (let n = 0; n < 3; n++) {
    t.match(
      server.ask('x.example.org', 'A').authority[0]?.data,
      / 77 2 3 4 5$/,
      "a file's is its own",
    )
    server.versions.index = n
    t.equal(server.ask(`flood${n}.service.consul`, 'A').authority[0]?.data.split(' ')[2], `${n}`)
  }
})

t.test('without enable_truncate, a cut answer that has hosts goes out without TC', async (t) => {
  const server = bench(100)
  const long = 'x'.repeat(255)
  server.registry.addNode('meta', '10.0.0.9', { a: long, b: long, c: long })
  server.registry.add('far', { at: `${'h'.repeat(60)}.${'i'.repeat(60)}.example.org`, port: 1 })
  for (let n = 0; n < 9; n++) {
    server.registry.add('long', { at: `h${n}.${'h'.repeat(60)}.${'i'.repeat(60)}.org`, port: n })
  }
  const isCut = (name: string, type: string, tcp = false): string => {
    const { flags, answer } = server.ask(name, type, { tcp })
    return `${flags.includes('tc')} ${answer.length > 0}`
  }
  for (const enableTruncate of [true, false]) {
    server.zone = { ...server.zone, enableTruncate }
    server.versions.bumpGeneration()
    for (let n = 0; n < 2; n++) {
      t.equal(isCut('web.service.consul', 'A'), `${enableTruncate} true`)
      t.equal(isCut('web.service.consul', 'SRV'), `${enableTruncate} true`)
      t.equal(isCut('long.service.consul', 'SRV'), `${enableTruncate} true`)
      t.equal(isCut('web.service.consul', 'ANY'), `${enableTruncate} true`)
      t.equal(isCut('web.service.consul', 'A', true), 'false true', 'all of it')
      t.equal(isCut('far.service.consul', 'SRV'), 'false true')
      t.equal(isCut('meta.node.consul', 'TXT'), 'true true', 'a part of a text is no answer')
    }
  }
  const counts = new Map<string, number>()
  for (let n = 0; n < 100; n++) {
    for (const { data } of server.ask('web.service.consul', 'A').answer) {
      counts.set(data, (counts.get(data) ?? 0) + 1)
    }
  }
  t.equal(counts.size, 100, 'all instances get their share')
  t.ok(server.responder.counters.truncated > 100, 'cut answers are counted')
})
