import fc from 'fast-check'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { subject } from '../../src/state/catalog/subjects.ts'
import { CatalogVersions } from '../helpers/versions.ts'
import { answer } from '../../src/dns/answer.ts'
import { encode } from '../../src/dns/encode.ts'
import { fit } from '../../src/dns/fit.ts'
import { variantBytesMax, variantOf } from '../../src/dns/query-scan.ts'
import { parseQuery } from '../../src/dns/query.ts'
import { RecordingView } from '../../src/dns/recording-view.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { Bench, buildQuery, endpoint, recordText } from './fixture.ts'
import type { DnsReply } from '../../src/net/dns-client.ts'
import type { QueryOptions } from './fixture.ts'

function bench(instances: number, options = {}): Bench {
  const bench = new Bench(options)
  bench.registry.addNode('n1', '10.0.0.1', { os: 'linux' })
  for (let n = 0; n < instances; n++) {
    const nodeAt = `10.1.${n >> 8}.${n & 255}`
    bench.registry.add('web', { node: `node-${n}`, nodeAt, port: 8000 + n })
  }
  return bench
}

const addressesOf = (reply: DnsReply): string[] => reply.answer.map(({ data }) => data)

t.test('complete answers rotate, for each question on its own', async (t) => {
  for (const type of ['A', 'SRV']) {
    const server = bench(5)
    const firsts = new Map<string, number>()
    for (let n = 0; n < 50; n++) {
      // AAAA in between, as glibc asks both: it must not take every other turn.
      server.ask('web.service.consul', 'AAAA')
      const reply = server.ask('web.service.consul', type, { edns: 4096 })
      t.equal(reply.answer.length, 5)
      const [first = ''] = addressesOf(reply)
      firsts.set(first, (firsts.get(first) ?? 0) + 1)
    }
    t.same([...firsts.values()], [10, 10, 10, 10, 10], `${type}: each comes first as often`)
  }
})

t.test('rotation continues where it was after the registry has changed', async (t) => {
  const server = bench(5)
  const firsts = new Map<string, number>()
  for (let n = 0; n < 50; n++) {
    const [first = ''] = addressesOf(server.ask('web.service.consul', 'A'))
    firsts.set(first, (firsts.get(first) ?? 0) + 1)
    server.versions.bump([subject.service('web')])
  }
  t.same([...firsts.values()], [10, 10, 10, 10, 10])
})

t.test('no pointer refers to a name inside the rotated records', async (t) => {
  const server = bench(0)
  server.registry.addNode('n2', '10.0.0.2').addNode('n3', '10.0.0.3').serverCount = 3
  for (let n = 0; n < 6; n++) {
    const reply = server.ask('consul', 'NS')
    t.same(
      addressesOf(reply).toSorted(),
      ['n1', 'n2', 'n3'].map((node) => `${node}.node.dc1.consul.`),
    )
    t.same(
      reply.additional.map(recordText),
      [1, 2, 3].map((node) => `n${node}.node.dc1.consul. 5 A 10.0.0.${node}`),
    )
  }
})

t.test('a rotated SRV answer still decodes, with its glue', async (t) => {
  const server = bench(7)
  const wanted = server.ask('web.service.consul', 'SRV', { tcp: true })
  t.equal(wanted.additional.length, 7)
  for (let n = 0; n < 10; n++) {
    const reply = server.ask('web.service.consul', 'SRV', { tcp: true })
    t.not(recordText(must(reply.answer[0])), recordText(must(wanted.answer[n % 7 === 6 ? 1 : 0])))
    t.same(reply.answer.map(recordText).toSorted(), wanted.answer.map(recordText).toSorted())
    t.same(reply.additional.map(recordText), wanted.additional.map(recordText))
  }
})

t.test('a cut A answer moves on, so that all instances get their share', async (t) => {
  const server = bench(100)
  const counts = new Map<string, number>()
  for (let n = 0; n < 100; n++) {
    const reply = server.ask('web.service.consul', 'A')
    t.ok(reply.flags.includes('tc') && reply.bytes <= 512 && reply.answer.length >= 29)
    for (const ip of addressesOf(reply)) counts.set(ip, (counts.get(ip) ?? 0) + 1)
  }
  t.equal(counts.size, 100)
  t.equal(new Set(counts.values()).size, 1, 'each was sent as often as the others')
})

