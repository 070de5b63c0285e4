import t from 'tap'
import { seededRandom } from '../../src/base/random.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import type { Message } from '../../src/raft/message.ts'
import type { Role } from '../../src/raft/state.ts'
import {
  append,
  bytes,
  campaign,
  command,
  five,
  inRole,
  nodeWithLog,
  testLimits,
  TestCluster,
  three,
  tick,
  types,
  voteRequest,
} from './harness.ts'

// One test for each claim of "In Search of an Understandable Consensus Algorithm" (extended version)
// about terms and elections: §5.1, §5.2, §5.4.1.

for (const role of ['follower', 'pre-candidate', 'candidate', 'leader'] as const) {
  t.test(`§5.1: a ${role} that sees a higher term takes it over and is a follower`, async (t) => {
    const node = inRole(role)
    t.equal(node.raft.state.role, role)
    node.raft.step(append({ term: 9, prev: [1, 1] }))
    t.match(node.raft.status(), { role: 'follower', term: 9, leader: '2' })
  })

  t.test(`§5.1: a ${role} takes nothing from a lower term`, async (t) => {
    const node = inRole(role)
    node.raft.step({ type: 'heartbeat', from: '3', to: '1', term: 5, commit: 0, readToken: 0 })
    const before = node.raft.status()
    node.take()
    t.equal(
      node.raft.step(append({ term: 1, prev: [1, 1], entries: [command(2, 1)] })),
      'lower-term',
    )
    t.equal(node.raft.step(voteRequest(4, { index: 9, term: 4 })), 'lower-term')
    t.same(node.raft.status(), before)
  })
}

t.test('§5.2: a follower stays one as long as it hears the leader', async (t) => {
  const node = inRole('follower')
  for (let times = 0; times < 10; times++) {
    tick(node.raft, testLimits.electionTicks - 1)
    node.raft.step({ type: 'heartbeat', from: '2', to: '1', term: 2, commit: 1, readToken: 0 })
  }
  t.match(node.raft.status(), { role: 'follower', term: 2, leader: '2' })
})

t.test(
  '§5.2: a follower that hears nothing raises its term, votes for itself and asks the others',
  async (t) => {
    const node = nodeWithLog({ id: '1', voters: three, preVote: false })
    campaign(node.raft)
    t.match(node.raft.state, { role: 'candidate', term: 2, vote: '1' })
    t.same(types(node.take()), ['vote-request to 2', 'vote-request to 3'])
  },
)

for (const type of ['pre-vote-response', 'vote-response'] as const) {
  const refusal = { type, from: '3', to: '1', term: 9, granted: false } as const

  t.test(`§6: a late ${type} of a higher term unseats no live leader`, async (t) => {
    const follower = inRole('follower')
    follower.raft.step(append({ term: 2, prev: [1, 1] }))
    t.equal(follower.raft.step(refusal), 'leader-alive')
    t.match(follower.raft.status(), { role: 'follower', term: 2, leader: '2' })
    const leader = inRole('leader')
    t.equal(leader.raft.step(refusal), 'leader-alive')
    t.match(leader.raft.status(), { role: 'leader', term: 2 })
  })

  t.test(`§5.1: without a live leader a ${type} of a higher term is heard`, async (t) => {
    const alone = inRole('follower')
    alone.raft.step(refusal)
    t.match(alone.raft.status(), { role: 'follower', term: 9 })
    const abandoned = inRole('follower')
    abandoned.raft.step(append({ term: 2, prev: [1, 1] }))
    abandoned.raft.connectionLost('2')
    abandoned.raft.step(refusal)
    t.match(abandoned.raft.status(), { role: 'follower', term: 9 })
  })
}

t.test('§5.2: a leader sends heartbeats to all, at once and then without end', async (t) => {
  const node = inRole('leader')
  for (let times = 0; times < 3; times++) {
    tick(node.raft, testLimits.heartbeatTicks)
    t.same(types(node.take()), ['heartbeat to 2', 'heartbeat to 3'])
  }
})

const elections: [voters: NodeId[], granting: NodeId[], refusing: NodeId[], role: Role][] = [
  [['1'], [], [], 'leader'],
  [three, ['2'], [], 'leader'],
  [three, ['2'], ['3'], 'leader'],
  [three, [], [], 'candidate'],
  [three, [], ['2'], 'candidate'],
  [three, [], ['2', '3'], 'follower'],
  [five, ['2'], [], 'candidate'],
  [five, ['2', '3'], ['4', '5'], 'leader'],
  [five, ['2'], ['3', '4', '5'], 'follower'],
]

for (const [voters, granting, refusing, role] of elections) {
  const name = `${granting.length} for and ${refusing.length} against of ${voters.length}`
  t.test(`§5.2: with ${name}, beside its own vote, a candidate is then ${role}`, async (t) => {
    const node = nodeWithLog({ id: '1', voters, preVote: false })
    campaign(node.raft)
    node.take()
    for (const from of [...granting, ...refusing]) {
      const granted = granting.includes(from)
      node.raft.step({ type: 'vote-response', from, to: '1', term: 2, granted })
    }
    t.equal(node.raft.state.role, role)
  })
}

