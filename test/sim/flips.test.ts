import t from 'tap'
import { runFlips } from './flips.ts'

t.setTimeout(300_000)

const seeds = 40

t.test('a server whose log has a flipped bit does not start, and nothing is lost', async (t) => {
  const failures: string[] = []
  let refused = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const result = await runFlips(seed)
    if (result.failure !== undefined) failures.push(`seed ${seed}: ${result.failure}`)
    refused += result.refused
  }
  t.same(failures, [])
  t.equal(refused, 4 * seeds, 'each flipped bit was found')
})

t.test('the simulator catches a server that checks no sums', async (t) => {
  let caught = 0
  for (let seed = 1; seed <= seeds; seed++) {
    if ((await runFlips(seed, { trusts: true })).failure !== undefined) caught++
  }
  t.ok(caught > 0, `caught by ${caught} of ${seeds} seeds`)
})
