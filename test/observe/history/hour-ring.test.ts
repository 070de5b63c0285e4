import t from 'tap'
import { HourRing, stepsMax } from '../../../src/observe/history/hour-ring.ts'

function put(ring: HourRing, step: number, values: Readonly<Record<string, number>>): void {
  ring.put(step, new Map(Object.entries(values)))
}

t.test('values come back oldest first, and a step that was left out has none', async (t) => {
  const ring = new HourRing()
  t.strictSame(ring.values('a'), [], 'nothing was recorded')
  put(ring, 3, { a: 1 })
  put(ring, 4, { a: 2.123_456 })
  put(ring, 6, { a: 4, b: 0 })
  t.strictSame(ring.values('a'), [1, 2.12, null, 4])
  t.strictSame(ring.values('b'), [null, null, null, 0])
  t.strictSame(ring.values('c'), [null, null, null, null])
  t.strictSame(ring.names(), ['a', 'b'])
  put(ring, 6, { a: 9 })
  t.strictSame(ring.values('a').at(-1), 4, 'a step is recorded once')
})

t.test('only the last hour is kept', async (t) => {
  const ring = new HourRing()
  for (let step = 1; step <= stepsMax + 5; step++) put(ring, step, { a: step })
  const values = ring.values('a')
  t.equal(values.length, stepsMax)
  t.equal(values[0], 6)
  t.equal(values.at(-1), stepsMax + 5)
  t.equal(ring.from, 6)
})

t.test('after a gap of more than an hour nothing of before is left', async (t) => {
  const ring = new HourRing()
  for (let step = 1; step <= 10; step++) put(ring, step, { a: step })
  put(ring, 5000, { b: 1 })
  t.strictSame(ring.names(), ['b'])
  t.ok(ring.values('a').every((value) => value === null))
})

t.test('there are at most 64 series; one without a value in the hour gives way', async (t) => {
  const ring = new HourRing()
  for (let at = 0; at < 64; at++) put(ring, at, { [`series-${at}`]: at })
  put(ring, 64, { late: 1 })
  t.notOk(ring.names().includes('late'), 'there is no room')
  // The first series is now more than an hour old.
  put(ring, stepsMax, { later: 1 })
  t.ok(ring.names().includes('later'))
  t.notOk(ring.names().includes('series-0'))
  t.ok(ring.names().length <= 64)
})
