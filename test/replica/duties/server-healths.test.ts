import t from 'tap'
import type { NodeId } from '../../../src/raft/entry.ts'
import type { Status } from '../../../src/raft/status.ts'
import { LeaderDuties } from '../../../src/replica/duties/leader-duties.ts'
import { ServerHealths } from '../../../src/replica/duties/server-healths.ts'

/** s1 leads s2 and s3. */
class Rig {
  wallMs = 1000
  role: Status['role'] = 'leader'
  readonly silenceMs: Record<NodeId, number> = { s2: 100, s3: 400 }
  readonly match: Record<NodeId, number> = { s2: 20_000, s3: 19_990 }
  voters: readonly NodeId[] = ['s1', 's2', 's3']
  readonly healths = new ServerHealths({
    status: () => this.status(),
    termAt: (index) => (index < 10 ? undefined : 4),
    silenceOf: (id) => this.silenceMs[id] ?? 0,
    wallMs: () => this.wallMs,
    silenceMsMax: 3000,
    trailingMax: 10_000,
  })

  readonly runner = new LeaderDuties({
    status: () => this.status(),
    nowMs: () => this.wallMs,
    duties: [this.healths],
  })

  status(): Status {
    const config = {
      voters: this.voters,
      votersOutgoing: [],
      learners: [],
      addresses: {},
      prevConfIndex: 0,
    }
    const peers = Object.entries(this.match).map(([id, match]) => ({
      id,
      match,
      next: match + 1,
      state: 'replicate' as const,
      isActive: true,
      isCaughtUp: true,
    }))
    const rest = { term: 4, leader: 's1', lastIndex: 20_001, commit: 20_000, applied: 20_000 }
    const none = { leaderContactTicks: 0, transferee: undefined }
    return { id: 's1', role: this.role, config, peers, ...rest, ...none }
  }

  healthy(): string {
    const all = this.healths.list()
    return all
      .map(({ id, isHealthy, stableSinceMs }) => `${id} ${isHealthy} ${stableSinceMs}`)
      .join()
  }
}

t.test('a leader knows of each server when it was heard, and how far its log goes', async (t) => {
  const rig = new Rig()
  t.strictSame(
    rig.healths
      .list()
      .map(({ id, lastContactMs, lastTerm, lastIndex }) => [
        id,
        lastContactMs,
        lastTerm,
        lastIndex,
      ]),
    [
      ['s1', 0, 4, 20_001],
      ['s2', 100, 4, 20_000],
      ['s3', 400, 4, 19_990],
    ],
  )
  rig.match['s3'] = 0
  t.match(
    rig.healths.list()[2],
    { lastTerm: 0, lastIndex: 0 },
    'of what was compacted it knows no term',
  )
})

t.test('one that is silent or lags is not healthy, and since when is known', async (t) => {
  const rig = new Rig()
  t.equal(rig.healthy(), 's1 true 1000,s2 true 1000,s3 true 1000')
  rig.wallMs = 5000
  rig.silenceMs['s2'] = 3001
  rig.match['s3'] = 9999
  rig.runner.check()
  rig.wallMs = 9000
  t.equal(rig.healthy(), 's1 true 1000,s2 false 5000,s3 false 5000', 'as it was noticed')
  rig.silenceMs['s2'] = 0
  rig.match['s3'] = 10_000
  t.equal(rig.healthy(), 's1 true 1000,s2 true 9000,s3 true 9000')
})

t.test('a follower tells nothing, and a new leader begins anew', async (t) => {
  const rig = new Rig()
  rig.runner.check()
  rig.role = 'follower'
  t.strictSame(rig.healths.list(), [])
  rig.runner.check()
  rig.role = 'leader'
  rig.wallMs = 7000
  t.match(rig.healthy(), /^s1 true 7000/)
  rig.voters = ['s1', 's2']
  t.equal(rig.healths.list().length, 2, 'one that was removed is forgotten')
})
