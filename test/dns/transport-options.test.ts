import t from 'tap'
import { addTransportOptions, transportOptionBytesMax } from '../../src/dns/transport-options.ts'
import { freshSeconds } from '../../src/dns/wire-records.ts'
import { must } from '../../src/base/assert.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { Bench, buildQuery } from './fixture.ts'
import { oddPackets, withOpt } from './odd-packets.ts'
import type { TransportPolicy } from '../../src/dns/transport-options.ts'

const padding = '000c0000'
const keepalive = '000b0000'
const encrypted = { keepaliveMs: 10_000, isEncrypted: true }

function bench(instances = 2): Bench {
  const bench = new Bench()
  for (let n = 0; n < instances; n++) {
    bench.registry.add('web', { node: `n${n}`, at: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` })
  }
  return bench
}

/** The answer to `query` as a connection with this policy sends it. */
function answered(query: Uint8Array, policy: TransportPolicy, { responder } = bench()): Buffer {
  const answer = must(responder.respond(query, { transport: 'tcp', client: '', pathBytesMax: 0 }))
  const before = 7
  const out = Buffer.alloc(before + answer.length + transportOptionBytesMax, 0xee)
  answer.copy(out, before)
  const length = addTransportOptions(query, out, before, answer.length, policy)
  t.ok(
    out.subarray(before + length).every((octet) => octet === 0xee),
    'nothing after the end',
  )
  return out.subarray(before, before + length)
}

t.test('a padded query gets an answer of whole blocks of 468 octets (RFC 8467)', (t) => {
  for (const instances of [0, 1, 2, 10, 30, 31, 200]) {
    const answer = answered(withOpt(padding), encrypted, bench(instances))
    t.equal(answer.length % 468, 0, `${instances} instances: ${answer.length} octets`)
    const reply = decodeReply(answer)
    t.equal(reply.answer.length, instances)
    t.equal(reply.udpBytes, 1232)
  }
  t.end()
})

t.test('without encryption, or without padding in the query, an answer is not padded', (t) => {
  const bare = answered(withOpt(), encrypted)
  t.ok(bare.length < 468)
  t.same(answered(withOpt(padding), { ...encrypted, isEncrypted: false }), bare)
  t.same(answered(buildQuery('web.service.consul', 'A'), encrypted).length, bare.length - 11)
  t.end()
})

t.test('a query with keepalive is told the idle time in units of 100 ms (RFC 7828)', (t) => {
  const plain = { keepaliveMs: 10_000, isEncrypted: false }
  const answer = answered(withOpt(keepalive), plain)
  t.equal(answer.subarray(-6).toString('hex'), '000b00020064')
  t.equal(decodeReply(answer).answer.length, 2)
  const both = answered(withOpt(`${keepalive}${padding}`), encrypted)
  t.equal(both.length, 468)
  t.ok(both.includes(Buffer.from('000b00020064000c', 'hex')))
  t.same(
    answered(withOpt(keepalive), { keepaliveMs: undefined, isEncrypted: false }),
    answered(withOpt(), plain),
    'a transport without it says nothing',
  )
  const long = answered(withOpt(keepalive), { keepaliveMs: 1e9, isEncrypted: false })
  t.equal(long.subarray(-2).toString('hex'), 'ffff')
  t.end()
})

t.test('the longest answer stays within 65,535 octets', (t) => {
  // One record takes 16 octets.
  for (const instances of [4080, 4085, 4090, 4092, 4093, 4094]) {
    // dns2 reads an unknown option only as the last one, so each is asked for alone, too.
    for (const options of [padding, keepalive, `${keepalive}${padding}`]) {
      const answer = answered(withOpt(options), encrypted, bench(instances))
      const text = `${instances} instances, ${options}: ${answer.length} octets`
      t.ok(answer.length <= 65_535 && answer.length > 65_000, text)
      if (options.length === 8) t.ok(decodeReply(answer).answer.length > 4000)
    }
  }
  t.end()
})

t.test('whatever a query is like, its answer stays readable', (t) => {
  for (const [title, [packet, rcode]] of Object.entries(oddPackets)) {
    if (rcode === undefined) continue
    t.equal(decodeReply(answered(packet, encrypted)).rcode, rcode, title)
  }
  t.end()
})

t.test('an answer is fresh as long as its smallest TTL', (t) => {
  const { responder, registry, zone } = bench()
  registry.add('db', { at: '10.0.0.9' })
  const seconds = (name: string, type: string): number => {
    const query = buildQuery(name, type, { edns: 1232 })
    const asker = { transport: 'tcp', client: '', pathBytesMax: 0 } as const
    const answer = must(responder.respond(query, asker))
    return freshSeconds(answer, 0, answer.length)
  }
  t.equal(seconds('web.service.consul', 'A'), 10)
  t.equal(seconds('db.service.consul', 'A'), 30)
  t.equal(seconds('web.service.consul', 'TXT'), zone.soa.minimum, 'a negative answer: MINIMUM')
  t.equal(seconds('none.service.consul', 'A'), zone.soa.minimum)
  t.equal(seconds('example.org', 'A'), 0, 'REFUSED has no records')
  t.end()
})
