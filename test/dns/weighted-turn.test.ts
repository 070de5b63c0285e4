import fc from 'fast-check'
import t from 'tap'
import { firstByWeight, sharesOf } from '../../src/dns/weighted-turn.ts'
import { must } from '../../src/base/assert.ts'
import { decodeReply, type DnsReply } from '../../src/net/dns-client.ts'
import { Bench, buildQuery, endpoint } from './fixture.ts'

/** How often each record comes first in `count` turns. */
function counted(weights: readonly number[], from: number, count: number): readonly number[] {
  const shares = must(sharesOf(weights))
  const found = weights.map(() => 0)
  for (let turn = from; turn < from + count; turn++) {
    const at = firstByWeight(shares, turn >>> 0)
    found[at] = must(found[at]) + 1
  }
  return found
}

t.test('in any number of turns in a row, each record has its share but for a few', async (t) => {
  const anyWeights = fc
    .array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 65_535 })), {
      minLength: 2,
      maxLength: 20,
    })
    .filter((weights) => sharesOf(weights) !== undefined)
  let worst = 0
  const property = fc.property(
    anyWeights,
    fc.integer({ min: 0, max: 2 ** 32 }),
    fc.integer({ min: 1, max: 5000 }),
    (weights, from, count) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      const found = counted(weights, from, count)
      for (const [at, weight] of weights.entries()) {
        worst = Math.max(worst, Math.abs(must(found[at]) - (count * weight) / total))
        if (weight === 0 && found[at] !== 0) return false
      }
      return worst < 4
    },
  )
  fc.assert(property, { numRuns: 300 })
  t.comment(`at most ${worst.toFixed(2)} off`)
})

t.test('equal weights and weights of 0 need no shares', async (t) => {
  t.strictSame(
    [sharesOf([]), sharesOf([3, 3]), sharesOf([0, 0]), sharesOf([7])],
    [undefined, undefined, undefined, undefined],
  )
  t.strictSame(counted([1, 0], 5, 1000), [1000, 0])
  t.strictSame(counted([0, 1], 5, 1000), [0, 1000])
  t.strictSame(counted([0, 1, 0], 2 ** 32 - 500, 1000), [0, 1000, 0])
})

const asked = 8000

/** The same question many times. Answers of the same octets are decoded once. */
function* repliesTo(bench: Bench, count: number): Generator<DnsReply> {
  const packet = buildQuery('web.service.consul', 'A')
  const decoded = new Map<string, DnsReply>()
  for (let n = 0; n < count; n++) {
    const bytes = must(bench.send(packet))
    const key = bytes.toString('latin1')
    const reply = decoded.get(key) ?? decodeReply(bytes)
    decoded.set(key, reply)
    yield reply
  }
}

/** How often each address is at a place of the answers. */
function places(bench: Bench, place: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const { answer } of repliesTo(bench, asked)) {
    const data = answer[place]?.data ?? ''
    found.set(data, (found.get(data) ?? 0) + 1)
  }
  return found
}

function weighted(...weights: readonly number[]): Bench {
  const bench = new Bench()
  for (const [at, weight] of weights.entries()) {
    bench.registry.add('web', { at: `10.9.${at >> 8}.${at & 255}`, port: 80, weight })
  }
  return bench
}

t.test('the first address of the answers follows the weights, and none is missing', async (t) => {
  const bench = weighted(5, 2, 1, 0)
  const first = places(bench, 0)
  const counts = [5, 2, 1, 0].map((_, at) => first.get(`10.9.0.${at}`) ?? 0)
  for (const [at, weight] of [5, 2, 1, 0].entries()) {
    t.ok(Math.abs(must(counts[at]) - (asked * weight) / 8) < 4, `${counts[at]} for ${weight}`)
  }
  const chi = counts.slice(0, 3).reduce((sum, count, at) => {
    const due = (asked * must([5, 2, 1][at])) / 8
    return sum + (count - due) ** 2 / due
  }, 0)
  // 13.8 is exceeded by chance once in 1,000 times.
  t.ok(chi < 0.1, `chi-square ${chi}`)
  for (let n = 0; n < 50; n++) {
    const { answer } = bench.ask('web.service.consul', 'A')
    t.equal(new Set(answer.map(({ data }) => data)).size, 4, 'each address once')
  }
  t.ok(bench.responder.counters.hits > asked, 'from the cache')
})