t.test('a cut SRV answer is always the same for a client, but not for all clients', async (t) => {
  const server = bench(100)
  const seen = new Set<string>()
  for (const client of ['10.1.1.1', '10.1.2.1', '10.2.3.4', '2001:db8::1', '192.0.2.1']) {
    const wanted = addressesOf(server.ask('web.service.consul', 'SRV', { edns: 1232, client }))
    seen.add(wanted.join())
    for (let n = 0; n < 5; n++) {
      const reply = server.ask('web.service.consul', 'SRV', { edns: 1232, client })
      t.same(addressesOf(reply), wanted)
      t.ok(reply.flags.includes('tc') && reply.bytes <= 1232 && reply.bytes > 1232 - 60)
      t.equal(reply.additional.length, 0)
    }
  }
  t.ok(seen.size >= 4, 'other networks get other instances')
  const ask = (client: string): string[] =>
    addressesOf(server.ask('web.service.consul', 'SRV', { edns: 1232, client }))
  t.same(ask('10.1.1.1'), ask('10.1.1.77'), 'one network, one window')
  t.same(ask('2001:db8:0:1::1'), ask('2001:db8:0:2::1'), 'a /56 is one network')
})

t.test('sizes: 512 without EDNS, the client’s class with it, never above the path', async (t) => {
  const server = bench(1000)
  const cases: readonly (readonly [QueryOptions, number])[] = [
    [{}, 512],
    [{ edns: 0 }, 512],
    [{ edns: 1231 }, 512],
    [{ edns: 1232 }, 1232],
    [{ edns: 1452 }, 1232],
    [{ edns: 4096 }, 4096],
    [{ edns: 65_508 }, 8192],
    [{ edns: 65_508, pathBytesMax: 1232 }, 1232],
    [{ edns: 4096, tcp: true }, 65_535],
  ]
  for (const [options, limit] of cases) {
    const reply = server.ask('web.service.consul', 'A', options)
    t.ok(reply.bytes <= limit, JSON.stringify(options))
    t.equal(reply.flags.includes('tc'), options.tcp !== true)
    if (options.tcp !== true) t.ok(reply.bytes > limit - 16, 'filled to the limit')
    t.equal(reply.udpBytes, options.edns === undefined ? undefined : 1232)
  }
  t.equal(server.ask('web.service.consul', 'A', { tcp: true }).answer.length, 1000)
  const many = bench(5000).ask('web.service.consul', 'A', { tcp: true })
  t.ok(many.flags.includes('tc') && many.bytes > 65_535 - 16, 'TCP ends at 64 KiB, with TC')
})

t.test('a cached answer is what answer, fit and encode make, but for its order', async (t) => {
  const names = [
    'web.service.consul',
    'WEB.service.dc1.consul',
    '_web._tcp.service.consul',
    'n1.node.consul',
    'nope.service.consul',
    'consul',
    '0a090001.addr.consul',
    'alias.service.consul',
  ]
  const types = ['A', 'AAAA', 'SRV', 'TXT', 'ANY', 'SOA', 'NS', 'HTTPS']
  const sizes = [undefined, 512, 1232, 4096, 65_508]
  const result = fc.check(
    fc.property(
      fc.integer({ min: 0, max: 120 }),
      fc.constantFrom(...names),
      fc.constantFrom(...types),
      fc.constantFrom(...sizes),
      fc.boolean(),
      (instances, name, type, edns, tcp) => {
        const server = bench(instances)
        server.registry.add('alias', { at: 'web.service.consul' })
        // What is encoded here leaves the serial to whoever sends it.
        server.versions.index = 0
        const packet = buildQuery(name, type, { edns })
        const query = parseQuery(packet)
        if (query.kind !== 'query') return false
        const limit = variantBytesMax(variantOf(query.edns, tcp ? 'tcp' : 'udp', 8192))
        const full = answer(query.question, server.registry, server.zone, { smallAny: !tcp })
        const reply = edns === undefined ? undefined : { udpSize: 1232, dnssecOk: false }
        const message = fit({ ...full, edns: reply && { ...reply, extendedErrors: [] } }, limit)
        const wanted = decodeReply(encode(message).bytes)
        const all = new Set(decodeReply(encode(full).bytes).answer.map(recordText))
        for (let n = 0; n < 4; n++) {
          const bytes = must(server.send(packet, { tcp }))
          const got = decodeReply(bytes)
          if (bytes.length > limit || got.flags.includes('tc') !== message.truncated) return false
          if (!message.truncated) {
            const sorted = (reply: DnsReply) => [
              reply.answer.map(recordText).toSorted(),
              reply.authority.map(recordText),
              reply.additional.map(recordText),
            ]
            if (JSON.stringify(sorted(got)) !== JSON.stringify(sorted(wanted))) return false
            if (bytes.length !== encode(message).bytes.length) return false
          } else {
            const sent = new Set(got.answer.map(recordText))
            if (sent.size !== got.answer.length || ![...sent].every((text) => all.has(text))) {
              return false
            }
            // SRV records differ in length, so how many fit depends on where a window starts.
            if (type !== 'SRV' && sent.size !== wanted.answer.length) return false
          }
        }
        // What need not be there is kept when it is asked for the second time.
        return server.responder.counters.hits >= 2
      },
    ),
    { numRuns: 300 },
  )
  t.notOk(result.failed, fc.defaultReportMessage(result) ?? 'holds')
})

