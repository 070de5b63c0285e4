import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { KvApi, indexOf } from '../kv/kv-api.ts'
import { checkRows, sessionText } from './table.ts'
import type { Row } from './table.ts'

// As test/api/kv: the same rows run against Consul, whose node must be named n1.

const no = '00000000-0000-0000-0000-00000000dead'
const malformed = 'failed session lookup: index error: UUID must be 36 characters'

/** A session that is created, shown and destroyed. */
function made(send: unknown, shown: Parameters<typeof sessionText>[1]): readonly Row[] {
  return [
    { ask: 'PUT session/create', send, creates: 's', body: '{"ID":"$s"}' },
    { ask: 'GET session/info/$s', body: `[${sessionText('s', shown)}]` },
    { ask: 'PUT session/destroy/$s', body: 'true' },
    { ask: 'GET session/info/$s', body: '[]' },
  ]
}

t.test('a session has what was asked for, and Consul’s defaults', async (t) => {
  const api = await KvApi.start(t)
  const cases: readonly (readonly [unknown, Parameters<typeof sessionText>[1]])[] = [
    [undefined, {}],
    [{}, {}],
    [
      { Name: 'job', Node: 'n1', Behavior: 'delete', TTL: '10s' },
      { label: 'job', behavior: 'delete', ttl: '10s' },
    ],
    [
      { name: 'job', ttl: '24h', behavior: 'release' },
      { label: 'job', ttl: '24h' },
    ],
    [{ Behavior: '', TTL: '' }, {}],
    [{ TTL: '0s' }, { ttl: '0s' }],
    [{ ID: no, Unknown: 5 }, {}],
    [{ LockDelay: '2s' }, { lockDelay: 2e9 }],
    [{ LockDelay: '1m' }, { lockDelay: 60e9 }],
    [{ LockDelay: '1.5s' }, { lockDelay: 1.5e9 }],
    [{ LockDelay: 0 }, { lockDelay: 0 }],
    [{ LockDelay: 5 }, { lockDelay: 5e9 }],
    [{ LockDelay: 1.9 }, { lockDelay: 1e9 }],
    [{ LockDelay: 1000 }, { lockDelay: 1000 }],
    [{ LockDelay: 15_000_000_000 }, { lockDelay: 15e9 }],
    [{ LockDelay: true }, { lockDelay: 0 }],
    [{ LockDelay: null }, {}],
    [{ NodeChecks: [] }, { nodeChecks: '[]' }],
    [{ NodeChecks: null }, { nodeChecks: 'null' }],
    [{ Checks: [] }, { nodeChecks: '[]' }],
    [{ Checks: ['serfHealth'], NodeChecks: ['serfHealth'] }, {}],
    [{ ServiceChecks: [] }, { serviceChecks: '[]' }],
    [
      { ServiceChecks: [{ ID: 'serfHealth' }] },
      { serviceChecks: '[{"ID":"serfHealth","Namespace":""}]' },
    ],
  ]
  for (const [send, shown] of cases) await checkRows(t, api, made(send, shown))
})

t.test('a lock-delay has at most 60 s', async (t) => {
  const api = await KvApi.start(t)
  const because = 'Consul shows what was asked for, and uses 60 s or 0'
  for (const [send, lockDelay] of [
    [{ LockDelay: '61s' }, 60e9],
    [{ LockDelay: 70 }, 60e9],
    [{ LockDelay: '-1s' }, 0],
  ] as const) {
    if (api.api === undefined) return t.comment(because)
    await checkRows(t, api, made(send, { lockDelay }))
  }
})

const decode = 'Request decode failed: '

t.test('a session that cannot be made is refused in Consul’s words', async (t) => {
  const api = await KvApi.start(t)
  const refusals: readonly (readonly [unknown, number, string, string?])[] = [
    [{ TTL: '9s' }, 500, "Invalid Session TTL '9000000000', must be between [10s=24h0m0s]"],
    [{ TTL: '25h' }, 500, "Invalid Session TTL '90000000000000', must be between [10s=24h0m0s]"],
    [{ TTL: '-10s' }, 500, "Invalid Session TTL '-10000000000', must be between [10s=24h0m0s]"],
    [{ TTL: 'abc' }, 500, `Session TTL 'abc' invalid: time: invalid duration "abc"`],
    [{ TTL: '15' }, 500, `Session TTL '15' invalid: time: missing unit in duration "15"`],
    [
      { TTL: 10 },
      400,
      `${decode}json: cannot unmarshal number into Go struct field .TTL of type string`,
    ],
    [{ LockDelay: '5' }, 400, `${decode}time: missing unit in duration "5"`],
    [{ LockDelay: '' }, 400, `${decode}time: invalid duration ""`],
    [{ LockDelay: '5x' }, 400, `${decode}time: `],
    [{ Behavior: 'x' }, 500, "Invalid Behavior setting 'x'"],
    [{ Behavior: 'DELETE' }, 500, "Invalid Behavior setting 'DELETE'"],
    [{ Node: 'nope' }, 500, 'Missing node registration'],
    [{ Node: '' }, 500, 'Must provide Node'],
    [{ Checks: ['nope'] }, 500, "Missing check 'nope' registration"],
    [{ NodeChecks: ['serfHealth', 'nope'] }, 500, "Missing check 'nope' registration"],
    [{ ServiceChecks: [{ ID: 'nope' }] }, 500, "Missing check 'nope' registration"],
    [
      { Name: 5 },
      400,
      `${decode}json: cannot unmarshal number into Go struct field .Name of type string`,
    ],
    ['{bad', 400, decode],
    ['[]', 400, decode],
  ]
  for (const [send, status, body] of refusals) {
    const text = typeof send === 'string' ? send : JSON.stringify(send)
    const reply = await api.ask('PUT', 'session/create', { body: text })
    const shown = reply.body.toString()
    t.strictSame([reply.status, shown.slice(0, body.length)], [status, body], text)
  }
  await checkRows(t, api, [{ ask: 'GET session/list', body: '[]' }])
})

