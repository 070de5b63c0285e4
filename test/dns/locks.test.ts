import t from 'tap'
import { subject } from '../../src/state/catalog/subjects.ts'
import { kvSubject } from '../../src/state/kv/subjects.ts'
import { Bench, replyText } from './fixture.ts'

const soa = 'consul. 0 SOA ns.consul. hostmaster.consul. 7 3600 600 86400 0'
const noData = `NOERROR aa\nauthority\n${soa}`
const noName = `NXDOMAIN aa\nauthority\n${soa}`
const meta = (name: string): string => `additional\n${name} 0 TXT "os=linux"`

function registry(): Bench {
  const bench = new Bench()
  bench.registry
    .addNode('N1', '10.0.0.1', { os: 'linux' })
    .addNode('both', '10.0.0.7 2001:db8::7')
    .addNode('named', 'host.example.org')
    .add('lock', { at: '10.9.0.1' })
    .add('leader', { at: '10.9.0.2', tags: ['a.lock'] })
  for (const [key, node] of [
    ['cron/.lock', 'N1'],
    ['service/batman/leader', 'both'],
    ['app.v2', 'both'],
    ['twice/.lock', 'N1'],
    ['twice', 'both'],
    ['half/.lock', ''],
    ['half', 'both'],
    ['free/.lock', ''],
    ['alias', 'named'],
    ['leader/eu/.lock', 'N1'],
    ['leader', 'N1'],
    ['gone', 'n9'],
  ] as const) {
    bench.registry.locks.set(key, node)
  }
  return bench
}

const cases: Record<string, string> = {
  'leader.cron.lock.consul A': `NOERROR aa\nanswer\nleader.cron.lock.consul. 0 A 10.0.0.1\n${meta('leader.cron.lock.consul.')}`,
  'leader.cron.lock.dc1.consul A': `NOERROR aa\nanswer\nleader.cron.lock.dc1.consul. 0 A 10.0.0.1\n${meta('leader.cron.lock.dc1.consul.')}`,
  'LEADER.Cron.LOCK.consul A': `NOERROR aa\nanswer\nLEADER.Cron.LOCK.consul. 0 A 10.0.0.1\n${meta('LEADER.Cron.LOCK.consul.')}`,
  'leader.cron.lock.alt.test A': `NOERROR aa\nanswer\nleader.cron.lock.alt.test. 0 A 10.0.0.1\n${meta('leader.cron.lock.alt.test.')}`,
  'leader.cron.lock.consul TXT': 'NOERROR aa\nanswer\nleader.cron.lock.consul. 0 TXT "os=linux"',
  // The lock is held, but there is no record of the type.
  'leader.cron.lock.consul AAAA': noData,
  'leader.cron.lock.consul SRV': noData,
  // The labels are the segments of the key, in the same order.
  'leader.service.batman.leader.lock.consul A':
    'NOERROR aa\nanswer\nleader.service.batman.leader.lock.consul. 0 A 10.0.0.7',
  'leader.service.batman.leader.lock.consul AAAA':
    'NOERROR aa\nanswer\nleader.service.batman.leader.lock.consul. 0 AAAA 2001:db8::7',
  'leader.leader.lock.consul A': `NOERROR aa\nanswer\nleader.leader.lock.consul. 0 A 10.0.0.1\n${meta('leader.leader.lock.consul.')}`,
  'leader.leader.eu.lock.consul A': `NOERROR aa\nanswer\nleader.leader.eu.lock.consul. 0 A 10.0.0.1\n${meta('leader.leader.eu.lock.consul.')}`,
  // A dot within a label is no slash. What locks `twice` is `svcd lock twice`, before the key itself.
  'leader.app.v2.lock.consul A': noName,
  'leader.twice.lock.consul A': `NOERROR aa\nanswer\nleader.twice.lock.consul. 0 A 10.0.0.1\n${meta('leader.twice.lock.consul.')}`,
  'leader.half.lock.consul A': 'NOERROR aa\nanswer\nleader.half.lock.consul. 0 A 10.0.0.7',
  'leader.alias.lock.consul A':
    'NOERROR aa\nanswer\nleader.alias.lock.consul. 0 CNAME host.example.org.',
  // Nobody holds it; nobody knows it.
  'leader.free.lock.consul A': noName,
  'leader.nope.lock.consul A': noName,
  'leader.service.batman.lock.consul A': noName,
  'leader.cron.lock.dc2.consul A': noName,
  'leader.gone.lock.consul A': noData,
  // Names of locks may lie below all these.
  'lock.consul A': noData,
  'lock.dc1.consul A': noData,
  'cron.lock.consul A': noData,
  'leader.lock.consul A': noData,
  'nope.lock.consul A': noData,
  'leader.eu.lock.consul A': noData,
  // The keyword next to the domain decides, as ever.
  'lock.service.consul A': 'NOERROR aa\nanswer\nlock.service.consul. 10 A 10.9.0.1',
  'a.lock.leader.service.consul A':
    'NOERROR aa\nanswer\na.lock.leader.service.consul. 10 A 10.9.0.2',
  'web.service.lock.consul A': noData,
}

