import t from 'tap'
import { InvariantError, must } from '../../src/base/assert.ts'
import { seededRandom } from '../../src/base/random.ts'
import { ConfigHistory, emptyConfig } from '../../src/raft/config.ts'
import { boot, bootstrapWrite } from '../../src/raft/driver.ts'
import type { LogWrite } from '../../src/raft/storage.ts'
import { Raft } from '../../src/raft/raft.ts'
import { ticksDue } from '../../src/raft/ticks.ts'
import {
  append,
  bytes,
  campaign,
  command,
  configEntry,
  HeldStore,
  ListMachine,
  nodeWithLog,
  testLimits,
  TestCluster,
  TestNode,
  three,
  tick,
} from './harness.ts'

/** Writes down what the driver does, in order. */
function journal() {
  const lines: string[] = []
  class Store extends HeldStore {
    override commitWrite(write: LogWrite): void {
      super.commitWrite(write)
      lines.push(
        `write ${write.entries.map(({ index }) => index).join()} term ${write.hardState.term}`,
      )
    }
  }
  class Machine extends ListMachine {
    override apply(entries: Parameters<ListMachine['apply']>[0]): void {
      super.apply(entries)
      lines.push(`apply ${entries.map(({ index }) => index).join()}`)
    }
    override restore(snapshot: Parameters<ListMachine['restore']>[0]): void {
      super.restore(snapshot)
      lines.push(`restore ${snapshot.index}`)
    }
  }
  const store = new Store()
  const machine = new Machine()
  const hardState = { term: 1, vote: undefined, commit: 1 }
  const entries = [configEntry(1, 1, three)]
  store.commitWrite({ hardState, snapshot: undefined, truncateFrom: undefined, entries })
  lines.length = 0
  const options = {
    id: '1',
    random: () => 0,
    limits: testLimits,
    preVote: false,
    checkQuorum: true,
  }
  const driver = boot(options, {
    store,
    machine,
    transport: {
      send: (messages) => lines.push(...messages.map(({ type, to }) => `send ${type} to ${to}`)),
    },
    onRead: (read) => lines.push(`read ${read.requestId} ${read.kind}`),
  })
  return { lines, store, machine, driver, raft: driver.raft }
}

t.test('a vote is written before it is sent', async (t) => {
  const { lines, driver, raft } = journal()
  campaign(raft)
  driver.run()
  t.same(lines, ['write  term 2', 'send vote-request to 2', 'send vote-request to 3', 'apply 1'])
})

t.test('a follower writes, then acknowledges, then applies', async (t) => {
  const { lines, driver, raft } = journal()
  driver.run()
  lines.length = 0
  raft.step(append({ term: 2, prev: [1, 1], entries: [command(2, 2), command(3, 2)], commit: 3 }))
  driver.run()
  t.same(lines, ['write 2,3 term 2', 'send append-response to 2', 'apply 2,3'])
})

t.test(
  'a leader sends its entries before it writes them, and what gathered shares one write',
  async (t) => {
    const { lines, driver, raft } = journal()
    campaign(raft)
    driver.run()
    raft.step({ type: 'vote-response', from: '2', to: '1', term: 2, granted: true })
    driver.run()
    lines.length = 0
    raft.propose([bytes('a')])
    raft.propose([bytes('b'), bytes('c')])
    driver.run()
    // The peers are still being probed with the no-op, so the entries wait for the answer.
    t.same(lines, ['write 3,4,5 term 2'])
    lines.length = 0
    const answer = { type: 'append-response', from: '2', to: '1', term: 2, index: 2 } as const
    raft.step({ ...answer, rejected: false, hintIndex: 0, hintTerm: 0 })
    raft.propose([bytes('d')])
    driver.run()
    t.same(lines, ['send append-request to 2', 'write 6 term 2', 'apply 2'])
  },
)

