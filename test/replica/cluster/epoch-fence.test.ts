import { join } from 'node:path'
import t, { type Test } from 'tap'
import { must } from '../../../src/base/assert.ts'
import { ClusterMarks } from '../../../src/replica/cluster/marks.ts'
import { EpochFence } from '../../../src/replica/cluster/epoch-fence.ts'
import type { ProposalResult } from '../../../src/replica/writes/proposals.ts'
import type { NodeId } from '../../../src/raft/entry.ts'
import { RaftLog } from '../../../src/storage/log/raft-log.ts'
import { RaftRig } from '../../helpers/raft-rig.ts'

const leftBehind = /left behind .* epoch 1, this server is in epoch 0\..*-retry-join/

/** A fence on server `self` of a rig, with the marks in a real raft.db. */
function fenceOn(t: Test, rig: RaftRig, self: NodeId) {
  const log = new RaftLog(join(t.testdir(), 'raft.db'))
  t.teardown(() => log.close())
  const marks = new ClusterMarks(log)
  const tried = new Set<NodeId>()
  const said: string[] = []
  const say = (_fields: object, text: string) => void said.push(text)
  const fence = new EpochFence({
    self,
    marks,
    raft: () => rig.server(self),
    tried: () => tried,
    nowMs: () => rig.nowMs,
    logger: { debug: say, info: say, warn: say, error: say },
    onFenced: () => {},
  })
  return { fence, marks, tried, said, log }
}

function propose(rig: RaftRig, id: NodeId): { result: ProposalResult | undefined } {
  const write: { result: ProposalResult | undefined } = { result: undefined }
  rig.server(id).propose({ bytes: Buffer.from('{}') }, false, (result) => {
    write.result = result
  })
  rig.server(id).turn()
  return write
}

t.test('a server neither votes nor leads before it has tried to reach each member', async (t) => {
  const rig = new RaftRig()
  const { fence, tried } = fenceOn(t, rig, 'a')
  fence.begin(rig.server('a'))
  rig.silent.add('c')
  for (let tick = 0; tick < 35; tick++) {
    fence.check()
    rig.run(1)
  }
  t.equal(rig.server('a').status.term, 1)
  t.notOk(rig.server('b').isLeader, 'it has no vote of this one')
  tried.add('b').add('c')
  fence.check()
  rig.elect()
})

t.test('a member that does not even refuse is waited for two seconds', async (t) => {
  const rig = new RaftRig()
  const { fence, tried } = fenceOn(t, rig, 'a')
  fence.begin(rig.server('a'))
  rig.silent.add('c')
  tried.add('b')
  const sinceMs = rig.nowMs
  while (rig.server('a').status.role === 'follower' && !rig.server('b').isLeader) {
    fence.check()
    rig.run(1)
  }
  t.ok(rig.nowMs - sinceMs >= 2000, `${rig.nowMs - sinceMs} ms`)
})

t.test('who is the only member waits for nobody', async (t) => {
  const rig = new RaftRig(['a'])
  const { fence } = fenceOn(t, rig, 'a')
  fence.begin(rig.server('a'))
  rig.server('a').leadAlone()
  t.ok(rig.server('a').isLeader)
})

t.test('a leader that learns of a newer epoch leads no more, and says why', async (t) => {
  const rig = new RaftRig()
  const leader = rig.elect()
  const { fence, marks, said, log } = fenceOn(t, rig, leader)
  rig.silent.add(must(rig.others(leader)[0])).add(must(rig.others(leader)[1]))
  const waiting = propose(rig, leader)
  t.equal(waiting.result, undefined)
  const read = rig.server(leader).readBarrier()
  fence.learn(0)
  t.ok(rig.server(leader).isLeader, 'its own epoch is not newer')
  fence.learn(1)
  t.notOk(rig.server(leader).isLeader)
  t.match(waiting.result, { kind: 'failed', code: 'left-behind', message: leftBehind })
  t.match(propose(rig, leader).result, { kind: 'failed', code: 'left-behind' })
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  rig.run(2)
  t.equal(await read, false)
  t.match(said, [leftBehind])

  rig.silent.clear()
  const { term } = rig.server(leader).status
  for (let tick = 0; tick < 20 * 60 + 10; tick++) {
    rig.run(1)
    fence.check()
  }
  t.equal(said.length, 2, 'it says so again each minute')
  t.equal(rig.server(leader).status.term, term, 'it has heard nobody, and voted for nobody')
  t.equal(new ClusterMarks(log).newestEpoch, 1, 'a restart does not forget it')
  t.equal(marks.epoch, 0)
})

t.test('a server that knows a newer epoch is fenced from its start', async (t) => {
  const rig = new RaftRig()
  const { fence, marks } = fenceOn(t, rig, 'a')
  marks.setNewestEpoch(1)
  fence.begin(rig.server('a'))
  rig.run(60)
  t.equal(rig.server('a').status.role, 'follower')
  t.equal(rig.server('a').status.leader, undefined)
  t.match(propose(rig, 'a').result, { code: 'left-behind' })
  t.match(rig.server('a').fencedWith, { code: 'left-behind' })
})
