import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { svcdError } from '../../src/base/errors.ts'
import { Operations } from '../../src/replica/writes/operations.ts'
import { PeerRequests } from '../../src/replica/writes/peer-requests.ts'
import type { PeerRequestsParts } from '../../src/replica/writes/peer-requests.ts'
import type { ProposalResult } from '../../src/replica/writes/proposals.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import { RaftRig } from '../helpers/raft-rig.ts'

const electionMs = 600

/** Lets continuations of promises run. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** A default read of `id`: whether it was confirmed is known later, if ever. */
function defaultRead(rig: RaftRig, id: NodeId): { isConfirmed: boolean } {
  const read = { isConfirmed: rig.alone.has(id) }
  void rig
    .server(id)
    .readBarrier()
    .then((isHeld) => {
      read.isConfirmed ||= isHeld
      return undefined
    })
  rig.server(id).turn()
  return read
}

t.test('a leader that its followers have replaced confirms no read, in 1,000 cuts', async (t) => {
  let reads = 0
  let confirmed = 0
  let bothLead = 0
  for (let seed = 1; seed <= 1000; seed++) {
    const rig = new RaftRig(['a', 'b', 'c'], seed * 10)
    const old = rig.elect()
    rig.run(seed % 7)
    const [one, two] = rig.others(old) as [NodeId, NodeId]
    // Resets that only the followers see: they vote at once, the old leader learns nothing.
    rig.silent.add(old)
    for (const follower of seed % 2 === 0 ? [one, two] : [two, one]) {
      rig.server(follower).connectionLost(old)
      rig.run(1)
    }
    const isReplaced = (): boolean =>
      [one, two].some((id) => {
        const { state } = rig.server(id).driver.raft
        return state.role === 'leader' && state.log.commit >= state.termStart
      })
    for (let tick = 0; tick < 60 && !isReplaced(); tick++) rig.run(1)
    if (rig.server(old).isLeader && isReplaced()) bothLead++
    const asked = []
    for (let tick = 0; tick < 12; tick++) {
      asked.push(defaultRead(rig, old))
      rig.run(1)
      await turn()
    }
    reads += asked.length
    confirmed += asked.filter(({ isConfirmed }) => isConfirmed).length
  }
  t.equal(confirmed, 0, `none of ${reads} reads`)
  // In the others the vote was split, and the old leader missed its quorum before it was over.
  t.ok(bothLead > 750, `in ${bothLead} rounds both took themselves for the leader`)
})

t.test('a leader that was stopped confirms no read by what it finds in its sockets', async (t) => {
  const rig = new RaftRig()
  const old = rig.elect()
  // The answers to its last heartbeats wait in its sockets.
  rig.server(old).tick(2)
  rig.frozen.add(old)
  rig.deliver()
  const leader = rig.elect()
  t.not(leader, old)
  // It reads the oldest first: one message at a time.
  rig.silent.add(leader)
  const read = defaultRead(rig, old)
  t.ok(rig.server(old).isLeader, 'it takes itself for the leader')
  rig.frozen.delete(old)
  rig.deliver()
  await turn()
  t.notOk(read.isConfirmed)
})

/** A leader that fell silent with `count` writes in its log; another one leads, and cuts it next. */
function deposedWithWrites(rig: RaftRig, count: number) {
  const old = rig.elect()
  rig.silent.add(old)
  const results: (ProposalResult | undefined)[] = Array.from({ length: count }, () => undefined)
  const propose = (at: number): void =>
    rig.propose(old, JSON.stringify({ requestId: `r${at}` }), (result) => (results[at] = result))
  for (let at = 0; at < count; at++) propose(at)
  for (const id of rig.others(old)) rig.server(id).connectionLost(old)
  const leader = rig.elect()
  rig.silent.delete(old)
  return { old, leader, results, propose }
}

async function runFor(rig: RaftRig, ticks: number): Promise<void> {
  for (let tick = 0; tick < ticks; tick++) {
    rig.run(1)
    await turn()
  }
}

