import t from 'tap'
import { TidyTime } from '../../src/replica/tidy-time.ts'

t.test('a burst of writes is followed by one tidying, when it is over', async (t) => {
  const time = new TidyTime()
  t.equal(time.waitMs(0), Infinity, 'there is nothing to tidy')
  for (let ms = 1000; ms <= 3000; ms += 100) {
    time.touched(ms)
    t.ok(time.waitMs(ms + 99) > 0)
  }
  t.equal(time.waitMs(3001), 499)
  t.equal(time.waitMs(3500), 0)
  time.tidied()
  t.equal(time.waitMs(10_000), Infinity)
})

t.test('a load that never pauses puts it off for 4 s', async (t) => {
  const time = new TidyTime()
  for (let ms = 0; ms < 4000; ms += 10) {
    time.touched(ms)
    t.not(time.waitMs(ms), 0)
  }
  time.touched(4000)
  t.equal(time.waitMs(4000), 0)
  time.tidied()
  time.touched(4010)
  t.equal(time.waitMs(4010), 500)
})
