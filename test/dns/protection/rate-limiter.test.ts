import fc from 'fast-check'
import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { IpPrefixes } from '../../../src/base/ip-prefixes.ts'
import { parseIp } from '../../../src/base/ip.ts'
import { RateLimiter, newRateLimitMemory } from '../../../src/dns/protection/rate-limiter.ts'
import type { SourceAddress } from '../../../src/dns/protection/rate-limiter.ts'

function source(address: string): SourceAddress {
  const bytes = must(parseIp(address), 'it is an address')
  return { bytes, at: 0, length: bytes.length }
}

interface Settings {
  readonly perSecond?: number
  readonly exempt?: readonly string[]
  readonly memory?: SharedArrayBuffer
  readonly seed?: number
}

function limiter({
  perSecond = 10,
  exempt = [],
  memory = newRateLimitMemory(),
  seed = 1,
}: Settings = {}): RateLimiter {
  const made = new RateLimiter({ memory, perSecond, exempt: new IpPrefixes(exempt), seed })
  made.nowMs = 1_000_000
  return made
}

/** How many of `count` queries get an answer. */
function answered(limit: RateLimiter, address: string, count: number): number {
  const from = source(address)
  let answers = 0
  for (let n = 0; n < count; n++) if (limit.take(from)) answers++
  return answers
}

t.test('a network gets the answers of a second at once, and then those of the rate', async (t) => {
  const limit = limiter()
  t.equal(answered(limit, '192.0.2.1', 100), 10)
  limit.nowMs = 1_000_100
  t.equal(answered(limit, '192.0.2.77', 100), 1, 'another address of the /24')
  limit.nowMs = 1_000_600
  t.equal(answered(limit, '192.0.2.1', 100), 5)
  limit.nowMs = 1_100_000
  t.equal(answered(limit, '192.0.2.1', 100), 10, 'never more than a second in advance')
})

t.test('IPv6 clients are counted by /56, and no network affects another', async (t) => {
  const limit = limiter()
  t.equal(answered(limit, '2001:db8:1:100::1', 100), 10)
  t.equal(answered(limit, '2001:db8:1:1ff::2', 100), 0, 'of the same /56')
  t.equal(answered(limit, '2001:db8:1:200::1', 100), 10)
  t.equal(answered(limit, '192.0.3.1', 100), 10)
  t.equal(answered(limit, '32.1.13.1', 100), 10, 'the first octets of the IPv6 network')
})

t.test('exempt networks have no limit, also as IPv4-mapped addresses', async (t) => {
  const limit = limiter({ exempt: ['127.0.0.0/8', '10.0.0.0/8', 'fe80::/10'] })
  for (const address of ['127.0.0.1', '10.255.0.1', 'fe80::1', '::ffff:10.0.0.1']) {
    t.equal(answered(limit, address, 1000), 1000, address)
  }
  t.equal(answered(limit, '11.0.0.1', 1000), 10)
})

t.test('threads with one memory share one limit', async (t) => {
  const memory = newRateLimitMemory()
  const [first, second] = [limiter({ memory }), limiter({ memory })]
  t.equal(answered(first, '192.0.2.1', 7) + answered(second, '192.0.2.1', 100), 10)
  first.nowMs = 1_000_500
  t.equal(answered(first, '192.0.2.1', 100), 5)
  t.equal(answered(second, '192.0.2.1', 100), 0, 'whose clock is half a second behind')
})

t.test('after any pause a network has its whole share again', async (t) => {
  // Pauses around those at which 32 bits of time come round.
  for (const seconds of [1, 60, 536, 537, 1072, 1073, 1074, 1075, 100_000]) {
    const limit = limiter()
    answered(limit, '192.0.2.1', 100)
    limit.nowMs = 1_000_000 + seconds * 1000
    t.equal(answered(limit, '192.0.2.1', 100), 10, `${seconds} s`)
    limit.nowMs = 1_000_000 + seconds * 1000 + 1_073_741.824
    t.equal(answered(limit, '192.0.2.1', 100), 10, `${seconds} s, and once around`)
  }
})

t.test('other networks see no loss while 5,000 are at their limit', async (t) => {
  const limit = limiter()
  for (let n = 0; n < 5000; n++) answered(limit, `11.${n >> 8}.${n & 255}.1`, 11)
  let lost = 0
  for (let n = 0; n < 1000; n++) {
    if (answered(limit, `12.${n >> 8}.${n & 255}.1`, 1) === 0) lost++
  }
  t.equal(lost, 0)
})

t.test('no network ever gets more than the limit, however many there are', async () => {
  const packet = fc.record({
    // Few and many networks, more than one set of the table holds.
    network: fc.oneof(fc.nat(3), fc.nat(1_000_000)),
    count: fc.integer({ min: 1, max: 60 }),
    pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 700 })),
  })
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 60 }), fc.integer(), (packets, seed) => {
      const limit = limiter({ seed })
      let nowMs = 1_000_000
      const given = new Map<number, { atMs: number; answers: number }[]>()
      for (const { network, count, pauseMs } of packets) {
        limit.nowMs = nowMs += pauseMs
        const address = `${20 + (network >> 16)}.${(network >> 8) & 255}.${network & 255}.9`
        const answers = answered(limit, address, count)
        const list = given.get(network) ?? []
        list.push({ atMs: nowMs, answers })
        given.set(network, list)
      }
      for (const list of given.values()) {
        for (const [from, { atMs }] of list.entries()) {
          let sum = 0
          for (const later of list.slice(from)) {
            sum += later.answers
            if (sum > 10 + ((later.atMs - atMs) / 1000) * 10 + 1e-6) return false
          }
        }
      }
      return true
    }),
  )
})

t.test('a network whose entry was taken over does not get its share again', async (t) => {
  const limit = limiter()
  const network = (n: number): string => `${20 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}.1`
  const given = Array.from({ length: 2000 }, (_, n) => answered(limit, network(n), 11))
  // Ten times as many as the table has room for.
  for (let n = 2000; n < 655_360; n++) answered(limit, network(n), 11)
  for (let n = 0; n < 2000; n++) given[n] = (given[n] ?? 0) + answered(limit, network(n), 11)
  t.equal(Math.max(...given), 10)
  limit.nowMs = 1_002_000
  t.equal(answered(limit, network(7), 11), 10, 'later there is room again')
})