t.test(
  'the writes of a deposed leader are done by the next one as soon as that cuts them',
  async (t) => {
    const rig = new RaftRig()
    const { old, results } = deposedWithWrites(rig, 50)
    // Nobody writes anything else, which would reach their indexes.
    await runFor(rig, electionMs / 50)
    t.strictSame(new Set(results.map((result) => result?.kind)), new Set(['applied']))
    t.equal(rig.server(old).proposals.waiting, 0)
  },
)

t.test('each write of a leader that was deposed and leads again is answered', async (t) => {
  const rig = new RaftRig()
  const { old, leader, results, propose } = deposedWithWrites(rig, 3)
  // It hears the next leader, can hand nothing over to it, and is made the leader by it.
  rig.isForwarding = false
  rig.run(2)
  t.equal(rig.server(leader).driver.raft.transfer(old).kind, 'started')
  rig.server(leader).turn()
  rig.deliver()
  t.ok(rig.server(old).isLeader)
  propose(3)
  propose(4)
  await runFor(rig, 20)
  t.strictSame(
    results.map((result) => result?.kind),
    Array(5).fill('applied'),
  )
  t.equal(rig.server(old).proposals.waiting, 0)
})

t.test('reads that are asked for before a turn share one round', async (t) => {
  const rig = new RaftRig()
  const leader = rig.elect()
  const { reads } = rig.server(leader).driver.raft.state
  const before = reads.token
  const asked = Array.from({ length: 100 }, () => rig.server(leader).readBarrier())
  rig.server(leader).turn()
  rig.deliver()
  t.ok((await Promise.all(asked)).every(Boolean))
  t.equal(reads.token, before + 1)
})

t.test('only a server that is a quorum by itself need not ask', async (t) => {
  const rig = new RaftRig(['a'])
  rig.elect()
  t.ok(rig.alone.has('a'))
  rig.nowMs += 3_600_000
  rig.run(1)
  t.ok(rig.alone.has('a'), 'for as long as that is so')
  const { driver } = rig.server('a')
  driver.raft.proposeConfChange({ kind: 'add-learner', id: 'b', address: 'b:1' })
  rig.run(1)
  t.ok(rig.alone.has('a'), 'a learner votes for nobody')

  const three = new RaftRig()
  three.elect()
  three.run(20)
  t.equal(three.alone.size, 0)
})

t.test('a server stops being alone before a second voter can hear of it', async (t) => {
  const rig = new RaftRig(['a'], 1, ['b'])
  rig.elect()
  const server = rig.server('a')
  const { raft } = server.driver
  raft.proposeConfChange({ kind: 'add-learner', id: 'b', address: 'b:1' })
  rig.run(4)
  t.ok(rig.alone.has('a'))
  const change = raft.proposeConfChange({ kind: 'promote', id: 'b' })
  t.equal(change.kind, 'accepted')
  const wasAlone: boolean[] = []
  rig.onSend = () => wasAlone.push(rig.alone.has('a'))
  server.turn()
  t.ok(wasAlone.length > 0, 'the change has left')
  t.notOk(wasAlone.includes(true))
})

t.test('a consistent read of a server that is cut off ends in time', async (t) => {
  const rig = new RaftRig()
  const leader = rig.elect()
  const follower = must(rig.others(leader)[0])
  t.ok(await settled(rig, rig.server(follower).readBarrier()), 'with a leader it is ready at once')
  for (const server of [follower, leader]) {
    const cut = new RaftRig()
    const asked = server === leader ? cut.elect() : must(cut.others(cut.elect())[0])
    cut.silent.add(asked)
    const sinceMs = cut.nowMs
    t.equal(await settled(cut, cut.server(asked).readBarrier()), false)
    const tookMs = cut.nowMs - sinceMs
    t.ok(tookMs >= 7000 && tookMs < 7500, `${tookMs} ms, as a write`)
  }
})

t.test('a consistent read whose leader fell silent is answered by the next one', async (t) => {
  const rig = new RaftRig()
  const leader = rig.elect()
  const follower = must(rig.others(leader)[0])
  rig.silent.add(leader)
  const sinceMs = rig.nowMs
  t.equal(await settled(rig, rig.server(follower).readBarrier()), true)
  t.ok(rig.nowMs - sinceMs < 3 * electionMs, `${rig.nowMs - sinceMs} ms`)
})

