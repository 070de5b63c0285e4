import t from 'tap'
import { nearestIds } from '../../src/api/nearest-id.ts'

const check = (id: string, ...aliases: readonly string[]) => ({ id, aliases })

t.test('an id that is not there suggests what may have been meant', async (t) => {
  const checks = [
    check('service:worker', 'service:worker', 'worker', "Service 'worker' check"),
    check('service:web:1', 'service:web', 'web'),
    check('service:web:2', 'service:web', 'web'),
    check('mem', 'mem', 'Memory'),
  ]
  for (const [asked, wanted] of [
    ['worker', ['service:worker']],
    ['WORKER', ['service:worker']],
    ['service:web', ['service:web:1', 'service:web:2']],
    ['web', ['service:web:1', 'service:web:2']],
    ['memory', ['mem']],
    ['service:wroker', ['service:worker']],
    ['service:worke', ['service:worker']],
    ['men', ['mem']],
    ['service:web:3', ['service:web:1', 'service:web:2']],
    ['cpu', []],
    ['', []],
    ['x', []],
    ['service:something-else', []],
    ['w'.repeat(100_000), []],
  ] as const) {
    t.strictSame(nearestIds(asked, checks), wanted, asked.slice(0, 30))
  }
})
