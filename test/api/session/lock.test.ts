import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { sessionFamily } from '../../../src/state/session/family.ts'
import { KvApi } from '../kv/kv-api.ts'
import { checkRows } from './table.ts'
import type { Row } from './table.ts'

const no = '00000000-0000-0000-0000-00000000dead'
const create = (name: string, send: object = {}): Row => ({
  ask: 'PUT session/create',
  send: { NodeChecks: [], LockDelay: 0, ...send },
  creates: name,
  body: `{"ID":"$${name}"}`,
})

/** A key in an answer; its value in base64. */
function locked(value: string, lockIndex: number, session = '', flags = 0): string {
  const holder = session === '' ? '' : `"Session":"${session}",`
  return `[{"LockIndex":${lockIndex},"Key":"a","Flags":${flags},"Value":"${value}",${holder}"CreateIndex":#,"ModifyIndex":#}]`
}

t.test('a key is locked and unlocked by its session, and the token rises', async (t) => {
  const api = await KvApi.start(t)
  await checkRows(t, api, [
    create('s'),
    create('u'),
    { ask: 'PUT kv/a?acquire=$s', send: 'v1', body: 'true' },
    { ask: 'GET kv/a', body: locked('djE=', 1, '$s') },
    { ask: 'PUT kv/a?acquire=$s&flags=7', send: 'v2', body: 'true' },
    { ask: 'GET kv/a', body: locked('djI=', 1, '$s', 7) },
    { ask: 'PUT kv/a?acquire=$u', send: 'other', body: 'false' },
    { ask: 'GET kv/a', body: locked('djI=', 1, '$s', 7) },
    { ask: 'PUT kv/a?release=$u', send: 'x', body: 'false' },
    { ask: 'PUT kv/none?release=$s', send: 'x', body: 'false' },
    { ask: 'PUT kv/a?release=$s&flags=9', send: 'v4', body: 'true' },
    { ask: 'GET kv/a', body: locked('djQ=', 1, '', 9) },
    { ask: 'PUT kv/a?release=$s', send: 'x', body: 'false' },
    { ask: 'PUT kv/a?acquire=$u', send: 'v5', body: 'true' },
    { ask: 'GET kv/a', body: locked('djU=', 2, '$u') },
    { ask: 'PUT session/destroy/$u', body: 'true' },
    { ask: 'GET kv/a', body: locked('djU=', 2) },
    create('d', { Behavior: 'delete' }),
    { ask: 'PUT kv/a?acquire=$d', send: 'v6', body: 'true' },
    { ask: 'PUT session/destroy/$d', body: 'true' },
    { ask: 'GET kv/a', status: 404, body: '' },
    { ask: 'PUT session/destroy/$s', body: 'true' },
  ])
})

t.test('a write without a session leaves the lock, and its token', async (t) => {
  const because = 'a fencing token must not fall; later releases of Consul keep it'
  const api = await KvApi.start(t)
  await checkRows(t, api, [
    create('s'),
    { ask: 'PUT kv/a?acquire=$s', send: 'v1', body: 'true' },
    { ask: 'PUT kv/a', send: 'v3', body: 'true' },
    {
      ask: 'GET kv/a',
      body: locked('djM=', 0, '$s'),
      svcd: { body: locked('djM=', 1, '$s'), because },
    },
    { ask: 'PUT session/destroy/$s', body: 'true' },
  ])
})

t.test('a lock that cannot be asked for is refused in Consul’s words', async (t) => {
  const api = await KvApi.start(t)
  const malformed = 'failed session lookup: index error: UUID must be 36 characters'
  await checkRows(t, api, [
    create('s'),
    { ask: 'PUT kv/a?acquire=nope', send: 'v', status: 500, body: malformed },
    { ask: `PUT kv/a?acquire=${no}`, send: 'v', status: 500, body: `invalid session "${no}"` },
    { ask: 'PUT kv/a?acquire=', send: 'v', status: 500, body: 'missing session' },
    { ask: 'PUT kv/a?release=', send: 'v', status: 500, body: 'missing session' },
    { ask: 'PUT kv/a?release=nope', send: 'v', body: 'false' },
    { ask: 'PUT kv/?acquire=$s', send: 'v', status: 400, body: 'Missing key name' },
    ...['acquire=$s&cas=1', 'acquire=$s&release=$s', 'cas=1&release=$s'].map((flags) => ({
      ask: `PUT kv/a?${flags}`,
      status: 400,
      body: `Conflicting flags: ${flags}`,
    })),
    { ask: 'GET kv/a', status: 404, body: '' },
    { ask: 'DELETE kv/a?acquire=$s', body: 'true' },
    { ask: 'PUT session/destroy/$s', body: 'true' },
  ])
})

