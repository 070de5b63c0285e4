import t from 'tap'
import { must } from '../../src/base/assert.ts'
import type { Message } from '../../src/raft/message.ts'
import {
  append,
  campaign,
  command,
  five,
  inRole,
  nodeWithLog,
  termsOf,
  TestCluster,
  text,
  three,
  tick,
  types,
  voteRequest,
} from './harness.ts'

// One test for each claim of "In Search of an Understandable Consensus Algorithm" (extended version)
// about the log, its commitment, the members, snapshots and clients: §5.3, §5.4.2 to §8.

t.test(
  '§5.3: a leader appends a command and sends it to all, and applies it when a majority has it',
  async (t) => {
    const cluster = new TestCluster(three)
    cluster.elect('1')
    const leader = cluster.node('1')
    t.match(cluster.propose('1', 'x'), { kind: 'accepted', firstIndex: 3, term: 2 })
    t.same(types(leader.take()), ['append-request to 2', 'append-request to 3'])
    t.same(leader.machine.values, [])
    const accepted = { type: 'append-response', term: 2, index: 3, rejected: false } as const
    leader.raft.step({ ...accepted, from: '3', to: '1', hintIndex: 0, hintTerm: 0 })
    t.match(
      leader.take(),
      [
        { to: '2', commit: 3 },
        { to: '3', commit: 3 },
      ],
      'the news goes out at once',
    )
    t.same(leader.machine.values, ['x'])
  },
)

const commits: [voters: number, holders: number, isCommitted: boolean][] = [
  [1, 1, true],
  [3, 1, false],
  [3, 2, true],
  [4, 2, false],
  [4, 3, true],
  [5, 2, false],
  [5, 3, true],
]

for (const [voters, holders, isCommitted] of commits) {
  const is = isCommitted ? 'is' : 'is not'
  t.test(`§5.3: what ${holders} of ${voters} servers hold ${is} committed`, async (t) => {
    const cluster = new TestCluster(five.slice(0, voters))
    cluster.elect('1')
    cluster.propose('1', 'x')
    cluster.settle(({ to }) => Number(to) > holders)
    t.equal(cluster.node('1').raft.state.log.commit, isCommitted ? 3 : 2)
  })
}

t.test(
  '§5.3: a commit takes all entries before it along, those of earlier leaders too',
  async (t) => {
    for (const terms of [[1], [1, 2], [1, 1, 2, 3], [1, 3, 3]]) {
      const node = nodeWithLog({ id: '1', voters: three, preVote: false }, terms, { term: 4 })
      campaign(node.raft)
      node.take()
      node.raft.step({ type: 'vote-response', from: '2', to: '1', term: 5, granted: true })
      node.take()
      const index = terms.length + 1
      const answer = { from: '2', to: '1', term: 5, index, hintIndex: 0, hintTerm: 0 }
      node.raft.step({ type: 'append-response', rejected: false, ...answer })
      node.take()
      t.equal(node.machine.index, index)
      t.equal(node.machine.values.length, terms.length - 1)
    }
  },
)

t.test(
  '§5.3: a follower applies what the leader has committed, in the order of the log',
  async (t) => {
    const node = inRole('follower')
    const entries = [command(2, 2, 'a'), command(3, 2, 'b'), command(4, 2, 'c')]
    node.raft.step(append({ term: 2, prev: [1, 1], entries, commit: 3 }))
    node.take()
    t.same(node.machine.values, ['a', 'b'])
  },
)

t.test('§5.3: a follower commits no more than what the append shows to match', async (t) => {
  const node = nodeWithLog({ id: '1', voters: three }, [1, 2, 2, 2])
  node.raft.step(append({ term: 3, prev: [1, 1], entries: [command(2, 2)], commit: 4 }))
  node.take()
  t.equal(node.raft.state.log.commit, 2, 'entries 3 and 4 may be wrong')
})

const checks: [own: number[], prev: [number, number], isAccepted: boolean][] = [
  [[1, 1, 2], [3, 2], true],
  [[1, 1, 2], [2, 1], true],
  [[1, 1, 2], [1, 1], true],
  [[1, 1, 2], [4, 2], false],
  [[1, 1, 2], [3, 3], false],
  [[1, 1, 2], [3, 1], false],
]

