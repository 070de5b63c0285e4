import t from 'tap'
import { silentLogger } from '../../../src/base/log.ts'
import type { PlacedSums } from '../../../src/state/machine/apply.ts'
import { LeaderDuties } from '../../../src/replica/duties/leader-duties.ts'
import { compareReports, ReplicaComparison } from '../../../src/replica/duties/comparison.ts'
import type { StateReport, Verdict } from '../../../src/replica/duties/comparison.ts'
import type { Status } from '../../../src/raft/status.ts'

/** `255a 511b`: the sums at each entry. */
function sumsOf(text: string): PlacedSums[] {
  return text
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => ({ index: Number.parseInt(part, 10), text: part.replace(/^\d+/, '') }))
}

t.test('most servers decide whose state is wrong', async (t) => {
  const table: [string, Record<string, string>, number, Verdict][] = [
    [
      'all are equal',
      { n1: '255a', n2: '255a', n3: '255a' },
      3,
      { kind: 'equal', index: 255, of: 3 },
    ],
    ['the odd one of three', { n1: '255a', n2: '255b', n3: '255a' }, 3, odd(255, 'a', 'n2')],
    ['the leader itself', { n1: '255b', n2: '255a', n3: '255a' }, 3, odd(255, 'a', 'n1')],
    [
      'two of five',
      { n1: '9a', n2: '9b', n3: '9a', n4: '9c', n5: '9a' },
      5,
      odd(9, 'a', 'n2', 'n4'),
    ],
    ['one of three is down', { n1: '9a', n2: '9b' }, 3, undecided(9, 'n1', 'n2')],
    [
      'two of three that answer agree',
      { n1: '9a', n2: '9a' },
      3,
      { kind: 'equal', index: 9, of: 2 },
    ],
    ['two servers', { n1: '9a', n2: '9b' }, 2, undecided(9, 'n1', 'n2')],
    ['three ways', { n1: '9a', n2: '9b', n3: '9c' }, 3, undecided(9, 'n1', 'n2', 'n3')],
    [
      'half is no majority',
      { n1: '9a', n2: '9a', n3: '9b', n4: '9b' },
      4,
      undecided(9, 'n1', 'n2', 'n3', 'n4'),
    ],
    ['nobody else', { n1: '255a 300b' }, 3, { kind: 'incomparable' }],
    ['no entry that two have', { n1: '255a', n2: '511a' }, 3, { kind: 'incomparable' }],
    ['nothing at all', {}, 3, { kind: 'incomparable' }],
    [
      'where the most have sums, although a newer entry differs',
      { n1: '255a 511a', n2: '255a 511b', n3: '255a' },
      3,
      { kind: 'equal', index: 255, of: 3 },
    ],
    [
      'the newest of those',
      { n1: '255a 511a', n2: '255a 511b', n3: '255a 511a' },
      3,
      odd(511, 'a', 'n2'),
    ],
  ]
  for (const [name, reports, count, verdict] of table) {
    const given = new Map(Object.entries(reports).map(([id, text]) => [id, sumsOf(text)]))
    t.strictSame(compareReports(given, count), verdict, name)
  }
})

function odd(index: number, text: string, ...ids: readonly string[]): Verdict {
  return { kind: 'odd', index, text, ids }
}

function undecided(index: number, ...ids: readonly string[]): Verdict {
  return { kind: 'undecided', index, ids }
}

/** A leader n1 of three, what it asks, and a clock. */
function leader(answers: Readonly<Record<string, StateReport | Error>>) {
  const asked: string[] = []
  const world = { role: 'leader', term: 1, applied: 300, nowMs: 0 }
  const config = { voters: ['n1', 'n2', 'n3'], votersOutgoing: [], learners: [] as string[] }
  const told: PlacedSums[] = []
  const status = () => ({ id: 'n1', config, ...world }) as unknown as Status
  const comparison = new ReplicaComparison({
    status,
    format: 5,
    own: () => ({ format: 5, sums: sumsOf('255a') }),
    ask: async <T>(id: string, kind: string, body: unknown): Promise<T> => {
      asked.push(`${kind} ${id} ${JSON.stringify(body)}`)
      const answer = answers[id]
      if (answer instanceof Error) throw answer
      return answer as T
    },
    onOdd: (right) => told.push(right),
    logger: silentLogger,
    nowMs: () => world.nowMs,
  })
  const duties = [comparison]
  const runner = new LeaderDuties({ status, nowMs: () => world.nowMs, duties })
  return { asked, world, told, comparison, runner, config }
}

