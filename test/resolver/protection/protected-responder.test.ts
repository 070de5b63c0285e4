import fc from 'fast-check'
import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { IpPrefixes } from '../../../src/base/ip-prefixes.ts'
import { Cookies } from '../../../src/dns/protection/cookies.ts'
import { RateLimiter, newRateLimitMemory } from '../../../src/dns/protection/rate-limiter.ts'
import { rcode } from '../../../src/dns/record.ts'
import { sourceOf } from '../../../src/net/client-source.ts'
import { decodeReply } from '../../../src/net/dns-client.ts'
import type { PacketAsker } from '../../../src/net/packet-responder.ts'
import { cookieStream } from '../../../src/resolver/protection/cookie-stream.ts'
import { ProtectedResponder } from '../../../src/resolver/protection/protected-responder.ts'
import { Bench, buildQuery } from '../../dns/fixture.ts'
import { oddPackets } from '../../dns/odd-packets.ts'
import { cookieOf, rcodeOf, withCookie } from '../../helpers/dns-cookies.ts'

interface Settings {
  readonly perSecond?: number
  readonly slip?: number
  readonly exempt?: readonly string[]
  readonly instances?: number
}

/** A responder with protection over a registry in memory, and its clocks. */
class Rig {
  readonly bench = new Bench()
  nowMs = 5_000_000
  wallSeconds = 1_800_000_000
  readonly cookies = new Cookies(
    () => ({ current: Buffer.alloc(16, 7) }),
    () => this.wallSeconds,
  )
  readonly guarded: ProtectedResponder

  constructor({ perSecond = 5, slip = 1, exempt = [], instances = 3 }: Settings = {}) {
    for (let n = 1; n <= instances; n++) {
      this.bench.registry.add('web', { node: `n${n}`, at: `10.9.${n >> 8}.${n & 255}` })
    }
    const { responder } = this.bench
    const limiter =
      perSecond === 0
        ? undefined
        : new RateLimiter({
            memory: newRateLimitMemory(),
            perSecond,
            exempt: new IpPrefixes(exempt),
            seed: 1,
          })
    const nowMs = (): number => this.nowMs
    const { cookies } = this
    this.guarded = new ProtectedResponder(responder, { responder, cookies, limiter, slip, nowMs })
  }

  get counters(): Bench['responder']['counters'] {
    return this.bench.responder.counters
  }

  /** As the batched path asks: from the cache, and otherwise anew. */
  send(packet: Uint8Array, client = '192.0.2.1', pathBytesMax = 1232): Buffer | undefined {
    const asker: PacketAsker = { transport: 'udp', client, source: sourceOf(client), pathBytesMax }
    const out = Buffer.alloc(9000)
    this.guarded.beginBatch()
    let length = this.guarded.hitInto(packet, asker, out, 100)
    if (length === 0) length = this.guarded.respondInto(packet, asker, out, 100)
    return length > 0 ? out.subarray(100, 100 + length) : undefined
  }

  /** As the path with one packet per call asks. */
  sendAlone(packet: Uint8Array, client = '192.0.2.1'): Buffer | undefined {
    const asker: PacketAsker = {
      transport: 'udp',
      client,
      source: sourceOf(client),
      pathBytesMax: 1232,
    }
    const answer = this.guarded.hit(packet, asker) ?? this.guarded.respond(packet, asker)
    return answer instanceof Promise || answer?.length === 0 ? undefined : answer
  }
}

const query = buildQuery('web.service.consul', 'A')
const edns = buildQuery('web.service.consul', 'A', { edns: 1232 })
const clientCookie = '0102030405060708'

for (const path of ['send', 'sendAlone'] as const) {
  t.test(
    `${path}: beyond the limit answers are empty with TC, and complete again later`,
    async (t) => {
      const rig = new Rig()
      for (let n = 0; n < 5; n++) t.equal(decodeReply(must(rig[path](query))).answer.length, 3)
      for (const packet of [query, edns]) {
        const short = must(rig[path](packet))
        t.match(decodeReply(short), { rcode: 'NOERROR', answer: [], flags: ['qr', 'tc', 'rd'] })
        t.equal(short.length, packet.length)
      }
      t.equal(
        decodeReply(must(rig[path](query, '198.51.100.1'))).answer.length,
        3,
        'another network',
      )
      rig.nowMs += 200
      t.equal(decodeReply(must(rig[path](query))).answer.length, 3)
      t.match(rig.counters, { limited: 2, slipped: 2, queries: 9 })
      t.equal(rig.counters.rcodes[0], 7, 'short answers are counted apart')
    },
  )

  t.test(`${path}: with -dns-rate-limit-slip, only each second or no query gets one`, async (t) => {
    for (const [slip, shorts] of [
      [2, 10],
      [0, 0],
    ] as const) {
      const rig = new Rig({ slip })
      let answers = 0
      for (let n = 0; n < 25; n++) if (rig[path](query) !== undefined) answers++
      t.equal(answers, 5 + shorts)
      t.match(rig.counters, { limited: 20, slipped: shorts })
    }
  })

  t.test(`${path}: a client with a valid server cookie has no limit`, async (t) => {
    const rig = new Rig()
    const first = must(rig[path](withCookie(edns, clientCookie)))
    t.equal(decodeReply(first).answer.length, 3)
    const cookie = must(cookieOf(first))
    t.ok(cookie.startsWith(clientCookie))
    for (let n = 0; n < 50; n++) {
      const answer = must(rig[path](withCookie(edns, cookie)))
      t.equal(decodeReply(answer).answer.length, 3)
      t.equal(cookieOf(answer), cookie, 'the same while it is fresh')
    }
    t.match(rig.counters, { limited: 0, cookiesInvalid: 0 })
    t.ok(rig.counters.cookiesValid >= 50)
  })

  t.test(
    `${path}: over the limit, a client with a cookie of its own learns the server's`,
    async (t) => {
      const rig = new Rig()
      for (let n = 0; n < 5; n++) rig[path](query)
      const asked = withCookie(edns, clientCookie)
      const refused = must(rig[path](asked))
      t.equal(rcodeOf(refused, query.length), rcode.BADCOOKIE)
      t.equal(refused.length, asked.length + 16)
      const again = withCookie(edns, must(cookieOf(refused)))
      t.equal(decodeReply(must(rig[path](again))).answer.length, 3)
      const other = must(rig[path](again, '192.0.2.2'))
      t.equal(rcodeOf(other, query.length), rcode.BADCOOKIE, 'it is for one address')
      rig.wallSeconds += 3601
      const late = must(rig[path](again))
      t.equal(rcodeOf(late, query.length), rcode.BADCOOKIE, 'and for an hour')
      t.equal(rig.counters.cookiesInvalid >= 2, true)
    },
  )
}

