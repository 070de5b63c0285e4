import t from 'tap'
import fc from 'fast-check'
import {
  Schedule,
  deadline,
  firstProbeDelayMs,
  nextProbeDelayMs,
} from '../../src/health/schedule.ts'
import { seededRandom } from '../../src/base/random.ts'

t.test('deadlines come due in order, and only then', async (t) => {
  const schedule = new Schedule<string>()
  const [a, b, c] = [deadline('a'), deadline('b'), deadline('c')]
  schedule.set(a, 300)
  schedule.set(b, 100)
  schedule.set(c, 200)
  t.strictSame(schedule.takeDue(99), [])
  t.strictSame(schedule.takeDue(200), ['b', 'c'])
  t.strictSame(schedule.takeDue(200), [], 'each once')
  schedule.clear(a)
  schedule.clear(a)
  t.strictSame(schedule.takeDue(1e9), [])
})

t.test('moved and cleared deadlines leave the order of the others alone', async (t) => {
  const operation = fc.record({
    item: fc.integer({ min: 0, max: 19 }),
    atMs: fc.option(fc.integer({ min: 0, max: 50 })),
  })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
      const schedule = new Schedule<number>()
      const items = Array.from({ length: 20 }, (_, n) => deadline(n))
      const model = new Map<number, number>()
      for (const { item, atMs } of operations) {
        const entry = items[item]
        if (entry === undefined) continue
        if (atMs === null) {
          schedule.clear(entry)
          model.delete(item)
        } else {
          schedule.set(entry, atMs)
          model.set(item, atMs)
        }
      }
      const expected = [...model].filter(([, atMs]) => atMs <= 25).map(([item]) => item)
      const due = schedule.takeDue(25)
      const times = due.map((item) => model.get(item) ?? Number.NaN)
      return (
        schedule.size === model.size - expected.length &&
        due.toSorted((x, y) => x - y).join() === expected.toSorted((x, y) => x - y).join() &&
        times.every((atMs, n) => n === 0 || (times[n - 1] ?? 0) <= atMs)
      )
    }),
  )
  t.pass('held for every sample')
})

t.test('it sleeps until the next deadline, and never longer than a second', async (t) => {
  const schedule = new Schedule<string>()
  const a = deadline('a')
  t.equal(schedule.sleepMs(0), 1000)
  schedule.set(a, 250)
  t.equal(schedule.sleepMs(100), 150)
  t.equal(schedule.sleepMs(400), 0, 'what is overdue is due now')
  schedule.set(a, 9000)
  t.equal(schedule.sleepMs(400), 1000)
})

t.test('a tick that comes d > 1 s late moves every deadline by d', async (t) => {
  const schedule = new Schedule<string>()
  schedule.set(deadline('ttl'), 10_000)
  for (let nowMs = 0; nowMs <= 5000; nowMs += schedule.sleepMs(nowMs));
  // Stopped at 6 s (as by SIGSTOP) for 100 s, ten times the TTL.
  t.strictSame(schedule.takeDue(106_000), [])
  t.equal(schedule.stalledMs, 100_000)
  for (let nowMs = 106_000; nowMs < 110_000; nowMs += schedule.sleepMs(nowMs)) {
    t.strictSame(schedule.takeDue(nowMs), [], `still alive at ${nowMs}`)
  }
  t.strictSame(schedule.takeDue(110_000), ['ttl'], 'and it has what was left of its time')
})

t.test('a tick that is a little late moves nothing', async (t) => {
  const schedule = new Schedule<string>()
  schedule.set(deadline('ttl'), 1500)
  schedule.sleepMs(0)
  t.strictSame(schedule.takeDue(2000), ['ttl'])
  t.equal(schedule.stalledMs, 0)
})

t.test('time stands still for a deadline that is set before the late tick ran', async (t) => {
  const schedule = new Schedule<string>()
  schedule.sleepMs(0)
  schedule.set(deadline('ttl'), schedule.timeMs(60_000) + 10_000)
  t.equal(schedule.sleepMs(60_000), 1000)
  t.strictSame(schedule.takeDue(61_000), [])
  for (let nowMs = 61_000; nowMs < 70_000; nowMs += schedule.sleepMs(nowMs));
  t.strictSame(schedule.takeDue(70_000), ['ttl'])
})

t.test('probes spread out and never come late', async (t) => {
  const random = seededRandom(7)
  const firsts = Array.from({ length: 1000 }, () => firstProbeDelayMs(10_000, random))
  for (let from = 0; from < 10_000; from += 1000) {
    const share = firsts.filter((delayMs) => delayMs >= from && delayMs < from + 1000).length
    t.ok(share > 50 && share < 150, `${share} of 1000 in one tenth of the interval`)
  }
  const delays = Array.from({ length: 1000 }, () => nextProbeDelayMs(10_000, random))
  t.ok(delays.every((delayMs) => delayMs > 9000 && delayMs <= 10_000))
  t.ok(new Set(delays).size > 900)
})
