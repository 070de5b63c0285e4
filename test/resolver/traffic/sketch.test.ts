import fc from 'fast-check'
import t from 'tap'
import { HeavyHitters, mergeHitters } from '../../../src/resolver/traffic/heavy-hitters.ts'
import { Sampler } from '../../../src/resolver/traffic/sampler.ts'
import { TrafficWindow } from '../../../src/resolver/traffic/traffic-window.ts'
import type { AnsweredQuery } from '../../../src/resolver/traffic/answered-query.ts'

const query: AnsweredQuery = {
  transport: 'udp',
  client: '10.0.0.9',
  name: 'web.service.consul.',
  type: 'A',
  rcode: 'NOERROR',
  bytes: 60,
  latencyMs: 0.1,
  isTruncated: false,
  isCached: true,
}

t.test(
  'every frequent key is in the list, and its count is too high by at most its error',
  async () => {
    const keysMax = 8
    const streams = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 400 })
    fc.assert(
      fc.property(streams, (stream) => {
        const sketch = new HeavyHitters(keysMax)
        const exact = new Map<string, number>()
        for (const number of stream) {
          // Small numbers are frequent.
          const key = String(Math.floor(number ** 2 / 40))
          sketch.add(key, 1)
          exact.set(key, (exact.get(key) ?? 0) + 1)
        }
        const found = new Map(sketch.list().map((hitter) => [hitter.key, hitter]))
        if (found.size > keysMax) return false
        for (const [key, count] of exact) {
          const hitter = found.get(key)
          if (hitter === undefined && count > stream.length / keysMax) return false
          if (hitter === undefined) continue
          if (hitter.count < count || hitter.count - hitter.error > count) return false
        }
        return true
      }),
    )
  },
)

t.test('the memory of a sketch is bounded, whatever is counted', async (t) => {
  const sketch = new HeavyHitters(16)
  for (let n = 0; n < 100_000; n++) sketch.add(`name-${n}`, 1)
  t.equal(sketch.size, 16)
})

t.test('lists of several threads add up, the most frequent first', async (t) => {
  const hitter = (key: string, count: number) => ({ key, count, error: 0 })
  const merged = mergeHitters([[hitter('a', 1), hitter('b', 5)], [hitter('a', 7)]], 1)
  t.strictSame(merged, [hitter('a', 8)])
})

t.test('a sample is one of n on average, and all of them for n = 1', async (t) => {
  for (const every of [1, 7, 100]) {
    const sampler = new Sampler(4711)
    sampler.start(every, 0)
    let chosen = 0
    for (let n = 0; n < 100_000; n++) if (sampler.count()) chosen += sampler.next(0) ? 1 : 0
    const expected = 100_000 / every
    t.ok(Math.abs(chosen - expected) <= expected * 0.1, `${every}: ${chosen}`)
    if (every === 1) t.equal(chosen, 100_000)
  }
})

t.test('a client that repeats a pattern of queries does not escape the sample', async (t) => {
  const sampler = new Sampler(4711)
  sampler.start(2, 0)
  const seen = new Set<number>()
  for (let n = 0; n < 1000; n++) if (sampler.count() && sampler.next(0)) seen.add(n % 2)
  t.equal(seen.size, 2)
})

t.test('many queries per second make the gaps longer, and few make them short again', async (t) => {
  const sampler = new Sampler(4711, 1000)
  sampler.start(1, 0)
  let chosen = 0
  // 200,000 queries per second, for a second.
  for (let n = 0; n < 200_000; n++) {
    if (sampler.count() && sampler.next(n / 200)) chosen++
  }
  t.ok(chosen < 2500, `${chosen} samples in a second`)
  t.ok(sampler.weight > 50)
  // Then 10 per second: the next looks find few samples.
  for (let second = 2; second < 6; second++) sampler.adjust(second * 1000)
  t.equal(sampler.weight, 1)
})

t.test('sampling that is off chooses nothing', async (t) => {
  const sampler = new Sampler(4711)
  sampler.start(1, 0)
  sampler.start(0, 0)
  t.equal(sampler.weight, 0)
  for (let n = 0; n < 1000; n++) t.notOk(sampler.count() && sampler.next(0))
})

t.test('a window shows the last seconds as rates, and forgets what is older', async (t) => {
  const window = new TrafficWindow(0)
  for (let ms = 0; ms < 4000; ms += 10) window.add(query, 1, ms)
  for (let ms = 0; ms < 4000; ms += 100) {
    window.add({ ...query, name: 'gone.service.consul.', rcode: 'NXDOMAIN' }, 1, ms)
  }
  const { names, missing, clients } = window.read(4000)
  t.strictSame(names, [
    { key: 'web.service.consul.', count: 100, error: 0 },
    { key: 'gone.service.consul.', count: 10, error: 0 },
  ])
  t.strictSame(missing, [{ key: 'gone.service.consul.', count: 10, error: 0 }])
  t.strictSame(clients, [{ key: '10.0.0.9', count: 110, error: 0 }])
  // A half of the window later they are in its older half, and then they are gone.
  t.equal(window.read(9000).names[0]?.count, 400 / 9)
  t.strictSame(window.read(11_000).names, [])
})