for (const [own, prev, isAccepted] of checks) {
  const verb = isAccepted ? 'takes' : 'refuses'
  t.test(
    `§5.3: a log of terms ${own.join()} ${verb} an append behind ${prev.join('/')}`,
    async (t) => {
      const node = nodeWithLog({ id: '1', voters: three }, own)
      node.raft.step(append({ term: 4, prev }))
      t.match(node.take(), [{ type: 'append-response', rejected: !isAccepted }])
    },
  )
}

const merges: [own: number[], prev: [number, number], terms: number[], after: number[]][] = [
  [[1, 1, 2], [3, 2], [3], [1, 1, 2, 3]],
  [
    [1, 1, 2],
    [2, 1],
    [3, 4],
    [1, 1, 3, 4],
  ],
  [[1, 1, 2], [1, 1], [1], [1, 1, 2]],
  [[1, 1, 2], [1, 1], [3], [1, 3]],
  [[1, 1, 2, 2], [2, 1], [2], [1, 1, 2, 2]],
  [
    [1, 1, 2, 2],
    [2, 1],
    [2, 2, 3],
    [1, 1, 2, 2, 3],
  ],
]

for (const [own, prev, terms, after] of merges) {
  t.test(
    `§5.3: ${terms.join()} behind ${prev.join('/')} makes ${after.join()} of ${own.join()}`,
    async (t) => {
      const node = nodeWithLog({ id: '1', voters: three }, own)
      const entries = terms.map((term, at) => command(prev[0] + 1 + at, term))
      node.raft.step(append({ term: 4, prev, entries }))
      node.take()
      t.same(termsOf(node), after)
      t.same(
        node.store.log.map(({ term }) => term),
        after,
        'and so it is on disk',
      )
    },
  )
}

