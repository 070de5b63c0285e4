import t from 'tap'
import { eventIndex } from '../../../src/api/endpoints/event/event-json.ts'
import { must } from '../../../src/base/assert.ts'
import { KvApi } from '../kv/kv-api.ts'
import { checkTable, event, fired, listed } from './event-api.ts'
import type { Row } from './event-api.ts'

// What svcd answers and Consul: see kv-api.ts for a run against Consul 1.8.7, with `-node=n1`.

/** Consul remembers the events of an earlier run. */
const run = process.pid
const [a, b] = [`a${run}`, `b${run}`]
const known = { because: 'the event is in the log when svcd answers, so its time is known' }

t.test(
  'events are fired, and listed in order, by name, with the index of the last one',
  async (t) => {
    const api = await KvApi.start(t)
    const first = event(1, a, { payload: 'aGk=' })
    const third = event(3, a)
    await checkTable(t, api, [
      { ask: `GET event/list?name=${a}`, status: 200, body: '[]', index: '1' },
      {
        ask: `PUT event/fire/${a}`,
        send: 'hi',
        status: 200,
        body: first.replace('<t>', '0'),
        svcd: { body: first, ...known },
      },
      { ask: `GET event/list?name=${a}`, status: 200, body: `[${first}]`, index: '<1>' },
      {
        ask: `PUT event/fire/${b}/c%20d`,
        status: 200,
        body: event(2, `${b}/c d`, { ltime: '0' }),
        svcd: { body: event(2, `${b}/c d`), ...known },
      },
      {
        ask: `GET event/list?name=${b}/c+d`,
        status: 200,
        body: `[${event(2, `${b}/c d`)}]`,
        index: '<2>',
      },
      {
        ask: `PUT event/fire/${a}`,
        send: '',
        status: 200,
        body: third.replace('<t>', '0'),
        svcd: { body: third, ...known },
      },
      { ask: `GET event/list?name=${a}`, status: 200, body: `[${first},${third}]`, index: '<3>' },
      {
        ask: `GET event/list?name=${a}&index=1&wait=5s`,
        status: 200,
        body: `[${first},${third}]`,
        index: '<3>',
      },
      { ask: `GET event/list?name=${a.toUpperCase()}`, status: 200, body: '[]', index: '1' },
      {
        ask: `GET event/list?name=none${run}&index=1&wait=10ms`,
        status: 200,
        body: '[]',
        index: '1',
      },
    ])
  },
)

const bad = 'what is wrong with the request is no error of the server'

t.test('what cannot be fired or listed is refused in the words of Consul', async (t) => {
  const api = await KvApi.start(t)
  const rows: readonly Row[] = [
    { ask: 'PUT event/fire/', status: 400, body: 'Missing name' },
    {
      ask: 'PUT event/fire/x?tag=v1',
      status: 500,
      body: 'Cannot provide tag filter without service filter',
      svcd: { status: 400, because: bad },
    },
    {
      ask: 'PUT event/fire/x?node=(',
      status: 500,
      body: 'Invalid node filter: error parsing regexp: missing closing ): `(`',
      svcd: { status: 400, because: bad },
    },
    {
      ask: 'PUT event/fire/x?service=%5B',
      status: 500,
      body: 'Invalid service filter: error parsing regexp: missing closing ]: `[`',
      svcd: { status: 400, because: bad },
    },
    {
      ask: 'PUT event/fire/x?service=x&tag=*',
      status: 500,
      body: 'Invalid tag filter: error parsing regexp: missing argument to repetition operator: `*`',
      svcd: { status: 400, because: bad },
    },
    { ask: 'PUT event/fire/x?dc=nope', status: 500, body: 'No path to datacenter' },
    { ask: 'GET event/fire/x', status: 405, body: 'method GET not allowed' },
    { ask: 'PUT event/list', status: 405, body: 'method PUT not allowed' },
    {
      ask: 'GET event/list?index=abc',
      status: 400,
      body: 'Invalid index',
      svcd: {
        body: 'Invalid index "abc". Use the number from the last X-Consul-Index header.',
        because: 'it names the value',
      },
    },
    {
      ask: 'GET event/list?wait=abc',
      status: 400,
      body: 'Invalid wait time',
      svcd: {
        body: 'Invalid wait time "abc". Use a duration with a unit, such as 10s or 5m.',
        because: 'it names the value',
      },
    },
  ]
  await checkTable(t, api, rows)
})

t.test('a payload is bounded, however it is sent', async (t) => {
  const api = await KvApi.start(t)
  if (api.api === undefined) return
  const text = 'a'.repeat(4096)
  t.equal((await fired(api, 'large', text)).Payload, Buffer.from(text).toString('base64'))
  const chunks = await api.ask('PUT', 'event/fire/large', { chunks: [text, 'b'] })
  const whole = await api.ask('PUT', 'event/fire/large', { body: `${text}b` })
  for (const { status, body } of [chunks, whole]) {
    t.equal(status, 413)
    t.match(body.toString(), /^Request body\(4097 bytes\) too large, max size: 4096 bytes/)
  }
  const huge = await api.ask('PUT', 'event/fire/large', { body: Buffer.alloc(100 * 1024 * 1024) })
  t.match(huge, { status: 413 })
  t.match(huge.body.toString(), /too large, max size: 4096 bytes/)
  t.equal((await listed(api)).length, 1)
})

