import t from 'tap'
import { randomBelow, seededRandom } from '../../../../src/base/random.ts'
import { nearestIds } from '../../../../src/api/endpoints/agent/nearest-id.ts'

const check = (id: string, ...aliases: readonly string[]) => ({ id, aliases })

t.test('the distance is that of Levenshtein up to a third of the letters', async (t) => {
  const random = seededRandom(7)
  const text = (): string =>
    Array.from({ length: 3 + randomBelow(random, 10) }, () => 'abc'[randomBelow(random, 3)]).join(
      '',
    )
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, at) => at)
    for (const [i, letter] of a.split('').entries()) {
      const next = [i + 1]
      for (let j = 1; j <= b.length; j++) {
        const same = letter === b[j - 1] ? 0 : 1
        next.push(Math.min((row[j - 1] ?? 0) + same, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
      }
      row = next
    }
    return row[b.length] ?? 0
  }
  for (let n = 0; n < 3000; n++) {
    const [asked, id] = [text(), text()]
    const isNear = distance(asked, id) <= Math.min(3, Math.floor(asked.length / 3))
    t.equal(nearestIds(asked, [check(id)]).length === 1, isNear, `${asked} ${id}`)
  }
})

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