// Figure 7: the leader of term 8, and what its followers may hold.
const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
const figure7: [name: string, terms: number[]][] = [
  ['(a) lacks an entry', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
  ['(b) lacks many', [1, 1, 1, 4]],
  ['(c) has one too many', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
  ['(d) has two of a term that the leader does not know', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
  ['(e) lacks some and has others', [1, 1, 1, 4, 4, 4, 4]],
  ['(f) went its own way for two terms', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
]

for (const [name, terms] of figure7) {
  t.test(`§5.3, figure 7: a leader makes the log of a follower its own that ${name}`, async (t) => {
    const cluster = new TestCluster(three)
    // The third votes for the leader but is not heard of otherwise.
    cluster.nodes.set('1', nodeWithLog({ id: '1', voters: three }, leaderTerms, { term: 7 }))
    cluster.nodes.set('2', nodeWithLog({ id: '2', voters: three }, terms, { term: 7 }))
    cluster.nodes.set('3', nodeWithLog({ id: '3', voters: three }, [1], { term: 7 }))
    let probes = 0
    cluster.elect('1', ({ type, to }) => {
      if (type === 'append-request' && to === '2') probes++
      return type === 'append-request' && to === '3'
    })
    tick(cluster.node('1').raft, 1)
    cluster.settle()
    t.equal(cluster.node('1').raft.state.term, 8)
    t.same(termsOf(cluster.node('2')), [...leaderTerms, 8])
    t.ok(probes <= 6, `${probes} appends: a term at a time, not an entry`)
  })
}

t.test(
  '§5.4.2, figure 8: a leader does not commit an entry of an earlier term by counting',
  async (t) => {
    const node = nodeWithLog({ id: '1', voters: three, preVote: false }, [1, 2], { term: 3 })
    campaign(node.raft)
    node.take()
    node.raft.step({ type: 'vote-response', from: '2', to: '1', term: 4, granted: true })
    node.take()
    const answer = {
      type: 'append-response',
      from: '2',
      to: '1',
      term: 4,
      rejected: false,
    } as const
    node.raft.step({ ...answer, index: 2, hintIndex: 0, hintTerm: 0 })
    t.equal(node.raft.state.log.commit, 1, 'a majority has 2/2, and still it may be overwritten')
    node.raft.step({ ...answer, index: 3, hintIndex: 0, hintTerm: 0 })
    t.equal(node.raft.state.log.commit, 3)
  },
)

t.test(
  '§5.4.3: a server that was not there for the commit can not lead, one that was can',
  async (t) => {
    const cluster = new TestCluster(three)
    cluster.elect('1')
    cluster.propose('1', 'x')
    cluster.settle(({ from, to }) => from === '3' || to === '3')
    cluster.nodes.delete('1')
    cluster.node('2').raft.connectionLost('1')
    cluster.elect('3')
    t.match(cluster.node('3').raft.state, { role: 'pre-candidate', term: 2 }, 'refused by 2')
    cluster.node('3').raft.connectionLost('1')
    cluster.elect('2')
    t.equal(cluster.node('2').raft.state.role, 'leader')
    t.same(cluster.node('3').machine.values, ['x'])
  },
)

t.test('§5.5: an append that is repeated changes nothing the second time', async (t) => {
  const node = inRole('follower')
  const message = append({
    term: 2,
    prev: [1, 1],
    entries: [command(2, 2), command(3, 2)],
    commit: 1,
  })
  node.raft.step(message)
  const [first] = node.take()
  node.raft.step(message)
  t.same(node.take(), [first])
  t.same(termsOf(node), [1, 2, 2])
  t.same(
    node.store.log.map(({ term }) => term),
    [1, 2, 2],
  )
})

t.test(
  '§6: a configuration is in force as soon as it is in the log, on every server',
  async (t) => {
    const cluster = new TestCluster(three)
    cluster.elect('1')
    cluster.conf('1', { kind: 'remove', id: '3' })
    cluster.settle(({ type }) => type === 'append-response')
    for (const id of ['1', '2']) {
      t.same(cluster.node(id).raft.status().config.voters, ['1', '2'])
      t.equal(cluster.node(id).raft.state.log.commit, 2, 'though it is not committed')
    }
  },
)

t.test('§6: new servers get the log without a vote, and are asked for none', async (t) => {
  const cluster = new TestCluster(['1', '2'], {}, ['3'])
  cluster.elect('1')
  cluster.propose('1', 'x')
  cluster.settle(({ from, to }) => from === '2' || to === '2')
  t.equal(cluster.node('1').raft.state.log.commit, 2, 'a learner does not count')
  t.same(termsOf(cluster.node('3')), [1, 2, 2])
  campaign(cluster.node('3').raft)
  t.equal(cluster.node('3').raft.state.role, 'follower', 'and does not campaign')
  t.equal(cluster.node('3').raft.state.leader, undefined, 'but knows that it has no leader')
  // It may have become a voter and not know it yet: then an election hangs on its vote.
  cluster.node('3').raft.step({ ...voteRequest(9, { index: 3, term: 2 }), to: '3' })
  t.match(cluster.node('3').take(), [{ type: 'vote-response', granted: true }])
})

t.test(
  '§7: a lagging follower gets a snapshot in place of what was discarded, and goes on from there',
  async (t) => {
    const cluster = new TestCluster(three)
    cluster.elect('1')
    const isOf3 = ({ from, to }: Message) => from === '3' || to === '3'
    for (const value of ['a', 'b', 'c']) {
      cluster.propose('1', value)
      cluster.settle(isOf3)
    }
    const { driver } = cluster.node('1')
    driver.saveSnapshot(must(driver.raft.snapshotMeta()))
    driver.compact({ to: 4, durableApplied: 5, evenIfNeeded: 4 })
    t.equal(driver.raft.state.log.firstIndex, 5)
    t.equal(driver.raft.state.log.term(3), undefined)
    driver.raft.unreachable('3')
    cluster.settle()
    cluster.propose('1', 'd')
    cluster.settle()
    t.same(cluster.node('3').machine.values, ['snapshot@5', 'd'])
    t.same(
      cluster.node('3').store.log.map(({ data }) => text(data)),
      ['d'],
    )
  },
)

t.test('§8: a leader begins its term with an entry that does nothing', async (t) => {
  const node = inRole('leader')
  const { log } = node.raft.state
  t.match(log.entries(2, log.lastIndex, Infinity), [{ index: 2, term: 2, kind: 'noop' }])
})