const secondVotes: [vote: NodeId | undefined, asks: NodeId, granted: boolean][] = [
  [undefined, '2', true],
  [undefined, '3', true],
  ['2', '2', true],
  ['2', '3', false],
]

for (const [vote, from, granted] of secondVotes) {
  const has = vote === undefined ? 'has not voted' : `has voted for ${vote}`
  t.test(
    `§5.2: a server that ${has} ${granted ? 'votes' : 'does not vote'} for ${from}`,
    async (t) => {
      const hardState = { term: 2, ...(vote === undefined ? {} : { vote }) }
      const node = nodeWithLog({ id: '1', voters: three }, [1], hardState)
      node.raft.step(voteRequest(2, { index: 1, term: 1 }, from))
      t.match(node.take(), [{ type: 'vote-response', to: from, granted }])
      t.equal(node.store.hardState.vote, granted ? from : vote, 'and that is on disk')
    },
  )
}

t.test('§5.2: a vote given before a restart is not given again', async (t) => {
  const node = nodeWithLog({ id: '1', voters: three })
  node.raft.step(voteRequest(2, { index: 1, term: 1 }, '2'))
  node.take()
  const again = node.restart()
  again.raft.step(voteRequest(2, { index: 1, term: 1 }, '3'))
  t.match(again.take(), [{ type: 'vote-response', to: '3', granted: false }])
})

for (const role of ['pre-candidate', 'candidate'] as const) {
  t.test(`§5.2: a ${role} that hears the leader of its term gives up`, async (t) => {
    const node = inRole(role)
    const { term } = node.raft.state
    node.raft.step(append({ term, prev: [1, 1] }))
    t.match(node.raft.status(), { role: 'follower', term, leader: '2' })
  })
}

t.test(
  '§5.2: election time-outs are random between T and 2T, and drawn anew each time',
  async (t) => {
    const node = nodeWithLog({ id: '1', voters: three, random: seededRandom(7) })
    const seen = new Map<number, number>()
    for (let times = 0; times < 2000; times++) {
      campaign(node.raft)
      const { electionTimeout } = node.raft.state
      seen.set(electionTimeout, (seen.get(electionTimeout) ?? 0) + 1)
    }
    const { electionTicks } = testLimits
    t.same(
      [...seen.keys()].toSorted((a, b) => a - b),
      Array.from({ length: electionTicks }, (_, at) => electionTicks + at),
    )
    for (const [ticks, count] of seen) t.ok(count > 120 && count < 280, `${ticks} ticks: ${count}`)
  },
)

t.test('§5.2: the random time-outs resolve a split vote', async (t) => {
  const cluster = new TestCluster(five, { random: seededRandom(3) })
  for (let times = 0; times < 200; times++) {
    for (const { raft } of cluster.nodes.values()) raft.tick()
    cluster.settle()
  }
  t.equal([...cluster.nodes.values()].filter(({ raft }) => raft.state.role === 'leader').length, 1)
})

const voters: [own: number[], candidate: [index: number, term: number], granted: boolean][] = [
  [[1], [1, 1], true],
  [[1], [2, 1], true],
  [[1, 1], [1, 1], false],
  [[1], [1, 2], true],
  [[1, 1], [1, 2], true],
  [[1, 2], [1, 1], false],
  [[1, 2], [2, 1], false],
  [[1, 1, 2], [9, 1], false],
]

for (const [own, [index, term], granted] of voters) {
  const verb = granted ? 'votes' : 'does not vote'
  t.test(
    `§5.4.1: a server with terms ${own.join()} ${verb} for a log that ends with ${index}/${term}`,
    async (t) => {
      for (const type of ['vote-request', 'pre-vote-request'] as const) {
        const node = nodeWithLog({ id: '1', voters: three }, own)
        const last = { lastIndex: index, lastTerm: term }
        node.raft.step({ type, from: '2', to: '1', term: 3, ...last, transfer: false })
        t.match(node.take(), [{ granted }])
      }
    },
  )
}

t.test(
  '§9.6 of the thesis: a pre-vote changes neither term nor vote, on either side',
  async (t) => {
    const cluster = new TestCluster(three)
    campaign(cluster.node('1').raft)
    for (const message of cluster.node('1').take()) cluster.node(message.to).raft.step(message)
    for (const id of three) {
      cluster.node(id).take()
      t.match(cluster.node(id).store.hardState, { term: 1, vote: undefined })
    }
  },
)

t.test('the same inputs give the same outputs', async (t) => {
  const run = () => {
    const cluster = new TestCluster(five, { random: seededRandom(11) })
    const seen: Message[] = []
    for (let times = 0; times < 300; times++) {
      for (const [id, { raft }] of cluster.nodes) {
        raft.tick()
        raft.propose([bytes(`${id} ${times}`)])
      }
      cluster.settle((message) => {
        seen.push(message)
        return seen.length % 7 === 0
      })
    }
    return JSON.stringify(seen)
  }
  t.equal(run(), run())
})
