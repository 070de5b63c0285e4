import t from 'tap'
import type { Test } from 'tap'
import { Ticker } from '../../src/replica/ticker.ts'

const tickMs = 2

/** A thread that did nothing for 10 ticks, and then had a whole tick of time. */
function stalled(t: Test, onStall: (ticker: Ticker) => void): Promise<number> {
  let nowMs = 0
  return new Promise((resolve) => {
    const ticker = new Ticker({
      tickMs,
      electionTicks: 10,
      nowMs: () => nowMs,
      onTicks: resolve,
      onTimer: () => {},
      onStall: () => {
        onStall(ticker)
        setImmediate(() => setImmediate(() => setImmediate(() => resolve(0))))
      },
    })
    t.teardown(() => ticker.stop())
    nowMs = 10 * tickMs
  })
}

t.test('the ticks of a stall come after what waited meanwhile', async (t) => {
  t.ok((await stalled(t, () => {})) > 0)
})

t.test('a ticker that is stopped before that ticks no more: its files are closed', async (t) => {
  t.equal(await stalled(t, (ticker) => ticker.stop()), 0)
})
