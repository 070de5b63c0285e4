import t from 'tap'
import { querySubject } from '../../src/state/query/subjects.ts'
import { subject } from '../../src/state/catalog/subjects.ts'
import { Bench, endpoint, replyText } from './fixture.ts'

const soa = 'consul. 0 SOA ns.consul. hostmaster.consul. 7 3600 600 86400 0'
const noData = `NOERROR aa\nauthority\n${soa}`
const noName = `NXDOMAIN aa\nauthority\n${soa}`

function registry(): Bench {
  const bench = new Bench()
  bench.registry
    .add(
      'web',
      { node: 'N1', at: '10.9.0.1', port: 8080, weight: 3 },
      { node: 'n2', at: '10.9.0.2', port: 8081 },
    )
    .add('six', { at: '2001:db8::1' })
    .add('host', { at: 'db.example.org', port: 5432 })
    .add('down')
    .addQuery('best', 'web')
    .addQuery('dbs', 'db', { ttl: 90 })
    .addQuery('six', 'six', { ttl: 0 })
    .addQuery('named', 'host')
    .addQuery('a.b', 'web', { ttl: 1 })
    .addQuery('empty', 'down')
    .addQuery('x.empty', 'web')
    .addQuery('none', 'nobody')
    .addQuery('_odd', 'web')
  bench.registry.add('db', { at: '10.9.0.3', port: 5432 })
  return bench
}

const bestA = (name: string): string =>
  `NOERROR aa\nanswer\n${name} 10 A 10.9.0.1\n${name} 10 A 10.9.0.2`

const cases: Readonly<Record<string, string>> = {
  'best.query.consul A': bestA('best.query.consul.'),
  'best.query.dc1.consul A': bestA('best.query.dc1.consul.'),
  'best.query.dc1.dc.consul A': bestA('best.query.dc1.dc.consul.'),
  'bESt.QUERY.consul A': bestA('bESt.QUERY.consul.'),
  '_best._tcp.query.consul A': bestA('_best._tcp.query.consul.'),
  '_best._whatever.query.dc1.consul A': bestA('_best._whatever.query.dc1.consul.'),
  'best.query.alt.test A': bestA('best.query.alt.test.'),
  'best.query.consul SRV': `NOERROR aa
answer
best.query.consul. 10 SRV 1 1 8081 0a090002.addr.dc1.consul.
best.query.consul. 10 SRV 1 3 8080 0a090001.addr.dc1.consul.
additional
0a090001.addr.dc1.consul. 10 A 10.9.0.1
0a090002.addr.dc1.consul. 10 A 10.9.0.2`,
  // The TTL of the query counts, or else that of its service.
  'dbs.query.consul A': 'NOERROR aa\nanswer\ndbs.query.consul. 90 A 10.9.0.3',
  'dbs.query.consul SRV': `NOERROR aa
answer
dbs.query.consul. 90 SRV 1 1 5432 0a090003.addr.dc1.consul.
additional
0a090003.addr.dc1.consul. 90 A 10.9.0.3`,
  'six.query.consul AAAA': 'NOERROR aa\nanswer\nsix.query.consul. 0 AAAA 2001:db8::1',
  'six.query.consul A': noData,
  'six.query.consul TXT': noData,
  'six.query.consul MX': noData,
  'named.query.consul A': 'NOERROR aa\nanswer\nnamed.query.consul. 10 CNAME db.example.org.',
  'named.query.consul SRV':
    'NOERROR aa\nanswer\nnamed.query.consul. 10 SRV 1 1 5432 db.example.org.',
  // Names may contain dots.
  'a.b.query.consul A':
    'NOERROR aa\nanswer\na.b.query.consul. 1 A 10.9.0.1\na.b.query.consul. 1 A 10.9.0.2',
  'b.query.consul A': noData,
  'query.consul A': noData,
  'query.dc1.consul A': noData,
  'empty.query.consul A': noData,
  'none.query.consul A': noName,
  'nope.query.consul A': noName,
  'best.query.dc2.consul A': noName,
  'web.service.query.consul A': noName,
  '_odd.query.consul A':
    'NOERROR aa\nanswer\n_odd.query.consul. 10 A 10.9.0.1\n_odd.query.consul. 10 A 10.9.0.2',
}

t.test('a name below query has the records of the chosen instances', async (t) => {
  const bench = registry()
  for (const [question, wanted] of Object.entries(cases)) {
    const [name = '', type = ''] = question.split(' ')
    t.equal(
      replyText(bench.ask(name, type, { tcp: true })),
      wanted.replaceAll('\n alt', '\n'),
      question,
    )
  }
  t.strictSame(bench.errors, [])
})