/** Cuts `follower` off while the leader writes on, and drops what it would need from the log. */
function leaveBehind(rig: RaftRig, leader: NodeId, follower: NodeId): void {
  rig.silent.add(follower)
  const server = rig.server(leader)
  for (let write = 0; write < 30; write++) {
    server.propose({ bytes: Buffer.from('{}') }, false, () => {})
    rig.run(1)
  }
  const { driver } = server
  driver.saveSnapshot(must(driver.raft.snapshotMeta()))
  driver.compact({ to: server.appliedIndex, durableApplied: server.appliedIndex })
  rig.silent.delete(follower)
}

t.test('a follower that cannot take a snapshot is sent one ever more seldom', async (t) => {
  const rig = new RaftRig()
  const leader = rig.elect()
  const follower = must(rig.others(leader)[0])
  const server = rig.server(leader)
  leaveBehind(rig, leader, follower)
  rig.refusing.add(follower)
  rig.run(20 * 300)
  const waitsMs = rig.refusedAtMs.slice(1).map((atMs, n) => atMs - must(rig.refusedAtMs[n]))
  t.ok(waitsMs.length >= 9, `${waitsMs.length} tries in five minutes`)
  for (const [n, waitMs] of waitsMs.entries()) {
    const atMostMs = Math.min(1000 * 2 ** n, 60_000)
    t.ok(waitMs >= atMostMs / 2 && waitMs <= atMostMs + 300, `wait ${n}: ${waitMs} ms`)
  }
  t.ok(server.isLeader, 'the others go on')

  server.connectionLost(follower)
  const tries = rig.refusedAtMs.length
  rig.run(30)
  t.equal(rig.refusedAtMs.length, tries + 1, 'who comes back is not kept waiting for a minute')

  rig.refusing.delete(follower)
  rig.run(20 * 61)
  t.equal(rig.server(follower).appliedIndex, server.appliedIndex, 'it can read this one')
  leaveBehind(rig, leader, follower)
  rig.refusing.add(follower)
  const before = rig.refusedAtMs.length
  rig.run(60)
  t.ok(rig.refusedAtMs.length >= before + 2, 'after a success the waits are short again')
})

