import t from 'tap'
import { silentLogger } from '../../../src/base/log.ts'
import { allDuties } from '../../../src/replica/duties/all-duties.ts'
import type { AllDuties } from '../../../src/replica/duties/all-duties.ts'
import type { Duty } from '../../../src/replica/duties/duty.ts'
import { LeaderDuties } from '../../../src/replica/duties/leader-duties.ts'
import { LeadershipNotice } from '../../../src/replica/cluster/leadership-notice.ts'
import type { MovedPeer } from '../../../src/peers/way.ts'
import type { ConfChange } from '../../../src/raft/membership.ts'
import type { Status } from '../../../src/raft/status.ts'
import { SessionReader } from '../../../src/state/session/reader.ts'
import { AclReader } from '../../../src/state/acl/reader.ts'
import { AutopilotReader } from '../../../src/state/autopilot/reader.ts'
import { DnsCookieReader } from '../../../src/state/dns-cookie/reader.ts'
import {
  MemoryCatalog,
  checkDefinition,
  nodeDefinition,
  registerCommand,
} from '../../helpers/catalog.ts'

class Rig {
  nowMs = 10_000
  term = 1
  role: Status['role'] = 'leader'
  peers: Status['peers'] = []
  voters: readonly string[] = ['s1', 's2']
  learners: readonly string[] = []
  moved: readonly MovedPeer[] = []
  addresses: Record<string, string> = { s1: 's1:1', s2: 's2:1' }
  readonly changes: ConfChange[] = []
  proposed = 0
  /** Nothing is committed. */
  isStuck = false
  readonly catalog = new MemoryCatalog()
  readonly duties: AllDuties

  constructor() {
    for (const id of ['s1', 's2']) {
      const node = nodeDefinition(`node-${id}`, { id })
      this.catalog.apply(
        registerCommand(node.name, { node, checks: [checkDefinition('serfHealth')] }),
      )
    }
    this.duties = allDuties({
      status: () => this.status(),
      catalog: this.catalog.reader,
      sessions: new SessionReader(this.catalog.db),
      tokens: new AclReader(this.catalog.db),
      autopilot: new AutopilotReader(this.catalog.db),
      dnsCookies: new DnsCookieReader(this.catalog.db),
      newSecret: () => '5e'.repeat(16),
      electionMs: 1200,
      nowMs: () => this.nowMs,
      wallMs: () => this.nowMs,
      termAt: () => 1,
      silenceMs: 3000,
      changeMembers: (change) => {
        this.changes.push(change)
        return true
      },
      address: () => 's1:1',
      moved: () => this.moved,
      propose: (command) => {
        this.proposed++
        if (!this.isStuck) this.catalog.apply(command)
      },
      format: 1,
      usedFormat: () => 1,
      own: () => ({ format: 1, sums: [] }),
      ask: () => Promise.reject(new Error('silent')),
      onOdd: () => {},
      logger: silentLogger,
    })
  }

  status(): Status {
    const config = {
      voters: this.voters,
      votersOutgoing: [],
      learners: this.learners,
      addresses: this.addresses,
      prevConfIndex: 0,
    }
    const rest = { term: this.term, leader: 's1', lastIndex: 1, commit: 1, applied: 1 }
    const none = { leaderContactTicks: 0, transferee: undefined }
    return { id: 's1', role: this.role, config, peers: this.peers, ...rest, ...none }
  }

  /** As the replica thread does it, which looks four times a second. */
  after(ms: number): string {
    for (let left = ms; left > 250; left -= 250) this.#look(250)
    return this.#look(ms === 0 ? 0 : ms % 250 || 250)
  }

  /** The process stood still for so long. */
  afterStall(ms: number): string {
    return this.#look(ms)
  }

  #look(ms: number): string {
    this.nowMs += ms
    this.duties.runner.check()
    return this.catalog.reader.check('node-s2', 'serfHealth')?.status ?? 'none'
  }
}

t.test(
  'a member that falls silent turns critical, and passing when it is heard again',
  async (t) => {
    const rig = new Rig()
    t.equal(rig.after(0), 'passing')
    rig.duties.silence.heard('s2')
    t.equal(rig.after(3000), 'passing')
    t.equal(rig.after(1), 'critical')
    t.match(rig.catalog.reader.check('node-s2', 'serfHealth'), {
      output: 'Agent not live or unreachable',
      evidence: 'absence',
    })
    t.equal(rig.after(100), 'critical')
    rig.duties.silence.heard('s2')
    t.equal(rig.after(100), 'passing')
  },
)

