import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { svcdError } from '../../src/base/errors.ts'
import { Operations } from '../../src/node/operations.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import { RaftRig } from '../helpers/raft-rig.ts'

const electionMs = 600

t.test('a leader that its quorum answers may answer unasked, others may not', async (t) => {
  const rig = new RaftRig()
  const leader = rig.elect()
  for (let tick = 0; tick < 60; tick++) {
    rig.run(1)
    t.ok(rig.isLeaseHeld(leader), `at tick ${tick}`)
  }
  for (const other of rig.others(leader)) t.notOk(rig.isLeaseHeld(other), other)
})

t.test('a new leader has no lease before it has applied an entry of its term', async (t) => {
  const rig = new RaftRig()
  const old = rig.elect()
  rig.silent.add(old)
  while (rig.others(old).every((id) => !rig.server(id).isLeader)) {
    for (const id of rig.others(old)) t.notOk(rig.isLeaseHeld(id))
    rig.run(1)
  }
})

t.test('a leader that was stopped may not answer from what it finds in its sockets', async (t) => {
  const rig = new RaftRig()
  const old = rig.elect()
  // The answers to its last heartbeats wait in its sockets.
  rig.server(old).tick(2)
  rig.frozen.add(old)
  rig.deliver()
  const leader = rig.elect()
  t.not(leader, old)
  t.notOk(rig.isLeaseHeld(old), 'the moment it goes on, before its replica has done anything')
  // It reads the oldest first: one message at a time.
  rig.silent.add(leader)
  rig.frozen.delete(old)
  rig.deliver()
  t.ok(rig.server(old).isLeader, 'it takes itself for the leader')
  t.notOk(rig.isLeaseHeld(old), 'answers to heartbeats of before are no lease')
})

t.test('a lease is over before anybody else can be elected', async (t) => {
  for (let seed = 0; seed < 20; seed++) {
    const rig = new RaftRig()
    const old = rig.elect()
    rig.run(seed)
    rig.silent.add(old)
    const sinceMs = rig.nowMs
    while (rig.others(old).every((id) => !rig.server(id).isLeader)) {
      rig.run(1)
      if (rig.others(old).some((id) => rig.server(id).isLeader)) break
    }
    t.notOk(rig.isLeaseHeld(old), `after ${rig.nowMs - sinceMs} ms`)
  }
})

t.test('a lost connection and a hand-over end the lease', async (t) => {
  const rig = new RaftRig()
  const leader = rig.elect()
  const [one, two] = rig.others(leader) as [NodeId, NodeId]
  rig.server(leader).driver.raft.connectionLost(one)
  rig.server(leader).turn()
  t.ok(rig.isLeaseHeld(leader), 'the other one vouches for it still')
  rig.server(leader).driver.raft.connectionLost(two)
  rig.server(leader).turn()
  t.notOk(rig.isLeaseHeld(leader))
  rig.run(4)
  t.ok(rig.isLeaseHeld(leader), 'they have answered again')
  rig.server(leader).driver.raft.transfer(one)
  rig.server(leader).turn()
  t.notOk(rig.isLeaseHeld(leader), 'while it hands over')
})

t.test('the only server of a cluster leads for ever', async (t) => {
  const rig = new RaftRig(['a'])
  rig.elect()
  rig.nowMs += 3_600_000
  t.ok(rig.isLeaseHeld('a'))
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
    server.propose('{}', false, () => {})
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
  const asked: NodeId[] = []
  for (const [self, raft] of rig.servers) {
    const forward = (to: NodeId, kind: string, body: Buffer): Promise<Buffer> => {
      asked.push(to)
      if (rig.silent.has(to) || rig.silent.has(self)) return new Promise(() => {})
      return must(all.get(to))
        .onRequest(kind, JSON.parse(body.toString()))
        .then((value) => Buffer.from(JSON.stringify(value)))
    }
    const snapshot = (): Promise<string> => Promise.reject(svcdError('no-leader', {}))
    all.set(self, new Operations({ raft: () => raft, self, forward, snapshot, join: snapshot }))
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
  for (let time = 0; time < 2; time++) t.equal(await running(rig, of(follower).run(remove)), 'd')
  t.equal(configs.latest.index, index + 1)
  asked.length = 0
  const nobody = { kind: 'transfer', to: 'nobody' } as const
  await t.rejects(running(rig, of(follower).run(nobody)), {
    code: 'operation-refused',
    message: /nobody: not-a-voter/,
  })
  t.strictSame(asked, [leader], 'it is not asked again')
})
