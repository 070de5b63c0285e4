import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t from 'tap'

const clock = new URL('../../../src/resolver/recursion/shared-clock.ts', import.meta.url).href

t.test('in each thread it shows the time of the process, to a few microseconds', async (t) => {
  const file = join(t.testdir(), 'thread.mjs')
  const program = `
    import { parentPort } from 'node:worker_threads'
    import { sharedNowMs } from '${clock}'
    const exactMs = () => Number(process.hrtime.bigint()) / 1e6
    let outsideMs = Infinity
    for (let look = 0; look < 50; look++) {
      const beforeMs = exactMs()
      const nowMs = sharedNowMs()
      const afterMs = exactMs()
      outsideMs = Math.min(outsideMs, Math.max(beforeMs - nowMs, nowMs - afterMs))
    }
    parentPort.postMessage(outsideMs)`
  writeFileSync(file, program)
  for (let thread = 0; thread < 3; thread++) {
    const [outsideMs] = (await once(new Worker(file), 'message')) as [number]
    t.ok(outsideMs < 0.02, `${outsideMs} ms outside`)
  }
})