t.test('a cached answer that does not rotate has the octets of the first answer', async (t) => {
  const server = bench(1)
  for (const [name, type] of [
    ['web.service.consul', 'A'],
    ['web.service.consul', 'SRV'],
    ['nope.service.consul', 'A'],
    ['consul', 'SOA'],
  ] as const) {
    const packet = buildQuery(name, type, { edns: 1232 })
    t.same(server.send(packet), server.send(packet), `${name} ${type}`)
  }
})

t.test('an answer has the same octets wherever it is written', async (t) => {
  for (const type of ['A', 'SRV', 'ANY']) {
    for (const [name, instances] of [
      ['web.service.consul', 5],
      ['wEb.Service.consul', 5],
      ['web.service.consul', 90],
    ] as const) {
      const [server, twin] = [bench(instances), bench(instances)]
      if (instances === 5) {
        for (const { registry } of [server, twin])
          registry.add('web', { at: '10.9.9.9', weight: 3 })
      }
      const out = new Uint8Array(70_000)
      for (let n = 0; n < 24; n++) {
        const packet = buildQuery(name, type, { id: n, edns: 1232 })
        const asker = { transport: 'udp', client: '127.0.0.1', pathBytesMax: 8192 } as const
        const start = n % 5
        const length = server.responder.respondInto(packet, asker, out, start)
        const written = Buffer.from(out.subarray(start, start + length))
        t.same(written, twin.send(packet), `${name} ${type}, ${instances}, at ${start}`)
      }
    }
  }
})

t.test(
  'a change in the registry is visible immediately, and nothing else is read again',
  async (t) => {
    const server = bench(2)
    server.registry.add('other', { at: '10.8.0.1' })
    server.ask('web.service.consul', 'A')
    server.ask('other.service.consul', 'A')
    const reads = server.registry.reads
    server.registry.services.get('web')?.push(endpoint({ at: '10.9.9.9' }))
    t.equal(
      server.ask('web.service.consul', 'A').answer.length,
      2,
      'before the versions are bumped',
    )
    server.versions.bump([subject.service('WEB')])
    t.equal(server.ask('web.service.consul', 'A').answer.length, 3)
    server.ask('other.service.consul', 'A')
    server.ask('web.service.consul', 'A')
    t.equal(server.registry.reads, reads + 1)
  },
)

t.test('a name that was missing is found as soon as it is registered', async (t) => {
  const server = bench(1)
  t.equal(server.ask('new.service.consul', 'A').rcode, 'NXDOMAIN')
  server.registry.add('new', { at: '10.9.0.1' })
  server.versions.bump([subject.service('new'), subject.services])
  t.equal(server.ask('new.service.consul', 'A').rcode, 'NOERROR')
  t.equal(server.ask('x.node.consul', 'A').rcode, 'NXDOMAIN')
  server.registry.addNode('y.x', '10.0.0.9')
  server.versions.bump([subject.node('y.x'), subject.nodes])
  t.equal(server.ask('x.node.consul', 'A').rcode, 'NOERROR')
})

t.test('a change of any subject invalidates an answer that depends on it', async (t) => {
  const server = bench(1)
  server.registry.add('alias', { at: 'web.service.consul' })
  const addresses = (): number => server.ask('alias.service.consul', 'A').answer.length
  t.equal(addresses(), 2)
  server.registry.services.get('web')?.push(endpoint({ at: '10.9.9.9' }))
  server.versions.bump([subject.service('web')])
  t.equal(addresses(), 3)
})

