import fc from 'fast-check'
import t from 'tap'
import { emptyConfig, members } from '../../src/raft/config.ts'
import type { Config } from '../../src/raft/config.ts'
import type { ConfChange } from '../../src/raft/membership.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import { committedIndex, hasQuorum, majority, voteResult } from '../../src/raft/quorum.ts'
import { TestCluster, tick } from './harness.ts'

const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const someIds = fc.subarray(ids, { minLength: 1 })
const config = fc
  .record({ voters: someIds, votersOutgoing: fc.oneof(fc.constant([]), someIds) })
  .map((halves): Config => ({ ...emptyConfig, ...halves }))
const matches = fc.dictionary(fc.constantFrom(...ids), fc.nat(6), { noNullPrototype: true })
const votes = fc.dictionary(fc.constantFrom(...ids), fc.boolean(), { noNullPrototype: true })

function halves({ voters, votersOutgoing }: Config): (readonly NodeId[])[] {
  return votersOutgoing.length === 0 ? [voters] : [voters, votersOutgoing]
}

/** More than half of the voters, of each half, said in the most stupid way. */
function isQuorum(config: Config, holders: ReadonlySet<NodeId>): boolean {
  return halves(config).every((voters) => {
    let [holding, lacking] = [0, 0]
    for (const id of voters) {
      if (holders.has(id)) holding++
      else lacking++
    }
    return holding > lacking
  })
}

function subsets(all: readonly NodeId[]): Set<NodeId>[] {
  return all.reduce<Set<NodeId>[]>(
    (sets, id) => sets.flatMap((set) => [set, new Set([...set, id])]),
    [new Set()],
  )
}

const runs = { numRuns: 2000 }

t.test('a majority is the smallest number of voters of which any two share one', async (t) => {
  for (let count = 1; count <= 9; count++) {
    t.ok(2 * majority(count) > count && 2 * (majority(count) - 1) <= count, `of ${count}`)
  }
})

t.test('a quorum is a majority of each half', async () => {
  fc.assert(
    fc.property(config, fc.subarray(ids), (config, holders) => {
      const set = new Set(holders)
      return hasQuorum(config, (id) => set.has(id)) === isQuorum(config, set)
    }),
    runs,
  )
})

t.test('the committed index is the highest that a quorum holds', async () => {
  fc.assert(
    fc.property(config, matches, (config, matches) => {
      const matchOf = (id: NodeId) => matches[id] ?? 0
      let highest = 0
      for (let index = 1; index <= 6; index++) {
        if (isQuorum(config, new Set(ids.filter((id) => matchOf(id) >= index)))) highest = index
      }
      return committedIndex(config, matchOf) === highest
    }),
    runs,
  )
})

t.test(
  'a vote is won by a quorum, and lost when no outcome of the open votes would be one',
  async () => {
    fc.assert(
      fc.property(config, votes, (config, votes) => {
        const granted = ids.filter((id) => votes[id] === true)
        const open = ids.filter((id) => votes[id] === undefined)
        const outcomes = subsets(open).map((more) =>
          isQuorum(config, new Set([...granted, ...more])),
        )
        const expected = outcomes.every(Boolean)
          ? 'won'
          : outcomes.some(Boolean)
            ? 'pending'
            : 'lost'
        return voteResult(config, new Map(Object.entries(votes))) === expected
      }),
      { numRuns: 500 },
    )
  },
)

t.test('without voters there is no quorum, no commit and no vote to win', async (t) => {
  t.equal(
    hasQuorum(emptyConfig, () => true),
    false,
  )
  t.equal(
    committedIndex(emptyConfig, () => 9),
    0,
  )
  t.equal(voteResult(emptyConfig, new Map([['a', true]])), 'lost')
})

/** The members as a pair of sets, changed by the plainest rules. */
interface Twin {
  voters: Set<NodeId>
  learners: Set<NodeId>
  /** Those that were moved. */
  moved: Set<NodeId>
}

function applyToTwin({ voters, learners, moved }: Twin, { kind, id }: ConfChange): boolean {
  const isThere = voters.has(id) || learners.has(id)
  if (kind === 'move') {
    if (!isThere || moved.has(id)) return false
    moved.add(id)
    return true
  }
  if (kind === 'add-learner') {
    if (isThere) return false
    learners.add(id)
    moved.delete(id)
    return true
  }
  if (kind === 'promote') {
    if (!learners.delete(id)) return false
    voters.add(id)
    return true
  }
  const isLastVoter = voters.has(id) && voters.size === 1
  if (isLastVoter) return false
  if (kind === 'demote') {
    if (!voters.delete(id)) return false
    learners.add(id)
    return true
  }
  return voters.delete(id) || learners.delete(id)
}

const change = fc.record({
  kind: fc.constantFrom('add-learner', 'promote', 'demote', 'remove', 'move'),
  id: fc.constantFrom(...ids.filter((id) => id !== 'a')),
})

t.test('any sequence of changes gives the members that a naive twin has', async (t) => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const cluster = new TestCluster(['a', 'b', 'c'])
      cluster.elect('a')
      const twin: Twin = {
        voters: new Set(['a', 'b', 'c']),
        learners: new Set(),
        moved: new Set(),
      }
      let before = cluster.node('a').raft.status().config
      for (const { kind, id } of changes) {
        // The process of a new member is there; a removed id may come back here, which is no test of ids.
        if (!cluster.nodes.has(id)) cluster.add(id)
        const address = kind === 'move' ? `${id}:2` : `${id}:1`
        const change = { kind, id, address, force: true } as ConfChange
        const isAccepted = cluster.conf('a', change).kind === 'accepted'
        if (isAccepted !== applyToTwin(twin, change)) return false
        cluster.settle()
        tick(cluster.node('a').raft, 1)
        cluster.settle()
        const { config } = cluster.node('a').raft.status()
        if ([...twin.voters].toSorted().join() !== config.voters.join()) return false
        if ([...twin.learners].toSorted().join() !== config.learners.join()) return false
        const isMoved = (member: NodeId) => config.addresses[member] === `${member}:2`
        if (members(config).some((member) => isMoved(member) !== twin.moved.has(member))) {
          return false
        }
        if (Object.keys(config.addresses).toSorted().join() !== members(config).join()) return false
        // Thesis §4.1: any two quorums, of the old and of the new members, share a voter.
        const quorums = (of: Config) => subsets(of.voters).filter((set) => isQuorum(of, set))
        const newQuorums = quorums(config)
        for (const old of quorums(before)) {
          if (newQuorums.some((set) => [...set].every((id) => !old.has(id)))) return false
        }
        before = config
      }
      return true
    }),
    { numRuns: 150 },
  )
  t.pass()
})