const report = (text: string, format = 5): StateReport => ({ format, sums: sumsOf(text) })
const questions = ['state-sums n2 null', 'state-sums n3 null']

t.test('the leader tells the server whose state differs, which may be itself', async (t) => {
  const one = leader({ n2: report('255a'), n3: report('255b') })
  await one.comparison.compare()
  t.strictSame(one.asked, [...questions, 'state-differs n3 {"index":255,"text":"a"}'])
  const other = leader({ n2: report('255b'), n3: report('255b') })
  await other.comparison.compare()
  t.strictSame(other.asked, questions)
  t.strictSame(other.told, [{ index: 255, text: 'b' }])
})

t.test('servers of other formats, or that do not know the question, are left alone', async (t) => {
  for (const answer of [report('255b', 6), new Error('unknown-request')]) {
    const { comparison, asked } = leader({ n2: report('255a'), n3: answer })
    await comparison.compare()
    t.strictSame(asked, questions)
    t.equal(comparison.undecided, 0)
  }
})

t.test('without a majority nobody is told, and it is counted', async (t) => {
  const { comparison, asked, told } = leader({ n2: report('255b'), n3: new Error('down') })
  await comparison.compare()
  t.strictSame([asked, told], [questions, []])
  t.equal(comparison.undecided, 1)
})

t.test('it is done every 10 s, by the leader, while entries are applied', async (t) => {
  const { runner, asked, world } = leader({ n2: report('255a'), n3: report('255a') })
  const turns = async (): Promise<number> => {
    const before = asked.length
    runner.check()
    await new Promise((resolve) => setImmediate(resolve))
    return asked.length - before
  }
  t.equal(await turns(), 2)
  world.nowMs = 9999
  t.equal(await turns(), 0)
  world.nowMs = 10_000
  t.equal(await turns(), 2)
  world.role = 'follower'
  world.nowMs = 20_000
  t.equal(await turns(), 0)
  world.role = 'leader'
  world.applied = 255
  t.equal(await turns(), 0, 'all were equal at the last entry that is applied')
})

t.test('the format of a member is known as soon as it is one, or is upgraded', async (t) => {
  const answers: Record<string, StateReport | Error> = {
    n2: report('255a'),
    n3: report('255a', 4),
    n4: new Error('down'),
  }
  const { comparison, runner, asked, world, config } = leader(answers)
  const { formats } = comparison
  const others = ['n2', 'n3']
  const checked = async (): Promise<readonly string[]> => {
    const before = asked.length
    runner.check()
    await new Promise((resolve) => setImmediate(resolve))
    return asked.slice(before).map((question) => question.split(' ')[1] ?? '')
  }
  t.strictSame(formats.missing(1, others), others, 'before they are asked')
  t.strictSame(await checked(), ['n2', 'n3'])
  t.strictSame(formats.missing(5, others), ['n3'])
  t.strictSame(formats.missing(4, others), [])
  // Of an older release: it is asked again, once a second.
  world.nowMs = 1
  await checked()
  world.nowMs = 1000
  t.strictSame(await checked(), [])
  answers['n3'] = report('255a')
  world.nowMs = 1001
  t.strictSame(await checked(), ['n3'])
  t.strictSame(formats.missing(5, others), [])
  world.nowMs = 3000
  t.strictSame(await checked(), [])
  // A new member is asked at once, and until it answers.
  config.learners = ['n4']
  t.strictSame(await checked(), ['n4'])
  world.nowMs = 3999
  t.strictSame(await checked(), [])
  world.nowMs = 4000
  t.strictSame(await checked(), ['n4'])
  answers['n4'] = report('255a')
  world.nowMs = 5000
  await checked()
  t.strictSame(formats.missing(5, ['n4']), [])
  // What left is forgotten: under the same ID an older release may come.
  config.learners = []
  await checked()
  t.strictSame(formats.missing(1, ['n4']), ['n4'])
})