/** Goes on ticking until `promise` is settled. */
async function settled<T>(rig: RaftRig, promise: Promise<T>): Promise<T> {
  const state = { isDone: false }
  void promise.finally(() => {
    state.isDone = true
  })
  for (let tick = 0; tick < 400 && !state.isDone; tick++) {
    rig.run(1)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  return promise
}

/** Operations of all servers, each reaching the others unless one of them is silent. */
function operationsOn(rig: RaftRig) {
  const all = new Map<NodeId, Operations>()
  const requests = new Map<NodeId, PeerRequests>()
  const asked: NodeId[] = []
  for (const [self, raft] of rig.servers) {
    const forward = (to: NodeId, kind: string, body: Buffer): Promise<Buffer> => {
      asked.push(to)
      if (rig.silent.has(to) || rig.silent.has(self)) return new Promise(() => {})
      const from = { id: self, name: self, address: '', isMember: true, isAuthentic: true }
      return must(requests.get(to)).answer(from, kind, body)
    }
    const snapshot = (): Promise<string> => Promise.reject(svcdError('no-leader', {}))
    const health = (): string => self
    const idsAt = (at: string): readonly string[] => (at === 'd:1' ? ['e'] : [])
    const sessions = (): undefined => undefined
    const asks = { forward, snapshot, join: snapshot, health, sessions, idsAt }
    const operations = new Operations({ raft: () => raft, self, ...asks })
    all.set(self, operations)
    const parts = { raft: () => raft, operations } as unknown as PeerRequestsParts
    requests.set(self, new PeerRequests(parts))
  }
  return { of: (id: NodeId) => must(all.get(id)), asked }
}

/** The rig's time goes ten times as fast as the machine's while `work` is under way. */
async function running<T>(rig: RaftRig, work: Promise<T>): Promise<T> {
  const timer = setInterval(() => rig.run(1), 5)
  return work.finally(() => clearInterval(timer))
}

const addD = { kind: 'change', change: { kind: 'add-learner', id: 'd', address: 'd:1' } } as const

t.test('what an operator asks of a leader that fell silent, the next one does', async (t) => {
  const rig = new RaftRig()
  const old = rig.elect()
  const { of, asked } = operationsOn(rig)
  const [one] = rig.others(old) as [NodeId, NodeId]
  rig.silent.add(old)
  const sinceMs = performance.now()
  t.equal(await running(rig, of(one).run(addD)), 'd')
  t.ok(performance.now() - sinceMs < 2000, 'as soon as there is one')
  t.ok(asked[0] === old, 'the old one was asked')
  const now = must(rig.others(old).find((id) => rig.server(id).isLeader))
  t.ok(rig.server(now).status.config.learners.includes('d'))
  const moved = await running(rig, of(one).run({ kind: 'transfer', to: undefined }))
  t.ok(moved === one || moved !== now, 'the lead has moved')
})

t.test(
  'a change of the members that was cut is made again by the same server, if that leads again',
  async (t) => {
    const rig = new RaftRig()
    const old = rig.elect()
    const { of } = operationsOn(rig)
    rig.silent.add(old)
    const { raft } = rig.server(old).driver
    raft.propose(Array.from({ length: 5 }, () => Buffer.from('{}')))
    const change = of(old).run(addD)
    await turn()
    t.ok(raft.state.config.learners.includes('d'), 'it is in the log')
    // All of this between two looks of the operation, and in a log that does not reach the same index.
    for (const id of rig.others(old)) rig.server(id).connectionLost(old)
    const leader = rig.elect()
    rig.silent.delete(old)
    rig.run(2)
    t.equal(rig.server(leader).driver.raft.transfer(old).kind, 'started')
    rig.server(leader).turn()
    rig.deliver()
    t.ok(rig.server(old).isLeader)
    t.notOk(raft.state.config.learners.includes('d'), 'it was cut')
    t.equal(await running(rig, change), 'd')
    t.ok(raft.state.config.learners.includes('d'))
  },
)

t.test('a leader that has just forgotten who answers waits until it hears them', async (t) => {
  const rig = new RaftRig()
  const leader = rig.elect()
  const { of } = operationsOn(rig)
  // As it does once in an election timeout.
  const { replication } = rig.server(leader).driver.raft
  t.equal(await running(rig, of(leader).run(addD)), 'd')
  replication.forgetActive()
  const removeD = { kind: 'change', change: { kind: 'remove', id: 'd' } } as const
  t.equal(await running(rig, of(leader).run(removeD)), 'd')
  replication.forgetActive()
  t.not(await running(rig, of(leader).run({ kind: 'transfer', to: undefined })), leader)
})

t.test('the same asked twice is done once, and a refusal is the answer', async (t) => {
  const rig = new RaftRig()
  const leader = rig.elect()
  const { of, asked } = operationsOn(rig)
  const follower = must(rig.others(leader)[0])
  for (let time = 0; time < 2; time++) t.equal(await running(rig, of(follower).run(addD)), 'd')
  const { configs } = rig.server(leader).driver.raft.state
  const { index } = configs.latest
  const remove = { kind: 'change', change: { kind: 'remove', id: 'd' } } as const
  await t.rejects(running(rig, of(follower).run({ ...remove, onlyAt: 'd:1' })), {
    code: 'ambiguous-peer',
    message: /address "d:1" .* the configuration lists d at that address, but e is there now/,
  })
  for (let time = 0; time < 2; time++) t.equal(await running(rig, of(follower).run(remove)), 'd')
  t.equal(configs.latest.index, index + 1)
  asked.length = 0
  const nobody = { kind: 'transfer', to: 'nobody' } as const
  await t.rejects(running(rig, of(follower).run(nobody)), {
    code: 'operation-refused',
    message: /transfer to nobody: it is not a voter/,
  })
  t.strictSame(asked, [leader], 'it is not asked again')
})