t.test('a received snapshot is written, then installed, then acknowledged', async (t) => {
  const { lines, driver, raft, store } = journal()
  driver.run()
  lines.length = 0
  const config = { ...emptyConfig, voters: three }
  const snapshot = { index: 9, term: 2, config, confIndex: 1 }
  raft.step({ type: 'snapshot-request', from: '2', to: '1', term: 2, snapshot })
  t.equal(raft.snapshotMeta(), undefined, 'the state is neither the old one nor the new one')
  driver.run()
  t.same(lines, ['write  term 2', 'restore 9', 'send append-response to 2'])
  t.equal(raft.snapshotMeta()?.index, 9)
  t.same(store.state().base, { index: 9, term: 2 })
})

t.test('a failed write ends the run: nothing is sent, nothing is tried again', async (t) => {
  const { lines, driver, raft, store } = journal()
  driver.run()
  lines.length = 0
  store.write = () => {
    throw new Error('EIO')
  }
  raft.step(append({ term: 2, prev: [1, 1], entries: [command(2, 2)] }))
  t.throws(() => driver.run(), { message: 'EIO' })
  driver.run()
  t.same(lines, [], 'the driver is dead')
})

t.test('an input that comes from within the loop waits for its turn', async (t) => {
  const { lines, driver, raft, machine } = journal()
  const apply = machine.apply.bind(machine)
  machine.apply = (entries) => {
    apply(entries)
    raft.tick()
    driver.run()
  }
  driver.run()
  t.same(lines, ['apply 1'])
})

t.test('a read is served when its index is applied, not before', async (t) => {
  const cluster = new TestCluster(['1'])
  cluster.elect('1')
  const node = cluster.node('1')
  node.store.isHeld = true
  node.raft.propose([bytes('a')])
  node.driver.run()
  node.raft.readIndex(1)
  node.driver.run()
  t.same(node.reads.splice(0), ['read 1 at 2'], 'what is not committed is not waited for')
  const other = new TestCluster(three)
  other.elect('1')
  const leader = other.node('1')
  leader.store.isHeld = true
  leader.raft.propose([bytes('a')])
  other.settle()
  t.equal(leader.raft.state.log.commit, 3, 'the other two hold it')
  leader.raft.readIndex(2)
  other.settle()
  t.same(leader.reads, [], 'but here it is not applied')
  leader.store.isHeld = false
  leader.store.sync()
  t.same(leader.reads, ['read 2 at 3'])
})

t.test('a snapshot that is older than the newest is not noted', async (t) => {
  const cluster = new TestCluster(['1'])
  cluster.elect('1')
  const { driver, store, raft } = cluster.node('1')
  const early = must(raft.snapshotMeta())
  cluster.propose('1', 'a', 'b')
  cluster.settle()
  driver.compact({ to: 9, durableApplied: 9 })
  t.equal(raft.state.log.firstIndex, 1, 'without a snapshot nothing is dropped')
  driver.saveSnapshot(must(raft.snapshotMeta()))
  driver.saveSnapshot(early)
  t.equal(store.snapshot()?.index, 4)
  driver.compact({ to: 9, durableApplied: 3 })
  t.equal(raft.state.log.firstIndex, 4, 'nor what a loss of power would need again')
  driver.compact({ to: 1, durableApplied: 9 })
  t.equal(raft.state.log.firstIndex, 4)
  driver.compact({ to: 9, durableApplied: 9 })
  t.equal(raft.state.log.firstIndex, 5, 'nor what no snapshot covers')
  t.equal(raft.state.log.term(4), 2, 'the term of the last one dropped is still known')
})