t.test('within the lock-delay nobody gets the lock, and the answer says how long', async (t) => {
  const api = await KvApi.start(t)
  const rows = [
    create('s', { LockDelay: '20s' }),
    create('u'),
    { ask: 'PUT kv/d?acquire=$s', send: 'v', body: 'true' },
    { ask: 'PUT session/destroy/$s', body: 'true' },
    { ask: 'PUT kv/d?acquire=$u', send: 'w', body: 'false' },
    { ask: 'PUT kv/other?acquire=$u', send: 'w', body: 'true' },
  ]
  if (api.api !== undefined) api.api.backend.lockDelayLeftMs = 12_340.2
  const ids = await checkRows(t, api, rows)
  if (api.api === undefined) {
    await api.ask('PUT', `session/destroy/${must(ids.get('u'))}`)
    return
  }
  const { backend } = api.api
  const acquire = () => api.ask('PUT', `kv/d?acquire=${must(ids.get('u'))}`, { body: 'w' })
  t.equal((await acquire()).headers['x-svcd-lock-delay'], '12.341s')
  const again = await api.ask('PUT', `kv/other?acquire=${no.replace('dead', '0000')}`)
  t.equal(again.headers['x-svcd-lock-delay'], undefined, 'no other refusal has it')
  backend.refusal = new Error('a defect')
  t.equal((await acquire()).status, 500, 'a defect does not stay hidden')
  t.equal(api.api.errors.splice(0).length, 1)
})

t.test(
  'who asks for a lock again and again within its lock-delay writes nothing to the log',
  async (t) => {
    const api = await KvApi.start(t)
    const left = (ms: number): void => {
      if (api.api !== undefined) api.api.backend.lockDelayLeftMs = ms
    }
    const ids = await checkRows(t, api, [
      create('s', { LockDelay: '20s' }),
      create('u'),
      { ask: 'PUT kv/w?acquire=$s', send: 'v', body: 'true' },
      { ask: 'PUT session/destroy/$s', body: 'true' },
    ])
    left(20_000)
    const lock = (session: string) =>
      JSON.stringify([
        { KV: { Verb: 'set', Key: 'x', Value: 'eA==' } },
        { KV: { Verb: 'lock', Key: 'w', Session: session } },
      ])
    const refused = `{"Results":null,"Errors":[{"OpIndex":1,"What":"failed to lock key \\"w\\" due to lock delay"}]}`
    const before = await entries(api)
    await checkRows(
      t,
      api,
      [
        { ask: 'PUT kv/w?acquire=$u', send: 'w', body: 'false' },
        { ask: 'PUT kv/w?acquire=$u', send: 'w', body: 'false' },
        // Consul looks for the session after that.
        { ask: `PUT kv/w?acquire=${no}`, send: 'w', body: 'false' },
        { ask: 'PUT txn', send: lock(must(ids.get('u'))), status: 409, body: refused },
        { ask: 'PUT kv/w?release=$u', send: 'w', body: 'false' },
      ],
      new Map(ids),
    )
    t.equal((await entries(api)) - before, 1, 'the release alone is in the log')
    // The leader does not say so any more, and the log has the last word.
    left(0)
    if (api.api === undefined) return
    const { backend } = api.api
    const acquire = { ask: 'PUT kv/w?acquire=$u', send: 'w', body: 'false' }
    await checkRows(t, api, [acquire], new Map(ids))
    t.equal(backend.proposed.length - before, 1 + 4, 'it tries four times')
    const { index } = must(backend.of(sessionFamily).read((reader) => reader.lockDelay('w')))
    backend.apply({ kind: 'lock-delay-end', key: 'w', index })
    await checkRows(t, api, [{ ...acquire, body: 'true' }], new Map(ids))
  },
)

/** How many there are in the log. */
async function entries(kv: KvApi): Promise<number> {
  if (kv.api !== undefined) return kv.api.backend.proposed.length
  const self = JSON.parse((await kv.ask('GET', 'agent/self')).body.toString()) as {
    readonly Stats: { readonly raft: { readonly last_log_index: string } }
  }
  return Number(self.Stats.raft.last_log_index)
}

t.test('the end of a session wakes who waits for its keys', async (t) => {
  const api = await KvApi.start(t)
  const ids = await checkRows(t, api, [
    create('s'),
    { ask: 'PUT kv/l/a?acquire=$s', send: 'v', body: 'true' },
  ])
  const index = await api.index('kv/l/?recurse')
  const blocked = [`kv/l/?recurse`, 'kv/l/a'].map((path) =>
    api.ask('GET', `${path}${path.includes('?') ? '&' : '?'}index=${index}&wait=10s`),
  )
  if (api.api !== undefined) {
    const { backend } = api.api
    for (let turn = 0; turn < 1000 && backend.waiting < 2; turn++)
      await new Promise((resolve) => setImmediate(resolve))
    t.equal(backend.waiting, 2)
  }
  await api.ask('PUT', `session/destroy/${must(ids.get('s'))}`)
  for (const reply of await Promise.all(blocked)) {
    t.notMatch(reply.body.toString(), /Session/)
    t.ok(Number(reply.headers['x-consul-index']) > index)
  }
})