t.test('a session of a critical check is refused', async (t) => {
  const api = await KvApi.start(t)
  const node = {
    Node: 'n2',
    Address: '127.0.0.2',
    Check: { Name: 'c', CheckID: 'c', Status: 'critical' },
  }
  await checkRows(t, api, [
    { ask: 'PUT catalog/register', send: node, body: 'true' },
    {
      ask: 'PUT session/create',
      send: { Node: 'n2', NodeChecks: ['c'] },
      status: 500,
      body: "Check 'c' is in critical state",
    },
    {
      ask: 'PUT session/create',
      send: { Node: 'n2' },
      status: 500,
      body: "Missing check 'serfHealth' registration",
    },
    {
      ask: 'PUT catalog/register',
      send: { ...node, Check: { ...node.Check, Status: 'warning' } },
      body: 'true',
    },
    {
      ask: 'PUT session/create',
      send: { Node: 'N2', NodeChecks: ['c'] },
      creates: 's',
      body: '{"ID":"$s"}',
    },
    {
      ask: 'GET session/node/n2',
      body: `[${sessionText('s', { node: 'N2', nodeChecks: '["c"]' })}]`,
    },
    { ask: 'PUT catalog/register', send: node, body: 'true' },
    { ask: 'GET session/node/n2', body: '[]' },
    { ask: 'PUT catalog/deregister', send: { Node: 'n2' }, body: 'true' },
  ])
})

t.test('sessions are listed, by node as well', async (t) => {
  const api = await KvApi.start(t)
  const ids = await checkRows(t, api, [
    { ask: 'GET session/list', body: '[]' },
    { ask: 'GET session/node/n1', body: '[]' },
    { ask: 'PUT session/create', send: { NodeChecks: [] }, creates: 's', body: '{"ID":"$s"}' },
    { ask: 'GET session/list', body: `[${sessionText('s', { nodeChecks: '[]' })}]` },
    { ask: 'GET session/node/N1', body: `[${sessionText('s', { nodeChecks: '[]' })}]` },
    { ask: 'GET session/node/nope', body: '[]' },
  ])
  const second = await checkRows(t, api, [
    { ask: 'PUT session/create', creates: 'other', body: '{"ID":"$other"}' },
  ])
  const all = [must(ids.get('s')), must(second.get('other'))].toSorted((a, b) => (a < b ? -1 : 1))
  const listed = JSON.parse((await api.ask('GET', 'session/list')).body.toString()) as readonly {
    ID: string
  }[]
  t.strictSame(
    listed.map(({ ID }) => ID),
    all,
    'in the order of their IDs',
  )
  for (const id of all) await api.ask('PUT', `session/destroy/${id}`)
})

t.test('what is missing or malformed is refused in Consul’s words', async (t) => {
  const api = await KvApi.start(t)
  await checkRows(t, api, [
    { ask: 'PUT session/destroy/', status: 400, body: 'Missing session' },
    { ask: 'PUT session/renew/', status: 400, body: 'Missing session' },
    { ask: 'GET session/info/', status: 400, body: 'Missing session' },
    { ask: 'GET session/node/', status: 400, body: 'Missing node name' },
    { ask: 'PUT session/destroy/nope', status: 500, body: malformed },
    { ask: 'PUT session/renew/nope', status: 500, body: malformed },
    { ask: 'GET session/info/nope', status: 500, body: malformed },
    { ask: `PUT session/destroy/${no}`, body: 'true' },
    { ask: `PUT session/renew/${no}`, status: 404, body: `Session id '${no}' not found` },
    { ask: `GET session/info/${no}`, body: '[]' },
    { ask: 'GET session/create', status: 405, body: 'method GET not allowed' },
    { ask: 'PUT session/list', status: 405, body: 'method PUT not allowed' },
  ])
})

t.test('a renewal shows the session, with or without a TTL', async (t) => {
  const api = await KvApi.start(t)
  for (const ttl of ['', '10s']) {
    await checkRows(t, api, [
      { ask: 'PUT session/create', send: { TTL: ttl }, creates: 's', body: '{"ID":"$s"}' },
      { ask: 'PUT session/renew/$s', body: `[${sessionText('s', { ttl })}]` },
      { ask: 'PUT session/destroy/$s', body: 'true' },
      { ask: 'PUT session/renew/$s', status: 404, body: "Session id '$s' not found" },
    ])
  }
})

t.test('reads of sessions block until a session comes or ends', async (t) => {
  const api = await KvApi.start(t)
  const create = async (): Promise<string> => {
    const reply = await api.ask('PUT', 'session/create', { body: '{"NodeChecks":[]}' })
    return (JSON.parse(reply.body.toString()) as { ID: string }).ID
  }
  const id = await create()
  for (const path of ['session/list', 'session/node/n1', `session/info/${id}`]) {
    const index = await api.index(path)
    const blocked = api.ask('GET', `${path}?index=${index}&wait=10s`)
    if (api.api !== undefined) {
      const { backend } = api.api
      for (let turn = 0; turn < 1000 && backend.waiting === 0; turn++)
        await new Promise((resolve) => setImmediate(resolve))
      t.equal(backend.waiting, 1, `${path} waits`)
    }
    if (path.startsWith('session/info')) await api.ask('PUT', `session/destroy/${id}`)
    else await create()
    t.ok(indexOf(await blocked) > index, path)
  }
})