t.test(
  'an answer that was read before a change is not used after it, whatever the order',
  async (t) => {
    const server = bench(1)
    // The snapshot of a batch: opened before the change, used after it.
    const old = server.registry.service('web')
    const { generation, applied, kv, query } = server.versions
    const stale = { generation, applied, others: { kv: 0, query: 0 } }
    const open = () => ({ view: server.registry, ...stale })
    const view = new RecordingView(open, server.versions, { kv, query })
    server.versions.bump([subject.service('web')])
    view.service('web')
    t.equal(old?.length, 1)
    const [slot = -1] = view.slots
    t.notOk(server.versions.holds(slot, view.loaded(9).since))
  },
)

t.test('the subjects are those of the catalog', async (t) => {
  const versions = new CatalogVersions()
  const { registry } = bench(0)
  const open = () => ({
    view: registry,
    generation: 0,
    applied: 0,
    others: { kv: 0, query: 0 },
  })
  const slots = (read: (view: RecordingView) => unknown): readonly number[] => {
    const { kv, query } = versions
    const view = new RecordingView(open, versions, { kv, query })
    read(view)
    return view.slots
  }
  t.same(
    slots((view) => view.service('Web')),
    [versions.slotOf(subject.service('web'))],
  )
  t.same(
    slots((view) => view.node('N1')),
    [versions.slotOf(subject.node('n1'))],
  )
  t.same(
    slots((view) => view.servers()),
    [versions.slotOf(subject.service('consul'))],
  )
  t.same(
    slots((view) => view.hasNodeBelow('x')),
    [versions.slotOf(subject.nodes)],
  )
})

t.test('a new generation invalidates all answers', async (t) => {
  const server = bench(1)
  server.ask('web.service.consul', 'A')
  server.zone = { ...server.zone, serviceTtls: { '*': 77 } }
  server.versions.bumpGeneration()
  t.equal(server.ask('web.service.consul', 'A').answer[0]?.ttl, 77)
})

t.test(
  'a node without a leader answers with small TTLs and a Stale Answer error (RFC 8914)',
  async (t) => {
    const server = bench(1)
    t.equal(server.ask('web.service.consul', 'A').answer[0]?.ttl, 10)
    server.mode = 'stale'
    const packet = buildQuery('web.service.consul', 'A', { edns: 1232 })
    const bytes = must(server.send(packet))
    t.equal(decodeReply(bytes).answer[0]?.ttl, 1)
    t.equal(bytes.subarray(-6).toString('hex'), '000f00020003', 'EDE 3, Stale Answer')
    t.equal(server.ask('web.service.consul', 'A').answer[0]?.ttl, 1, 'without EDNS as well')
    server.mode = 'ready'
    t.equal(server.ask('web.service.consul', 'A').answer[0]?.ttl, 10)
  },
)

t.test('a node that never caught up answers SERVFAIL, never NXDOMAIN', async (t) => {
  const server = bench(1)
  server.mode = 'never'
  t.equal(server.ask('web.service.consul', 'A').rcode, 'SERVFAIL')
  t.equal(server.ask('nope.service.consul', 'A', { edns: 512 }).rcode, 'SERVFAIL')
  t.equal(server.ask('example.org', 'A').rcode, 'REFUSED')
  server.mode = 'ready'
  t.equal(server.ask('web.service.consul', 'A').rcode, 'NOERROR', 'and keeps no SERVFAIL')
})

t.test('a read that fails gives SERVFAIL, is reported, and is retried', async (t) => {
  const server = bench(1)
  const { registry } = server
  const service = registry.service.bind(registry)
  registry.service = () => {
    throw new Error('database is locked')
  }
  t.equal(server.ask('web.service.consul', 'A').rcode, 'SERVFAIL')
  t.match(server.errors, [{ message: 'database is locked' }])
  registry.service = service
  t.equal(server.ask('web.service.consul', 'A').rcode, 'NOERROR')
  t.equal(server.responder.counters.failures, 1)
})

t.test('a row that cannot be sent affects only its own name', async (t) => {
  const server = bench(1)
  server.registry.add('bad', { at: '10.9.0.1', port: 65_536 })
  t.equal(server.ask('bad.service.consul', 'SRV').rcode, 'SERVFAIL')
  t.equal(server.errors.length, 1)
  t.equal(server.ask('bad.service.consul', 'A').rcode, 'NOERROR')
  t.equal(server.ask('web.service.consul', 'SRV').rcode, 'NOERROR')
})