t.test('a leader that stood still itself takes no member for dead', async (t) => {
  const rig = new Rig()
  rig.after(0)
  rig.duties.silence.heard('s2')
  rig.after(1000)
  // What members said meanwhile is not read yet.
  t.equal(rig.afterStall(60_000), 'passing')
  t.equal(rig.after(1000), 'passing', 'a second of the stall counts')
  t.equal(rig.after(1), 'critical', 'it says nothing more')
})

t.test('a member that joins, or comes back, is given the whole time', async (t) => {
  const rig = new Rig()
  rig.voters = ['s1']
  rig.after(10_000)
  rig.voters = ['s1', 's2']
  t.equal(rig.after(3000), 'passing')
  rig.voters = ['s1']
  t.equal(rig.after(10_000), 'passing')
  rig.voters = ['s1', 's2']
  t.equal(rig.after(3000), 'passing')
  t.equal(rig.after(251), 'critical')
})

t.test('a new leader counts silence from when it began to listen', async (t) => {
  const rig = new Rig()
  rig.role = 'follower'
  rig.duties.silence.heard('s2')
  t.equal(rig.after(60_000), 'passing')
  rig.role = 'leader'
  t.equal(rig.after(1), 'passing')
  t.equal(rig.after(3000), 'passing')
  t.equal(rig.after(1), 'critical')
})

t.test('a new leader takes nobody for alive whom it has not heard itself', async (t) => {
  const rig = new Rig()
  t.equal(rig.after(0), 'passing')
  t.equal(rig.after(3001), 'critical')
  rig.role = 'follower'
  rig.after(100)
  rig.role = 'leader'
  t.equal(rig.after(100), 'critical', 'still, for it has not been heard')
})

t.test('the leader itself is passing, whatever the one before had said', async (t) => {
  const rig = new Rig()
  const critical = { status: 'critical', output: '' } as const
  rig.catalog.apply({
    kind: 'update-check',
    nodeName: 'node-s1',
    checkId: 'serfHealth',
    ...critical,
  })
  rig.after(1)
  t.equal(rig.catalog.reader.check('node-s1', 'serfHealth')?.status, 'passing')
})

t.test('a learner votes once it has caught up', async (t) => {
  const rig = new Rig()
  rig.learners = ['s3']
  const peer = { id: 's3', state: 'replicate', match: 1, next: 2, isActive: true } as const
  rig.peers = [{ ...peer, isCaughtUp: false }]
  rig.after(1)
  t.strictSame(rig.changes, [])
  rig.peers = [{ ...peer, isCaughtUp: true }]
  rig.after(1)
  t.strictSame(rig.changes, [{ kind: 'promote', id: 's3' }])
})

t.test('a member that is reached elsewhere is written to the configuration', async (t) => {
  const rig = new Rig()
  const move = (id: string, address: string) => ({ kind: 'move', id, address }) as const
  rig.after(0)
  t.strictSame(rig.changes, [], 'none has moved')
  rig.moved = [{ id: 's2', address: 's2:2', isProven: true }]
  rig.after(250)
  t.strictSame(rig.changes.splice(0), [move('s2', 's2:2')], 'at once')
  for (let tick = 0; tick < 19; tick++) rig.after(250)
  t.strictSame(rig.changes, [], 'while that may be on its way it is not proposed again')
  rig.after(250)
  t.strictSame(rig.changes.splice(0), [move('s2', 's2:2')])
  rig.addresses['s2'] = 's2:2'
  rig.after(6000)
  t.strictSame(rig.changes, [], 'and no more when it is there')

  rig.moved = [{ id: 's9', address: 's9:2', isProven: true }]
  rig.after(6000)
  t.strictSame(rig.changes, [], 'who is no member is left alone')
})

t.test('one that has proven nothing is given the time to come back where it was', async (t) => {
  const rig = new Rig()
  rig.moved = [{ id: 's2', address: 'evil:1', isProven: false }]
  rig.after(0)
  rig.after(2999)
  rig.moved = []
  rig.after(1)
  rig.moved = [{ id: 's2', address: 'evil:1', isProven: false }]
  rig.after(0)
  rig.after(2999)
  t.strictSame(rig.changes, [])
  rig.after(1)
  t.strictSame(rig.changes, [{ kind: 'move', id: 's2', address: 'evil:1' }])
})