t.test('within the limit, a wrong server cookie is answered with a right one', async (t) => {
  const rig = new Rig()
  const answer = must(rig.send(withCookie(edns, clientCookie + '01'.repeat(16))))
  t.equal(decodeReply(answer).answer.length, 3)
  t.equal(must(cookieOf(answer)).slice(16, 24), '01000000', 'version 1')
})

t.test('queries without a cookie get none', async (t) => {
  const bare = new Rig().bench.send(edns, { pathBytesMax: 1232 })
  t.strictSame(new Rig().send(edns), bare)
})

t.test('an answer that leaves no room for the cookie is empty with TC', async (t) => {
  // 74 addresses fill an answer of 1232 octets.
  const rig = new Rig({ instances: 74, perSecond: 0 })
  t.equal(decodeReply(must(rig.send(edns))).answer.length, 74)
  const answer = must(rig.send(withCookie(edns, clientCookie)))
  t.ok(cookieOf(answer))
  t.match(decodeReply(answer), { answer: [], rcode: 'NOERROR' })
  t.equal((answer[2] ?? 0) & 2, 2)
})

t.test('exempt networks and a limit of 0 give every answer', async (t) => {
  for (const rig of [new Rig({ exempt: ['192.0.2.0/24'] }), new Rig({ perSecond: 0 })]) {
    for (let n = 0; n < 100; n++) t.equal(decodeReply(must(rig.send(query))).answer.length, 3)
    t.equal(rig.counters.limited, 0)
  }
})

t.test('answers over a stream have a cookie, and no limit', async (t) => {
  const rig = new Rig()
  const { responder } = rig.bench
  const stream = cookieStream(responder, responder, rig.cookies)
  const asker: PacketAsker = {
    transport: 'tcp',
    client: '192.0.2.1',
    source: sourceOf('192.0.2.1'),
    pathBytesMax: 65_535,
  }
  const out = Buffer.alloc(70_000)
  for (let n = 0; n < 20; n++) {
    const length = stream.respondInto(withCookie(edns, clientCookie), asker, out, 0)
    const answer = out.subarray(0, length)
    t.equal(decodeReply(answer).answer.length, 3)
    t.ok(cookieOf(answer)?.startsWith(clientCookie))
  }
})

t.test('whatever one network sends, it gets no more than the limit and what it sent', async () => {
  const odd = Object.values(oddPackets).map(([packet]) => Buffer.from(packet))
  const names = ['web.service.consul', 'none.service.consul', 'consul', 'example.com']
  const ordinary = names.flatMap((name) =>
    ['A', 'ANY', 'SOA'].flatMap((type) => {
      const plain = buildQuery(name, type, { edns: 4096 })
      return [plain, withCookie(plain, clientCookie), withCookie(plain, '5a'.repeat(24))]
    }),
  )
  const packet = fc.record({
    bytes: fc.constantFrom(...odd, ...ordinary),
    pauseMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 300 })),
    client: fc.integer({ min: 1, max: 254 }),
    change: fc.option(fc.record({ at: fc.nat(200), to: fc.nat(255) })),
  })
  const packets = fc.array(packet, { minLength: 30, maxLength: 120 })
  fc.assert(
    fc.property(packets, fc.integer({ min: 0, max: 3 }), (all, slip) => {
      const rig = new Rig({ slip, instances: 100 })
      const beganMs = rig.nowMs
      let beyond = 0
      for (const { bytes, pauseMs, client, change } of all) {
        rig.nowMs += pauseMs
        const asked = Buffer.from(bytes)
        if (change !== null && change.at < asked.length) asked[change.at] = change.to
        const answer = rig.send(asked, `192.0.2.${client}`)
        if (answer === undefined) continue
        if (answer.length > 1232) return false
        if (answer.length > asked.length + 16) beyond++
      }
      return beyond <= 5 + ((rig.nowMs - beganMs) / 1000) * 5
    }),
    { numRuns: 300 },
  )
})