t.test('the name of a lock leads to the node that holds it', async (t) => {
  const bench = registry()
  for (const [asked, wanted] of Object.entries(cases)) {
    const [name = '', type = ''] = asked.split(' ')
    t.equal(replyText(bench.ask(name, type, { edns: 4096 })), wanted, asked)
    t.equal(replyText(bench.ask(name, type, { edns: 4096 })), wanted, `${asked}, from the cache`)
  }
  t.same(bench.errors, [])
})

t.test('a free lock is NODATA if the option says so; an unknown one is not', async (t) => {
  const bench = registry()
  bench.zone = { ...bench.zone, emptyAnswer: 'nodata' }
  t.equal(replyText(bench.ask('leader.free.lock.consul', 'A')), noData)
  t.equal(replyText(bench.ask('leader.nope.lock.consul', 'A')), noName)
})

t.test('in a datacenter called lock, names of services lead to services', async (t) => {
  const bench = registry()
  bench.zone = { ...bench.zone, datacenter: 'lock' }
  const at = (name: string): string[] => bench.ask(name, 'A').answer.map(({ data }) => data)
  t.same(at('lock.service.lock.consul'), ['10.9.0.1'])
  t.same(at('n1.node.lock.consul'), ['10.0.0.1'])
})

t.test('an answer is valid until its key or its node changes, and no longer', async (t) => {
  const bench = registry()
  const { registry: state, versions } = bench
  const ask = (): string => bench.ask('leader.cron.lock.consul', 'A').answer[0]?.data ?? 'none'
  const reads = (): number => {
    const before = state.reads
    ask()
    return state.reads - before
  }
  t.equal(ask(), '10.0.0.1')
  t.equal(reads(), 0, 'it is in the cache')
  for (const key of ['cron', 'cron/.lock2', 'other']) versions.bumpKv([kvSubject.key(key)])
  versions.bump([subject.node('both'), subject.service('web')])
  t.ok(reads() > 0, 'the key itself counts, too: `cron`')
  versions.bumpKv([kvSubject.key('cron/.lock2'), kvSubject.key('other')])
  versions.bump([subject.node('both'), subject.service('web')])
  t.equal(reads(), 0, 'other keys and nodes do not')

  state.locks.set('cron/.lock', 'both')
  t.equal(ask(), '10.0.0.1', 'nothing is told yet')
  versions.bumpKv([kvSubject.key('cron/.lock')])
  t.equal(ask(), '10.0.0.7', 'another holder')
  state.addNode('both', '10.0.0.8')
  versions.bump([subject.node('both')])
  t.equal(ask(), '10.0.0.8', 'another address')
  state.locks.set('cron/.lock', '')
  versions.bumpKv([kvSubject.key('cron/.lock')])
  t.equal(ask(), 'none', 'free')
  state.locks.set('cron', 'N1')
  versions.bumpKv([kvSubject.key('cron')])
  t.equal(ask(), '10.0.0.1', 'the key itself')
  t.equal(reads(), 0)
})

t.test('a write of a key costs the answers for services nothing', async (t) => {
  const bench = registry()
  bench.ask('lock.service.consul', 'A')
  const before = bench.registry.reads
  bench.versions.bumpKv([kvSubject.key('cron/.lock')])
  bench.ask('lock.service.consul', 'A')
  t.equal(bench.registry.reads, before)
})