t.test('a leader that has moved says so itself, unless an operator gave it a name', async (t) => {
  const rig = new Rig()
  rig.addresses['s1'] = '10.0.0.1:8300'
  rig.after(0)
  t.strictSame(rig.changes.splice(0), [{ kind: 'move', id: 's1', address: 's1:1' }])
  rig.addresses['s1'] = 's1.example:8300'
  rig.after(6000)
  t.strictSame(rig.changes, [])
})

t.test('what is on its way is not proposed again, unless it got lost', async (t) => {
  const rig = new Rig()
  rig.isStuck = true
  rig.after(0)
  rig.after(3001)
  for (let tick = 0; tick < 19; tick++) rig.after(250)
  t.equal(rig.proposed, 1, 'not every 250 ms')
  rig.after(250)
  t.equal(rig.proposed, 2, 'after 5 s it must be lost')
  // Another leader may have dropped it: whoever leads again begins anew.
  rig.role = 'follower'
  rig.after(250)
  rig.role = 'leader'
  rig.after(0)
  t.equal(rig.after(3001), 'passing')
  t.equal(rig.proposed, 3)
  rig.isStuck = false
  rig.after(5000)
  t.equal(rig.after(250), 'critical')
  t.equal(rig.proposed, 4)
  rig.duties.silence.heard('s2')
  t.equal(rig.after(250), 'passing', 'the other way is proposed at once')
  rig.after(3001)
  t.equal(rig.after(250), 'critical', 'and so is what was applied, and has changed since')
})

t.test('the log says who leads, and why a server leads no more', async (t) => {
  const lines: string[] = []
  const note = (level: string) => (_fields: object, text: string) => {
    lines.push(`${level}: ${text}`)
  }
  const logger = { ...silentLogger, info: note('info'), warn: note('warn') }
  const notice = new LeadershipNotice('n1', logger)
  const server = (id: string) => ({
    id,
    address: id === 'new' ? '' : `${id}:8300`,
    isVoter: true,
    isLeader: false,
  })
  const say = (
    role: 'leader' | 'follower' | 'candidate',
    term: number,
    leader?: string,
    ids: readonly string[] = ['n1', 'n2'],
  ): readonly string[] => {
    lines.length = 0
    const servers = ids.map((id) => ({ ...server(id), lastIndex: 1 }))
    notice.update({
      role,
      term,
      leader: leader === undefined ? undefined : server(leader),
      servers,
    })
    return [...lines]
  }
  t.strictSame(say('follower', 0), [], 'nothing before there is one')
  t.strictSame(say('follower', 1, 'n2'), ['info: new leader: n2:8300'])
  t.strictSame(say('follower', 1, 'n2'), [], 'once')
  t.match(say('follower', 1), [/^warn: lost contact with the leader/])
  t.strictSame(say('candidate', 2), [])
  t.strictSame(say('leader', 2, 'n1'), ['info: this server leads the cluster'])
  t.match(say('follower', 2), [/^warn: .* lost leadership: no majority answered .*, or its disk/])
  t.strictSame(say('leader', 3, 'n1'), ['info: this server leads the cluster'])
  t.match(say('follower', 4, 'n2'), [
    /^warn: this server lost leadership: the other servers started a newer term/,
    /^info: new leader: n2:8300/,
  ])
  say('leader', 5, 'n1')
  t.match(say('follower', 5, undefined, ['n2']), [/^warn: .*: it left the cluster/])
  t.strictSame(say('follower', 6, 'new'), ['info: new leader: new'], 'its ID, without an address')
})

t.test('a duty is told of each term that this server leads', async (t) => {
  const rig = new Rig()
  const told: string[] = []
  const duty: Duty = {
    started: ({ term }, nowMs) => told.push(`started ${term} at ${nowMs}`),
    check: ({ term }) => told.push(`check ${term}`),
    ended: () => told.push('ended'),
  }
  const parts = { status: () => rig.status(), nowMs: () => rig.nowMs }
  const runner = new LeaderDuties({ ...parts, duties: [duty, { check: () => told.push('next') }] })
  const checked = (): readonly string[] => {
    runner.check()
    return told.splice(0)
  }
  rig.role = 'follower'
  t.strictSame(checked(), [])
  rig.role = 'leader'
  t.strictSame(checked(), ['started 1 at 10000', 'check 1', 'next'])
  t.strictSame(checked(), ['check 1', 'next'])
  // Between two looks it was deposed and elected again.
  rig.term = 3
  t.strictSame(checked(), ['ended', 'started 3 at 10000', 'check 3', 'next'])
  rig.role = 'follower'
  t.strictSame(checked(), ['ended'])
  t.strictSame(checked(), [])
})