t.test('behind the first address, the others take turns', async (t) => {
  const second = places(weighted(97, 1, 1, 1), 1)
  for (const at of [1, 2, 3]) {
    const count = second.get(`10.9.0.${at}`) ?? 0
    t.ok(count > asked * 0.3 && count < asked * 0.35, `10.9.0.${at} is second ${count} times`)
  }
})

t.test(
  'in answers that are cut, the first follows the weights and the others take turns',
  async (t) => {
    const weights = Array.from({ length: 100 }, (_, at) => (at === 40 ? 99 : 1))
    const bench = weighted(...weights)
    const first = new Map<string, number>()
    const anywhere = new Map<string, number>()
    const count = (found: Map<string, number>, key: string): void => {
      found.set(key, (found.get(key) ?? 0) + 1)
    }
    const questions = 4950
    for (const { answer, flags, bytes } of repliesTo(bench, questions)) {
      if (!flags.includes('tc') || bytes > 512 || bytes <= 512 - 16) t.fail(`${bytes} octets`)
      if (new Set(answer.map(({ data }) => data)).size !== answer.length) t.fail('an address twice')
      count(first, answer[0]?.data ?? '')
      for (const { data } of answer) count(anywhere, data)
    }
    t.ok(Math.abs((first.get('10.9.0.40') ?? 0) - questions / 2) < 4, 'half of the answers')
    t.equal(first.size, 100)
    t.equal(anywhere.size, 100)
    anywhere.delete('10.9.0.40')
    const [least, most] = [Math.min(...anywhere.values()), Math.max(...anywhere.values())]
    t.ok(most < least * 1.15, `each of the others is in ${least} to ${most} answers`)
  },
)

t.test('the weight of an address is the sum of its instances', async (t) => {
  const bench = new Bench()
  bench.registry.add(
    'web',
    { at: '10.9.0.1', port: 1 },
    { at: '10.9.0.1', port: 2 },
    { at: '10.9.0.1', port: 3 },
    { at: '10.9.0.2', port: 1 },
  )
  const first = places(bench, 0)
  t.ok(Math.abs((first.get('10.9.0.1') ?? 0) - asked * 0.75) < 4)
})

t.test('AAAA, SVCB and prepared queries follow the weights too; SRV says them', async (t) => {
  const bench = new Bench()
  bench.registry
    .add('web', { at: '2001:db8::1', weight: 3 }, { at: '2001:db8::2' })
    .addQuery('q', 'web')
    .addQuery('near', 'web', { near: 1 })
  const firsts = (name: string, type: string, wanted: RegExp): number => {
    let count = 0
    for (let n = 0; n < 400; n++) {
      if (wanted.test(bench.ask(name, type, { tcp: true }).answer[0]?.data ?? '')) count++
    }
    return count
  }
  const isAbout = (count: number, due: number): boolean => Math.abs(count - due) < 4
  t.ok(isAbout(firsts('web.service.consul', 'AAAA', /^2001:db8::1$/), 300))
  t.ok(isAbout(firsts('q.query.consul', 'AAAA', /^2001:db8::1$/), 300))
  t.ok(isAbout(firsts('web.service.consul', 'SVCB', /2001:db8::1$/), 300))
  t.equal(firsts('web.service.consul', 'SRV', /^1 3 /), 200, 'clients choose by the weights')
  t.equal(firsts('near.query.consul', 'AAAA', /^2001:db8::1$/), 400, 'near ones stay in front')
})

t.test('a change of weights counts from the next answer on', async (t) => {
  const bench = weighted(1, 1)
  const first = places(bench, 0)
  t.equal(first.get('10.9.0.0'), asked / 2)
  bench.registry.services.set('web', [
    endpoint({ at: '10.9.0.0', weight: 0 }),
    endpoint({ at: '10.9.0.1' }),
  ])
  bench.versions.bump(['service:web'])
  t.strictSame([...places(bench, 0)], [['10.9.0.1', asked]])
})