t.test('the log is kept for a live peer that lags, but not for ever', async (t) => {
  const cluster = new TestCluster(three)
  cluster.elect('1')
  const { driver, raft } = cluster.node('1')
  t.equal(cluster.node('2').raft.neededFrom(), Infinity, 'a follower sends no log')
  cluster.propose('1', 'a', 'b', 'c', 'd')
  cluster.settle(({ from, to }) => from === '3' || to === '3')
  t.equal(raft.neededFrom(), 3)
  driver.saveSnapshot(must(raft.snapshotMeta()))
  driver.compact({ to: 6, durableApplied: 6 })
  t.equal(raft.state.log.firstIndex, 3)
  driver.compact({ to: 6, durableApplied: 6, evenIfNeeded: 4 })
  t.equal(raft.state.log.firstIndex, 5)
  raft.unreachable('3')
  driver.run()
  t.equal(raft.state.progress.get('3')?.state, 'snapshot')
  t.equal(raft.neededFrom(), 7, 'behind the snapshot that is on its way')
  tick(raft, testLimits.electionTicks)
  t.equal(raft.neededFrom(), Infinity, 'and one that does not answer needs nothing')
})

t.test('a start restores the snapshot that the state machine has not reached', async (t) => {
  const store = new HeldStore()
  const config = { ...emptyConfig, voters: three }
  const snapshot = { index: 9, term: 2, config, confIndex: 1 }
  const hardState = { term: 2, vote: undefined, commit: 9 }
  store.commitWrite({ hardState, snapshot, truncateFrom: undefined, entries: [command(10, 2)] })
  const node = new TestNode({ id: '1' }, store)
  t.same(node.machine.values, ['snapshot@9'])
  t.match(node.raft.status(), { commit: 9, applied: 9, lastIndex: 10, config })
  const ahead = new ListMachine()
  ahead.index = 10
  t.equal(
    new TestNode({ id: '1' }, store, ahead).raft.state.log.commit,
    10,
    'what is applied is committed',
  )
})

t.test('a start refuses a log that can not be this state machine’s', async (t) => {
  const store = new HeldStore()
  const hardState = { term: 2, vote: undefined, commit: 0 }
  store.commitWrite({
    hardState,
    snapshot: undefined,
    truncateFrom: undefined,
    entries: [command(1, 1)],
  })
  const ahead = new ListMachine()
  ahead.index = 7
  t.throws(() => new TestNode({ id: '1' }, store, ahead), InvariantError)
  store.base = { index: 5, term: 1 }
  t.throws(() => new TestNode({ id: '1' }, store), InvariantError, 'compacted, and no snapshot')
})

t.test('the log is read from the store when it is not in memory', async (t) => {
  const limits = { ...testLimits, cacheBytesMax: 100, appendBytesMax: 80 }
  const cluster = new TestCluster(three, { limits })
  cluster.elect('1')
  for (let at = 0; at < 20; at++) {
    cluster.propose('1', `value ${at}`)
    cluster.settle(({ from, to }) => from === '3' || to === '3')
  }
  tick(cluster.node('1').raft, 1)
  cluster.settle()
  t.same(cluster.node('3').machine.values, cluster.node('1').machine.values)
  // A leader with a tail that is not in memory counts it all the same.
  const restarted = cluster.node('2').restart()
  cluster.nodes.set('2', restarted)
  cluster.nodes.delete('1')
  cluster.node('3').raft.connectionLost('1')
  cluster.elect('2')
  t.equal(restarted.raft.state.role, 'leader')
})

t.test('an uncommitted tail is counted by the leader that inherits it', async (t) => {
  const node = nodeWithLog({ id: '1', voters: three, preVote: false }, [1, 1, 1])
  campaign(node.raft)
  node.take()
  node.raft.step({ type: 'vote-response', from: '2', to: '1', term: 2, granted: true })
  t.equal(node.raft.state.uncommittedBytes, 2 * (3 + 32) + 32)
})

t.test(
  'a compaction below the oldest configuration known after a restart keeps that one',
  async (t) => {
    // Found by the simulator.
    const history = new ConfigHistory({ index: 58, config: emptyConfig })
    history.compactTo(56)
    t.equal(history.at(60).index, 58)
    history.place(70, emptyConfig)
    history.compactTo(75)
    t.equal(history.latest.index, 70)
    t.throws(() => history.at(60), InvariantError)
  },
)

