import fc from 'fast-check'
import t from 'tap'
import { TokenBuckets } from '../../src/http/token-buckets.ts'

t.test('a bucket never lets more through than its burst and its rate in any time', (t) => {
  const rates = fc.record({
    perSecond: fc.integer({ min: 1, max: 1000 }),
    burst: fc.integer({ min: 1, max: 50 }),
  })
  const steps = fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(rates, steps, (rate, waits) => {
      const buckets = new TokenBuckets(rate)
      let nowMs = 0
      const taken: number[] = []
      for (const wait of waits) {
        nowMs += wait
        if (buckets.take('a', nowMs) === 0) taken.push(nowMs)
      }
      return taken.every((fromMs, from) =>
        taken.slice(from).every((toMs, at) => {
          const allowed = rate.burst + ((toMs - fromMs) / 1000) * rate.perSecond
          return at + 1 <= allowed + 1e-6
        }),
      )
    }),
  )
  t.end()
})

t.test('after the time that it names there is a token, and not before', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 1, max: 20 }),
      (perSecond, burst) => {
        const buckets = new TokenBuckets({ perSecond, burst })
        for (let count = 0; count < burst; count++) {
          if (buckets.take('a', 0) !== 0) return false
        }
        const waitMs = buckets.take('a', 0)
        return (
          waitMs > 0 &&
          buckets.take('a', waitMs - 0.001) > 0 &&
          buckets.take('a', waitMs + 0.001) === 0
        )
      },
    ),
  )
  t.end()
})

t.test('keys do not share a bucket', (t) => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 })
  t.equal(buckets.take('a', 0), 0)
  t.equal(buckets.take('b', 0), 0)
  t.equal(buckets.take('a', 0), 1000)
  t.end()
})

t.test('a million addresses take bounded memory, and the idle ones are forgotten first', (t) => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 1000)
  for (let count = 0; count < 1_000_000; count++) {
    buckets.take(`10.${count}`, count)
    if (count % 500 === 0) buckets.take('busy', count)
  }
  t.equal(buckets.size, 1000)
  t.ok(buckets.waitMs('busy', 999_500) > 0, 'the busy one is still known')
  t.end()
})
