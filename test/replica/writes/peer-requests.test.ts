import t from 'tap'
import { silentLogger } from '../../../src/base/log.ts'
import { PeerNotices } from '../../../src/process/peer-notices.ts'
import { PeerRequests } from '../../../src/replica/writes/peer-requests.ts'
import { packTexts } from '../../../src/replica/writes/packed-proposals.ts'
import { loneServer } from '../../helpers/replica-settings.ts'
import type { PeerRequestsParts } from '../../../src/replica/writes/peer-requests.ts'

const config = {
  voters: ['n1', 'n2'],
  votersOutgoing: [],
  learners: ['n3'],
  addresses: {},
  prevConfIndex: 0,
}
const founders = { n1: '10.0.0.1:8300', n2: '10.0.0.2:8300' }

/** A server of a cluster, what reaches its core, and an asker. */
function world() {
  const done: string[] = []
  const note = (kind: string) => () => {
    done.push(kind)
    return 'done'
  }
  const raft = {
    driver: { raft: { state: { config } } },
    isLeader: true,
    fencedWith: undefined as object | undefined,
    status: { leader: 'n1' },
    propose: (_proposal: object, _mayForward: boolean, settle: (result: object) => void) => {
      done.push('propose')
      settle({ kind: 'not-leader' })
    },
  }
  const parts = {
    settings: loneServer,
    raft: () => raft,
    formation: {
      onPledgeRequest: () => {
        done.push('pledge')
        return { pledged: true }
      },
    },
    operations: {
      transfer: note('transfer'),
      change: note('change'),
      health: note('health'),
      letIn: note('join'),
    },
    cluster: () => ({
      address: '10.0.0.1:8300',
      clusterId: 'c1',
      epoch: 0,
      pledge: { clusterId: 'c1', by: 'n1', founders, released: [] },
    }),
    notices: new PeerNotices(silentLogger, { monotonicMs: () => 0, wallMs: () => 0 }),
  } as unknown as PeerRequestsParts
  const requests = new PeerRequests(parts)
  const ask = async (
    id: string,
    kind: string,
    body: unknown,
    more: object = {},
  ): Promise<unknown> => {
    const from = { id, name: id, address: 'x:1', isMember: true, isAuthentic: false, ...more }
    const json = typeof body === 'string' ? body : JSON.stringify(body)
    const bytes = kind === 'propose' ? packTexts(body as readonly string[]) : Buffer.from(json)
    return JSON.parse((await requests.answer(from, kind, Buffer.from(bytes))).toString())
  }
  return { done, ask, raft }
}

const proposal = (body: object): string =>
  JSON.stringify({ version: 1, requestId: 'x', actor: 'x', cause: 'x', body })
const deregister = proposal({ kind: 'deregister', nodeName: 'n9' })
const addition = { kind: 'add-learner', id: 'x', address: 'x:1' }

t.test('only members propose, change the members, or move the lead', async (t) => {
  const { ask, done } = world()
  const asked: [string, unknown][] = [
    ['propose', [deregister]],
    ['change', addition],
    ['change', { kind: 'remove', id: 'n2', force: true }],
    ['change', { kind: 'promote', id: 'evil', force: true }],
    ['transfer', '"n2"'],
  ]
  for (const [kind, body] of asked) {
    await t.rejects(ask('evil', kind, body), {
      code: 'peer-refused',
      message: /is not a member of this cluster/,
    })
    await t.rejects(ask('evil', kind, body, { isAuthentic: true }), { code: 'peer-refused' })
    await t.rejects(ask('n2', kind, body, { isMember: false }), { message: /not in a cluster/ })
  }
  t.strictSame(done, [])
  for (const [kind, body] of asked) {
    await ask('n2', kind, body)
    await ask('n3', kind, body)
  }
  t.equal(done.length, 10, 'a learner as well, for it forwards what its clients ask')
  await ask('gone', 'change', { kind: 'remove', id: 'gone' })
  t.equal(done.length, 11, 'one that has left may ask once more whether it has')
})