t.test('a cluster is begun once: a store that holds anything is not bootstrapped', async (t) => {
  const config = { ...emptyConfig, voters: ['1'] }
  const store = new HeldStore()
  const write = bootstrapWrite(store.state(), config)
  t.match(write, {
    hardState: { term: 1, commit: 1 },
    entries: [{ index: 1, term: 1, kind: 'config' }],
  })
  if (write !== undefined) store.commitWrite(write)
  t.same(new TestNode({ id: '1' }, store).raft.status().config, config)
  t.equal(bootstrapWrite(store.state(), config), undefined)
  const voted = { ...new HeldStore().state(), hardState: { term: 1, vote: '2', commit: 0 } }
  t.equal(bootstrapWrite(voted, config), undefined, 'a vote is a state, too')
  const snapshot = { index: 9, term: 2, config, confIndex: 1 }
  t.equal(bootstrapWrite({ ...new HeldStore().state(), snapshot }, config), undefined)
})

t.test('options that can not work are refused at the start', async (t) => {
  const options = { id: '1', random: () => 0, limits: testLimits, preVote: true, checkQuorum: true }
  const build = (change: object) => () => new Raft({ ...options, ...change }, new HeldStore(), 0)
  t.doesNotThrow(build({}))
  t.throws(build({ id: '' }), InvariantError)
  t.throws(build({ limits: { ...testLimits, electionTicks: 1 } }), InvariantError)
  t.throws(build({ limits: { ...testLimits, entryBytesMax: 0 } }), InvariantError)
  t.throws(build({ limits: { ...testLimits, lostLeaderTicksMin: 9 } }), InvariantError)
  t.throws(build({ limits: { ...testLimits, cacheBytesMax: Number.NaN } }), InvariantError)
})

t.test('an empty server, a member of nothing yet, waits to be told', async (t) => {
  const node = new TestNode({ id: '9' })
  tick(node.raft, 100)
  t.same(node.take(), [])
  t.match(node.raft.status(), { role: 'follower', term: 0, config: emptyConfig })
})

t.test('the contract between the core and its driver is asserted', async (t) => {
  const { raft } = nodeWithLog({ id: '1', voters: three })
  t.throws(() => raft.advance(), InvariantError, 'no ready to end')
  t.throws(() => raft.persisted(), InvariantError, 'no write under way')
  t.throws(() => raft.applied(7), InvariantError, 'not committed')
  t.throws(() => raft.compacted(1), InvariantError, 'not applied')
  raft.ready()
  t.throws(() => raft.ready(), InvariantError, 'one at a time')
})

t.test('an answer to a read from before a restart fits none that was asked after it', async (t) => {
  const ask = (random: () => number, store?: HeldStore) => {
    const node = new TestNode({ id: '1', random }, store)
    node.raft.step(append({ term: 2, prev: [0, 0] }))
    node.raft.readIndex(1)
    const request = node.take().find(({ type }) => type === 'read-request')
    return { node, id: request?.type === 'read-request' ? request.id : -1 }
  }
  const before = ask(seededRandom(1))
  const after = ask(seededRandom(2), before.node.store)
  const late = { type: 'read-response', from: '2', to: '1', term: 2, index: 1 } as const
  t.equal(after.node.raft.step({ ...late, id: before.id }), 'out-of-date')
  t.equal(after.node.raft.step({ ...late, id: after.id }), undefined)
})

t.test('the status tells how long ago the leader was heard', async (t) => {
  const cluster = new TestCluster(three)
  cluster.elect('1')
  tick(cluster.node('2').raft, 3)
  t.equal(cluster.node('2').raft.status().leaderContactTicks, 3)
  t.match(cluster.node('1').raft.status(), {
    leaderContactTicks: 0,
    peers: [{ id: '2' }, { id: '3' }],
  })
})

t.test('after a stall at most half an election time-out of ticks is delivered', async (t) => {
  const due = (elapsedMs: number) => ticksDue({ elapsedMs, tickMs: 50, electionTicks: 12 })
  t.same([0, 49, 50, 149, 150, 299, 300, 350, 10_000].map(due), [0, 0, 1, 2, 3, 5, 6, 6, 6])
})
