import t from 'tap'
import { Proposals } from '../../../src/replica/writes/proposals.ts'
import type {
  PrintedProposal,
  ProposalResult,
  ProposalsParts,
} from '../../../src/replica/writes/proposals.ts'
import type { ProposeResult } from '../../../src/raft/verdict.ts'

const textsOf = (all: readonly Uint8Array[]): string[] =>
  all.map((bytes) => Buffer.from(bytes).toString())

/** Proposals over a log that the test plays, with a clock that it turns. */
class Rig {
  nowMs = 0
  role: 'leader' | 'follower' = 'leader'
  leader: string | undefined
  term = 1
  log: string[] = []
  readonly #terms: number[] = []
  answer: ProposeResult | undefined
  forwarded: { to: string; proposals: readonly string[] }[] = []
  reply: (proposals: readonly string[]) => Promise<readonly ProposalResult[]> = () =>
    Promise.reject(new Error('lost'))
  readonly appliedWaits: number[] = []
  readonly proposals: Proposals

  constructor() {
    const parts: ProposalsParts = {
      append: (proposals) => this.#append(proposals),
      leader: () => this.leader,
      isLeader: () => this.role === 'leader',
      isInLog: (index, term) => this.#terms[index - 1] === term,
      forward: (to, proposals) => {
        const texts = textsOf(proposals)
        this.forwarded.push({ to, proposals: texts })
        return this.reply(texts)
      },
      whenApplied: (index) => {
        this.appliedWaits.push(index)
        return Promise.resolve()
      },
      nowMs: () => this.nowMs,
    }
    this.proposals = new Proposals(parts)
  }

  #append(proposals: readonly PrintedProposal[]): ProposeResult {
    if (this.answer !== undefined) return this.answer
    const firstIndex = this.log.length + 1
    this.log.push(...textsOf(proposals.map(({ bytes }) => bytes)))
    this.#terms.push(...proposals.map(() => this.term))
    return { kind: 'accepted', term: this.term, firstIndex, lastIndex: this.log.length }
  }

  /** Another leader's entries replace what is here from `index` on. */
  follow(leader: string | undefined, index: number, entries: readonly string[]): void {
    this.role = 'follower'
    this.leader = leader
    this.term++
    this.log.splice(index - 1, Infinity, ...entries)
    this.#terms.splice(index - 1, Infinity, ...entries.map(() => this.term))
  }

  lead(): void {
    this.role = 'leader'
    this.leader = undefined
    this.term++
  }

  submit(json: string, mayForward = true): Promise<ProposalResult> {
    return new Promise((settle) => {
      const bytes = Buffer.from(json)
      this.proposals.submit({ bytes, deadlineMs: this.nowMs + 7000, mayForward, settle })
    })
  }
}