t.test('what no server can apply is refused, of a member too', async (t) => {
  const { ask, done } = world()
  const cases: [string, RegExp][] = [
    ['not json', /it is not a proposal/],
    [proposal({ kind: 'register', nodeName: 7 }), /it is a malformed register/],
    [proposal({ kind: 'rename', nodeName: 'n1' }), /it has the unknown kind "rename"/],
  ]
  for (const [json, message] of cases) {
    t.match(await ask('n2', 'propose', [json]), [{ kind: 'failed', code: 'peer-refused', message }])
  }
  t.strictSame(done, [])
})

t.test('who joins by its own wish has proven who it is, or was let in before', async (t) => {
  const { ask, done } = world()
  const place = { address: '10.0.0.9:8300' }
  await t.rejects(ask('n9', 'join', { id: 'n9', ...place }), {
    code: 'join-refused',
    message: /add-peer -id n9 -address 10\.0\.0\.9:8300.*-encrypt/,
  })
  const proven = { isAuthentic: true, isMember: false }
  await t.rejects(ask('n9', 'join', { id: 'n2', ...place }, proven), {
    code: 'peer-refused',
    message: /on behalf of another server/,
  })
  t.strictSame(done, [])
  await ask('n9', 'join', { id: 'n9', ...place }, proven)
  await ask('n3', 'join', { id: 'n3', ...place }, { isMember: false })
  t.strictSame(done, ['join', 'join'])
})

t.test(
  'a pledge is asked for by who would begin, for a cluster of which this server is',
  async (t) => {
    const { ask, done } = world()
    const pledge = { clusterId: 'c2', by: 'n2', founders, released: [] }
    await t.rejects(ask('evil', 'pledge', pledge), { message: /on behalf of another server/ })
    const without = { ...pledge, founders: { n2: 'x' } }
    await t.rejects(ask('n2', 'pledge', without), { message: /not be a founder/ })
    t.strictSame(done, [])
    await ask('n2', 'pledge', pledge)
    t.strictSame(done, ['pledge'])
  },
)

t.test('strangers are told what they need to find the cluster, and not who is in it', async (t) => {
  const { ask } = world()
  t.match(await ask('evil', 'info', {}), { clusterId: 'c1', founders: {} })
  t.strictSame(await ask('n2', 'info', {}), {
    ...((await ask('evil', 'info', {})) as object),
    founders: { n2: '10.0.0.2:8300' },
  })
  t.strictSame(await ask('evil', 'membership', '"n2"'), { isMember: true, hasLeader: true })
  t.strictSame(await ask('evil', 'membership', '"evil"'), { isMember: false, hasLeader: true })
})

t.test(
  'what only a leader does is refused by a server that does not lead, or is left behind',
  async (t) => {
    const { ask, done, raft } = world()
    const asked: [string, unknown][] = [
      ['change', addition],
      ['transfer', '"n2"'],
      ['health', '""'],
    ]
    raft.isLeader = false
    for (const [kind, body] of asked) await t.rejects(ask('n2', kind, body), { code: 'no-leader' })
    await ask('n3', 'join', { id: 'n3', address: 'x:1' })
    t.strictSame(done, ['join'], 'a wish to join is passed on')
    raft.isLeader = true
    raft.fencedWith = { kind: 'failed', code: 'left-behind', message: 'left behind' }
    for (const [kind, body] of asked)
      await t.rejects(ask('n2', kind, body), { code: 'left-behind' })
    t.strictSame(done, ['join'])
  },
)

t.test('a request that is not known is refused by its name', async (t) => {
  const { ask } = world()
  for (const kind of ['rename', '', 'toString', '__proto__']) {
    await t.rejects(ask('n2', kind, {}), { code: 'unknown-request', message: new RegExp(kind) })
  }
})