t.test('the cache stays within its bounds and keeps what is asked for', async (t) => {
  const server = bench(1, { cacheBytesMax: 12_000 })
  const { cache, counters } = server.responder
  for (let n = 0; n < 5000; n++) {
    server.ask(`x${n}.service.consul`, 'A')
    if (n % 10 === 0) server.ask('web.service.consul', 'A')
  }
  t.ok(cache.size <= 64 && cache.bytes <= 12_000)
  t.equal(counters.hits, 499, 'a flood of other names did not drive it out')
  const { hits } = counters
  for (let n = 0; n < 20; n++) {
    for (const name of [`a${n}`, `b${n}`, `a${n}`, `c${n}`, `d${n}`, `a${n}`])
      server.ask(`${name}.service.consul`, 'A')
  }
  t.equal(counters.hits, hits + 20, 'a full cache has room for what comes into use')
  const big = bench(3000, { cacheBytesMax: 100_000 })
  for (let n = 0; n < 3; n++) big.ask('web.service.consul', 'SRV', { tcp: true })
  t.ok(big.responder.cache.bytes <= 100_000)
  t.equal(big.responder.counters.misses, 3, 'one answer may not fill the cache')
  for (let n = 0; n < 100; n++) big.ask(`x${n >> 1}.service.consul`, 'A')
  t.ok(big.responder.cache.size > 0)
})

t.test('made-up names are cached only at their second query', async (t) => {
  const server = bench(3)
  const { cache, counters } = server.responder
  const hot = ['web.service.consul', 'nope.service.consul', '0a090001.addr.consul']
  for (let n = 0; n < 3; n++) for (const name of hot) server.ask(name, 'A')
  t.same([cache.size, counters.hits], [3, 4])
  const { bytes } = cache
  for (let n = 0; n < 20_000; n++) {
    const address = (0x0a000000 + n).toString(16).padStart(8, '0')
    const name = n % 2 === 0 ? `x${n}.service.consul` : `${address}.addr.consul`
    server.ask(name, n % 3 === 0 ? 'AAAA' : 'A', { edns: n % 5 === 0 ? 1232 : undefined })
  }
  t.same([cache.size, cache.bytes], [3, bytes], 'a flood leaves the cache as it is')
  for (const name of hot) server.ask(name, 'A')
  t.equal(counters.hits, 7)
})

t.test('answers that are no longer queried leave the cache', async (t) => {
  const server = bench(3)
  const { cache, counters } = server.responder
  const names = ['web.service.consul', 'nope.service.consul', '0a090001.addr.consul']
  for (let n = 0; n < 3; n++) for (const name of names) server.ask(name, 'A')
  cache.age()
  t.equal(cache.size, 3, 'all were asked for')
  server.ask('web.service.consul', 'A')
  cache.age()
  t.equal(cache.size, 1)
  const { hits } = counters
  t.equal(server.ask('web.service.consul', 'A').answer.length, 3)
  t.equal(counters.hits, hits + 1)
  cache.age()
  cache.age()
  t.same([cache.size, cache.bytes], [0, 0])
  t.equal(server.ask('web.service.consul', 'A').answer.length, 3)
})

t.test('any order of questions, changes and evictions gives the right answers', async (t) => {
  const action = fc.record({
    name: fc.nat(30),
    change: fc.boolean(),
    type: fc.constantFrom('A', 'SRV', 'AAAA'),
    ages: fc.boolean(),
  })
  const result = fc.check(
    fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
      const server = bench(0, { cacheBytesMax: 4000 })
      for (const { name, change, type, ages } of actions) {
        const service = `s${name}`
        if (ages) server.responder.cache.age()
        if (change) {
          server.registry.add(service, {
            at: `10.9.0.${server.registry.services.get(service)?.length ?? 0}`,
          })
          server.versions.bump([subject.service(service)])
        }
        const count = type === 'AAAA' ? 0 : (server.registry.services.get(service)?.length ?? 0)
        const reply = server.ask(`${service}.service.consul`, type, { edns: 8192 })
        if (reply.answer.length !== count) return false
      }
      return server.responder.cache.bytes <= 4000
    }),
    { numRuns: 50 },
  )
  t.notOk(result.failed, fc.defaultReportMessage(result) ?? 'holds')
})