const done = (index: number): ProposalResult => ({
  kind: 'applied',
  outcome: { ok: true, index },
})
/** Lets the promises that are due settle. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('a leader answers each write with the outcome of its own entry', async (t) => {
  const rig = new Rig()
  const results = [rig.submit('a'), rig.submit('b')]
  rig.proposals.pump()
  t.strictSame(rig.log, ['a', 'b'])
  rig.proposals.onApplied(1, 1, { ok: true, index: 1 })
  rig.proposals.onApplied(2, 1, { ok: true, index: 2 })
  t.strictSame(await Promise.all(results), [done(1), done(2)])
})

t.test("a write whose place another leader's entry took is proposed again", async (t) => {
  const rig = new Rig()
  const result = rig.submit('a')
  rig.proposals.pump()
  rig.proposals.onApplied(1, 2, { ok: true, index: 1 })
  rig.proposals.pump()
  t.strictSame(rig.log, ['a', 'a'])
  rig.proposals.onApplied(2, 1, { ok: true, index: 2 })
  t.strictSame(await result, done(2))
})

t.test(
  'a write that another leader cut from the log is asked of that leader at once',
  async (t) => {
    const rig = new Rig()
    const results = ['a', 'b', 'c'].map((json) => rig.submit(json))
    rig.proposals.pump()
    rig.reply = async (proposals) => proposals.map((_, at) => done(at + 7))
    rig.follow('s2', 2, ['x'])
    rig.proposals.pump()
    t.strictSame(rig.forwarded, [{ to: 's2', proposals: ['b', 'c'] }], 'in their order')
    rig.proposals.onApplied(1, 1, { ok: true, index: 1 })
    t.strictSame(await Promise.all(results), [done(1), done(7), done(8)], 'the first one stayed')
    t.equal(rig.proposals.waiting, 0)
  },
)

t.test(
  'a write that was cut is answered though this server leads again before its index is applied',
  async (t) => {
    const rig = new Rig()
    const results = [rig.submit('a'), rig.submit('b')]
    rig.proposals.pump()
    rig.follow('s2', 1, [])
    rig.lead()
    results.push(rig.submit('c'))
    rig.proposals.pump()
    t.strictSame(rig.log, ['a', 'b', 'c'])
    for (const index of [1, 2, 3]) rig.proposals.onApplied(index, 3, { ok: true, index })
    t.strictSame(await Promise.all(results), [done(1), done(2), done(3)])
    t.equal(rig.proposals.waiting, 0)
  },
)

t.test('a write that was cut twice, part by part, is still answered', async (t) => {
  const rig = new Rig()
  const results = ['a', 'b', 'c'].map((json) => rig.submit(json))
  rig.proposals.pump()
  rig.follow(undefined, 3, ['x'])
  rig.proposals.pump()
  t.strictSame(rig.forwarded, [], 'nobody leads that could be asked')
  rig.follow('s3', 2, ['y', 'z'])
  rig.reply = async (proposals) => proposals.map((_, at) => done(at + 7))
  rig.proposals.pump()
  t.strictSame(rig.forwarded, [{ to: 's3', proposals: ['b', 'c'] }])
  rig.proposals.onApplied(1, 1, { ok: true, index: 1 })
  t.strictSame(await Promise.all(results), [done(1), done(7), done(8)])
})

t.test('a write of another server that was cut goes back to that one', async (t) => {
  const rig = new Rig()
  const result = rig.submit('a', false)
  rig.proposals.pump()
  rig.follow('s2', 1, ['x'])
  rig.proposals.pump()
  t.strictSame(await result, { kind: 'not-leader' })
})

t.test('what is in the log waits for it, whoever leads', async (t) => {
  const rig = new Rig()
  const result = rig.submit('a')
  rig.proposals.pump()
  rig.follow('s2', 2, ['x'])
  rig.proposals.pump()
  t.strictSame(rig.forwarded, [])
  rig.proposals.onApplied(1, 1, { ok: true, index: 1 })
  t.strictSame(await result, done(1))
})

t.test('a snapshot that covers it leaves its fate to the request id', async (t) => {
  const rig = new Rig()
  const result = rig.submit('a')
  rig.proposals.pump()
  rig.proposals.onRestored(5)
  rig.proposals.pump()
  rig.proposals.onApplied(2, 1, { ok: true, index: 1 })
  t.strictSame(await result, done(1), 'the outcome of the first time')
})

t.test('a follower forwards, and answers when it can be read here', async (t) => {
  const rig = new Rig()
  rig.role = 'follower'
  rig.leader = 's2'
  rig.reply = async (proposals) => proposals.map((_, at) => done(at + 7))
  const results = [rig.submit('a'), rig.submit('b')]
  rig.proposals.pump()
  t.strictSame(await Promise.all(results), [done(7), done(8)])
  t.strictSame(rig.forwarded, [{ to: 's2', proposals: ['a', 'b'] }])
  t.strictSame(rig.appliedWaits, [7, 8])
})

t.test('a lost reply is asked for again, with the same request', async (t) => {
  const rig = new Rig()
  rig.role = 'follower'
  rig.leader = 's2'
  const result = rig.submit('a')
  rig.proposals.pump()
  await turn()
  rig.leader = 's3'
  rig.reply = async () => [done(9)]
  rig.proposals.pump()
  t.strictSame(await result, done(9))
  t.strictSame(
    rig.forwarded.map(({ to }) => to),
    ['s2', 's3'],
  )
})

t.test('what another server forwarded is not passed on a second time', async (t) => {
  const rig = new Rig()
  rig.role = 'follower'
  rig.leader = 's2'
  const result = rig.submit('a', false)
  rig.proposals.pump()
  t.strictSame(await result, { kind: 'not-leader' })
  t.strictSame(rig.forwarded, [])
})

t.test('without a leader a write waits, and fails after its time', async (t) => {
  const rig = new Rig()
  rig.role = 'follower'
  const results = [rig.submit('a')]
  rig.proposals.pump()
  rig.role = 'leader'
  rig.nowMs = 100
  results.push(rig.submit('b'))
  rig.proposals.pump()
  t.equal(rig.proposals.waiting, 2)
  rig.nowMs = 7000
  rig.proposals.expire()
  t.match(await results[0], { kind: 'failed', code: 'no-leader' })
  t.equal(rig.proposals.waiting, 1, 'the later one has time left')
})

t.test('a full tail refuses, one that is too large does not keep the others out', async (t) => {
  const rig = new Rig()
  rig.answer = { kind: 'busy', waiting: 3 }
  const busy = rig.submit('a')
  rig.proposals.pump()
  t.match(await busy, { kind: 'failed', code: 'busy' })
  rig.answer = { kind: 'too-large', bytes: 900, max: 500 }
  const large = rig.submit('x'.repeat(900))
  const small = rig.submit('b')
  const whenLarge = large.then((result) => {
    rig.answer = undefined
    return result
  })
  rig.proposals.pump()
  t.match(await whenLarge, { kind: 'failed', code: 'command-too-large' })
  rig.proposals.pump()
  rig.proposals.onApplied(1, 1, { ok: true, index: 1 })
  t.strictSame(await small, done(1))
})

t.test('a write forwarded to a leader that fell silent is asked of the next one', async (t) => {
  const rig = new Rig()
  rig.role = 'follower'
  rig.leader = 'n2'
  let answerLate: (results: readonly ProposalResult[]) => void = () => {}
  rig.reply = () =>
    new Promise((resolve) => {
      answerLate = resolve
    })
  const result = rig.submit('a')
  rig.proposals.pump()
  rig.leader = undefined
  rig.proposals.pump()
  t.equal(rig.forwarded.length, 1, 'nobody else can be asked yet')
  rig.leader = 'n3'
  const late = answerLate
  rig.reply = () => Promise.resolve([done(7)])
  rig.proposals.pump()
  t.strictSame(
    rig.forwarded.map(({ to }) => to),
    ['n2', 'n3'],
  )
  late([{ kind: 'not-leader' }])
  t.strictSame(await result, done(7))
  await turn()
  t.equal(rig.proposals.waiting, 0, 'the late reply of the first one changes nothing')
})

t.test('a forwarded write is not forwarded again beyond its time', async (t) => {
  const rig = new Rig()
  rig.role = 'follower'
  rig.leader = 'n2'
  let lose = (): void => {}
  rig.reply = () =>
    new Promise((_resolve, reject) => {
      lose = () => reject(new Error('lost'))
    })
  const result = rig.submit('a')
  rig.proposals.pump()
  rig.nowMs = 7001
  lose()
  await turn()
  rig.proposals.pump()
  t.equal(rig.forwarded.length, 1)
  t.match(await result, { kind: 'failed', code: 'no-leader' })
})

t.test('what is forwarded at once fits into a request', async (t) => {
  const rig = new Rig()
  rig.role = 'follower'
  rig.leader = 's2'
  rig.reply = async (proposals) => proposals.map((_, at) => done(at + 1))
  const large = 'x'.repeat(900 * 1024)
  const results = Array.from({ length: 5 }, () => rig.submit(large))
  const huge = rig.submit('y'.repeat(3 * 1024 * 1024))
  const small = Array.from({ length: 600 }, () => rig.submit('z'))
  rig.proposals.pump()
  t.strictSame(
    rig.forwarded.map(({ proposals }) => proposals.map((text) => text[0]).join('')),
    ['xx', 'xx', 'x', 'y', 'z'.repeat(512), 'z'.repeat(88)],
  )
  for (const result of await Promise.all([...results, huge, ...small])) {
    t.equal(result.kind, 'applied')
  }
})
