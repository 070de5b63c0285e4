import t from 'tap'
import { Vouching } from '../../../src/replica/cluster/vouching.ts'
import type { Membership } from '../../../src/replica/cluster/removal-notice.ts'

type Answers = Readonly<Record<string, Membership | undefined>>

const yes: Membership = { isMember: true, hasLeader: true }
const no: Membership = { isMember: false, hasLeader: true }
const unsure: Membership = { isMember: false, hasLeader: false }

/** A server that knows a and b, and is sent something by x. */
function world(answers: Answers, isAuthenticated = false) {
  const found = { vouched: [] as string[], asked: [] as string[], lines: [] as string[], nowMs: 0 }
  const line = (_fields: object, text: string): void => void found.lines.push(text)
  const vouching = new Vouching({
    members: () => ['a', 'b'],
    ask: async (whom, about) => {
      found.asked.push(`${whom} about ${about}`)
      const answer = answers[whom]
      if (answer === undefined) throw new Error('not reached')
      return answer
    },
    isAuthenticated,
    onVouched: (id) => found.vouched.push(id),
    logger: { debug: line, info: line, warn: line, error: line },
    nowMs: () => found.nowMs,
  })
  return { vouching, found }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('for whom somebody vouches', async (t) => {
  const cases: readonly [string, Answers, boolean, boolean][] = [
    ['one of the members knows it', { a: no, b: yes }, false, true],
    ['none of them does', { a: no, b: no, x: yes }, true, false],
    ['one does not, and one is away', { a: no, x: yes }, true, false],
    ['none is there, and anybody may come', { x: yes }, false, false],
    ['none is there, and only those come who have proven themselves', { x: yes }, true, true],
    ['none of them hears a leader', { a: unsure, b: unsure, x: yes }, true, true],
    ['it does not even say so itself', { x: unsure }, true, false],
  ]
  for (const [what, answers, isAuthenticated, isVouched] of cases) {
    const { vouching, found } = world(answers, isAuthenticated)
    vouching.met('x')
    await settled()
    t.strictSame(found.vouched, isVouched ? ['x'] : [], what)
    t.equal(found.lines.length, isVouched ? 0 : 1)
  }
})

t.test('it is asked about a stranger once a second, about few, and said once', async (t) => {
  const { vouching, found } = world({ a: no, b: no })
  for (let n = 0; n < 100; n++) vouching.met('x')
  await settled()
  t.strictSame(found.asked, ['a about x', 'b about x'])
  found.nowMs = 1000
  vouching.met('x')
  await settled()
  t.equal(found.asked.length, 4)
  t.equal(found.lines.length, 1)
  for (let n = 0; n < 1000; n++) vouching.met(`x${n}`)
  await settled()
  t.ok(found.asked.length <= 4 + 2 * 16, `${found.asked.length} requests`)
})