t.test('names and filters are bounded, and what cannot be seen is no name', async (t) => {
  const api = await KvApi.start(t)
  if (api.api === undefined) return
  const cases: readonly (readonly [path: string, status: number, text: RegExp])[] = [
    ['n'.repeat(257), 400, /^Invalid event name "n+": it has 257 bytes, and at most 256/],
    ['a%00b', 400, /invisible character U\+0000/],
    ['a%E2%80%8Bb', 400, /invisible character U\+200B/],
    [`x?node=${'n'.repeat(513)}`, 400, /^Invalid node filter: it has 513 bytes, and at most 512/],
    [
      'x?node=(a{1000}){3}',
      400,
      /^Invalid node filter: error parsing regexp: expression needs over/,
    ],
    ['_rexec', 501, /svcd has no remote execution \(consul exec\)/],
    ['%ff', 400, /^Bad request: .* is not a valid url component/],
  ]
  for (const [path, status, text] of cases) {
    const reply = await api.ask('PUT', `event/fire/${path}`)
    t.equal(reply.status, status, path.slice(0, 40))
    t.match(reply.body.toString(), text)
  }
  t.strictSame(await listed(api), [])
  api.api.backend.leaderAddress = ''
  t.match(await api.api.put('event/fire/x'), { status: 500, body: /^No cluster leader/ })
  t.match(await api.api.put('event/fire/x?node=n1'), { status: 500, body: /^No cluster leader/ })
  t.match(await api.api.get('event/list'), { status: 200, body: '[]' }, 'this copy is read')
})

t.test('an event is only for agents that its filters choose', async (t) => {
  const api = await KvApi.start(t)
  if (api.api === undefined) return
  const { backend } = api.api
  const other = '22222222-2222-3333-4444-555555555555'
  const register = async (body: object): Promise<void> => {
    t.match(await must(api.api).put('catalog/register', body), { status: 200 })
  }
  await register({ Node: 'n2', ID: other, Address: '127.0.0.2' })
  await register({
    Node: 'n2',
    ID: other,
    Address: '127.0.0.2',
    Service: { Service: 'db', Tags: ['v2'] },
  })
  // Not a node with an agent.
  await register({ Node: 'n3', Address: '127.0.0.3', Service: { Service: 'mail' } })
  await api.api.put('agent/service/register', { Name: 'web', Tags: ['v1', 'main'] })
  backend.servers = [...backend.servers, { ...must(backend.servers[0]), id: other }]
  const cases: readonly (readonly [query: string, here: boolean, there: boolean])[] = [
    ['', true, true],
    ['node=n1', true, false],
    ['node=^n[12]$', true, true],
    ['node=N1', false, false],
    ['node=n3', false, false],
    ['service=web', true, false],
    ['service=^(web|db)$', true, true],
    ['service=mail', false, false],
    ['service=.', true, true],
    ['service=web&tag=v1', true, false],
    ['service=web&tag=v2', false, false],
    ['service=.&tag=v', true, true],
    ['service=.&tag=^v$', false, false],
    ['service=.&tag=main&node=n1', true, false],
    ['service=.&tag=main&node=n2', false, false],
  ]
  for (const [at, [query]] of cases.entries()) await fired(api, `e${at}?${query}`)
  const names = async (query: string): Promise<readonly string[]> =>
    (await listed(api, query)).map(({ Name }) => Name)
  const wanted = (index: 1 | 2): readonly string[] =>
    cases.flatMap((row, at) => (row[index] ? [`e${at}`] : []))
  t.strictSame(await names(''), wanted(1))
  t.strictSame(await names('?node=n1'), wanted(1))
  t.strictSame(await names('?node=^n2$'), wanted(2))
  t.strictSame(
    await names('?node=.'),
    cases.flatMap((row, at) => (row[1] || row[2] ? [`e${at}`] : [])),
  )
  t.strictSame(await names('?service=web&tag=v'), ['e9'])
  t.strictSame(await names('?node=.&tag=main'), ['e13'])
  t.match(await api.ask('GET', 'event/list?node=('), { status: 400 })
  // It was decided when the event was fired: what is registered later changes nothing.
  await api.api.put('agent/service/register', { Name: 'mail' })
  await api.api.put('agent/service/deregister/web')
  t.strictSame(await names(''), wanted(1))
})

t.test('the index of an event is that of Consul', async (t) => {
  t.equal(eventIndex({ id: 'cb9a81ad-fff6-52ac-92a7-5f70687805ec' }), '6430540886266763072')
  t.equal(eventIndex({ id: 'ffffffff-ffff-ffff-0000-000000000000' }), '18446744073709551615')
})

t.test('a filter that takes too long is refused, and holds up nobody', async (t) => {
  const api = await KvApi.start(t)
  if (api.api === undefined) return
  const fire = (serviceFilter: string, at: number): void => {
    const id = `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`
    const event = { kind: 'event-fire', id, name: 'x', payload: '' } as const
    must(api.api).backend.apply({ ...event, nodeFilter: '', serviceFilter, tagFilter: '' })
  }
  for (let at = 0; at < 256; at++) fire(`${'a'.repeat(509 - (at % 2))}${at}`, at)
  const listWith = (filter: string) =>
    api.ask('GET', `event/list?service=${encodeURIComponent(filter)}`)
  // For one of them, and for all.
  for (const costly of ['(a?){900}b', 'a{500}']) {
    const began = process.cpuUsage()
    const reply = await listWith(costly)
    const { user, system } = process.cpuUsage(began)
    t.equal(reply.status, 400)
    t.match(reply.body.toString(), /^Invalid service filter: the expression takes too long/)
    // Without a limit: half a minute.
    t.ok(user + system < 3e6, `${user + system} µs`)
  }
  const names = Array.from({ length: 60 }, (_, at) => `web-${at}`).join('|')
  for (const filter of ['^a+\\d+$', `^(${names}|a+)$`, 'a{3}$', '7$']) {
    t.equal((await listWith(filter)).status, 200, filter.slice(0, 20))
  }
})