t.test('a query whose instances are all unhealthy may answer NODATA', async (t) => {
  const bench = registry()
  bench.registry.queries.delete('x.empty')
  t.equal(replyText(bench.ask('empty.query.consul', 'A')), noName)
  bench.zone = { ...bench.zone, emptyAnswer: 'nodata' }
  bench.versions.bumpGeneration()
  t.equal(replyText(bench.ask('empty.query.consul', 'A')), noData)
})

t.test('the near instances stay in front, and the others change places', async (t) => {
  const bench = new Bench()
  bench.registry.add('web', ...[1, 2, 3, 4].map((n) => ({ at: `10.9.0.${n}`, port: n })))
  bench.registry.addQuery('near', 'web', { near: 2 })
  const seen = new Set<string>()
  for (let n = 0; n < 8; n++) {
    const order = bench.ask('near.query.consul', 'A').answer.map(({ data }) => data.slice(-1))
    t.equal(order.slice(0, 2).join(''), '12')
    seen.add(order.slice(2).join(''))
    const ports = bench.ask('near.query.consul', 'SRV').answer.map(({ data }) => data.split(' ')[2])
    t.equal(ports.slice(0, 2).join(''), '12')
  }
  t.strictSame([...seen].toSorted(), ['34', '43'])
})

t.test('the near instances are in every answer that is cut', async (t) => {
  const bench = new Bench()
  const many = Array.from({ length: 100 }, (_, n) => ({ at: `10.9.1.${n}`, port: n }))
  bench.registry.add('web', ...many).addQuery('near', 'web', { near: 1 })
  for (const type of ['A', 'SRV']) {
    const others = new Set<string>()
    for (let n = 0; n < 12; n++) {
      const { answer, flags } = bench.ask('near.query.consul', type, { client: `10.0.${n}.1` })
      t.ok(flags.includes('tc'))
      t.match(answer[0]?.data, type === 'A' ? /^10\.9\.1\.0$/ : /^1 1 0 /)
      for (const { data } of answer.slice(1)) others.add(data)
    }
    t.ok(others.size > 60, `${others.size} of the others had their turn`)
  }
})

t.test('an answer of a query holds until the query or its service changes', async (t) => {
  const bench = registry()
  const { versions, registry: view } = bench
  const ask = (): string =>
    bench
      .ask('best.query.consul', 'A')
      .answer.map(({ ttl, data }) => `${ttl} ${data}`)
      .toSorted()
      .join()
  const reads = (): number => {
    const before = view.reads
    ask()
    return view.reads - before
  }
  t.equal(ask(), '10 10.9.0.1,10 10.9.0.2')
  t.equal(reads(), 0, 'from the cache')
  versions.bump([subject.service('db'), subject.node('n9')])
  versions.bumpQueries([querySubject.name('other'), querySubject.template('x'), querySubject.all])
  versions.all.bump(new Map([['kv', ['key:a', 'tree:']]]))
  t.equal(reads(), 0, 'others have changed')
  view.services.get('web')?.push(endpoint({ at: '10.9.0.9' }))
  versions.bump([subject.service('web')])
  t.equal(ask(), '10 10.9.0.1,10 10.9.0.2,10 10.9.0.9')
  view.addQuery('best', 'db', { ttl: 5 })
  versions.bumpQueries([querySubject.name('best')])
  t.equal(ask(), '5 10.9.0.3')
  t.equal(reads(), 0)
  versions.bump([subject.service('web')])
  t.equal(reads(), 0, 'it has nothing to do with the earlier service any more')
})

t.test('a change of queries voids no answer for a service', async (t) => {
  const bench = registry()
  bench.ask('web.service.consul', 'A')
  const { reads } = bench.registry
  bench.versions.bumpQueries([querySubject.name('best'), querySubject.all])
  bench.ask('web.service.consul', 'A')
  t.equal(bench.registry.reads, reads)
})

t.test('names of a template enter the cache at their second query', async (t) => {
  const bench = new Bench()
  bench.registry.add('web', { at: '10.9.0.1' })
  for (let n = 0; n < 100; n++) {
    bench.registry.addQuery(`t${n}`, 'web', { isOfTemplate: true })
    bench.ask(`t${n}.query.consul`, 'A')
  }
  t.equal(bench.responder.cache.size, 0)
  bench.ask('t1.query.consul', 'A')
  t.equal(bench.responder.cache.size, 1)
})
