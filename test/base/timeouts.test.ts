import t from 'tap'
import { Timeouts } from '../../src/base/timeouts.ts'

t.test('what is due is called, in order, unless it was cancelled', async (t) => {
  let nowMs = 1000
  const called: string[] = []
  const timeouts = new Timeouts(() => nowMs)
  const after = (delayMs: number, name: string): (() => void) =>
    timeouts.after(delayMs, () => called.push(name))
  t.equal(timeouts.dueMs, Infinity)
  const cancelA = after(100, 'a')
  after(100, 'b')
  after(30, 'c')
  t.equal(timeouts.dueMs, 1030)
  nowMs = 1029
  timeouts.run()
  t.same(called, [])
  nowMs = 1030
  timeouts.run()
  t.same(called, ['c'])
  cancelA()
  nowMs = 1060
  after(100, 'd')
  t.equal(timeouts.dueMs, 1100)
  nowMs = 1200
  timeouts.run()
  t.same(called, ['c', 'b', 'd'])
  t.equal(timeouts.dueMs, Infinity)
})

t.test('what is called may set and cancel others', async (t) => {
  let nowMs = 0
  const called: string[] = []
  const timeouts = new Timeouts(() => nowMs)
  let cancel = (): void => {}
  timeouts.after(10, () => {
    called.push('first')
    cancel()
    timeouts.after(10, () => called.push('third'))
  })
  cancel = timeouts.after(10, () => called.push('second'))
  nowMs = 10
  timeouts.run()
  t.same(called, ['first'])
  t.equal(timeouts.dueMs, 20)
  nowMs = 20
  timeouts.run()
  t.same(called, ['first', 'third'])
})
