import t from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import type { CheckRun } from '../../src/agent/checks/definition.ts'
import { TestApi } from './support.ts'

interface AgentService {
  readonly ID: string
  readonly Service: string
  readonly [key: string]: unknown
}

const planOf = (api: TestApi, id: string): CheckRun | undefined => api.backend.runOf(id)

t.test('a service is registered with all its fields and listed as Consul lists it', async (t) => {
  const api = new TestApi(t)
  const reply = await api.put('agent/service/register', {
    ID: 'web-1',
    Name: 'web',
    Tags: ['v1', 'b'],
    Address: '10.9.0.1',
    Port: 8080,
    Meta: { k: 'v' },
    Weights: { Passing: 10, Warning: 2 },
    TaggedAddresses: { wan_ipv4: { Address: '198.51.100.1', Port: 80 } },
    EnableTagOverride: true,
    Kind: 'connect-proxy',
    Proxy: { DestinationServiceName: 'web' },
    Connect: { Native: true },
    SocketPath: '/run/web.sock',
    Locality: { Region: 'eu', Zone: 'a' },
    Token: 'secret',
  })
  t.equal(reply.status, 200)
  t.equal(reply.body, '')
  t.equal(reply.headers['content-type'], undefined, 'nothing to say')
  t.equal(reply.headers['x-svcd-warning'], undefined)
  const expected = {
    Kind: 'connect-proxy',
    ID: 'web-1',
    Service: 'web',
    Tags: ['v1', 'b'],
    Meta: { k: 'v' },
    Port: 8080,
    Address: '10.9.0.1',
    TaggedAddresses: {
      lan_ipv4: { Address: '10.9.0.1', Port: 8080 },
      wan_ipv4: { Address: '198.51.100.1', Port: 80 },
    },
    Weights: { Passing: 10, Warning: 2 },
    EnableTagOverride: true,
    Proxy: { DestinationServiceName: 'web' },
    Connect: { Native: true },
    SocketPath: '/run/web.sock',
    Locality: { Region: 'eu', Zone: 'a' },
    Datacenter: 'dc1',
  }
  t.strictSame(await api.json('agent/services'), { 'web-1': expected })
  const one = await api.get('agent/service/web-1')
  const { ContentHash: hash, ...rest } = JSON.parse(one.body) as AgentService
  t.strictSame(rest, expected)
  t.match(hash, /^[0-9a-f]{16}$/)
  t.equal(one.headers['x-consul-contenthash'], hash)
  t.strictSame(api.backend.proposed[0]?.origin, {
    actor: 'http 127.0.0.1',
    client: 'lightMyRequest',
    cause: 'agent/service/register web-1',
  })
})

t.test('a minimal service gets Consul’s defaults', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', { Name: 'web', Tags: null, Meta: null, Check: null })
  t.strictSame(await api.json('agent/services'), {
    web: {
      ID: 'web',
      Service: 'web',
      Tags: [],
      Meta: {},
      Port: 0,
      Address: '',
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      Datacenter: 'dc1',
    },
  })
})

t.test('keys match without regard to case and in snake_case', async (t) => {
  const api = new TestApi(t)
  const body = `{"name":"web","ID":"w","TAGS":["a"],"enabletagoverride":true,
    "tagged_addresses":{"lan":{"address":"10.0.0.1","port":1}},"namespace":"default","partition":"",
    "check":{"http":"http://127.0.0.1/","interval":"5s","tls_skip_verify":true,"check_id":"c",
      "deregister_critical_service_after":"2m","success_before_passing":3,"args":null}}`
  t.equal((await api.put('agent/service/register', body)).status, 200)
  const services = await api.json<Record<string, AgentService>>('agent/services')
  t.match(services['w'], { Tags: ['a'], EnableTagOverride: true })
  t.match(services['w']?.['TaggedAddresses'], { lan: { Address: '10.0.0.1', Port: 1 } })
  t.match(planOf(api, 'c'), {
    plan: { tlsSkipVerify: true },
    deregisterAfterMs: 120_000,
    successBeforePassing: 3,
  })
})

t.test('a Content-Type is not looked at, whatever it is', async (t) => {
  const api = new TestApi(t)
  const body = JSON.stringify({ Name: 'web' })
  for (const type of ['', 'text/plain', 'application/x-www-form-urlencoded', 'nonsense', '///']) {
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type }
    const reply = await api.ask('PUT', '/v1/agent/service/register', body, headers)
    t.equal(reply.status, 200, type)
  }
})

const durations: readonly (readonly [unknown, number])[] = [
  ['15s', 15_000],
  ['15.0s', 15_000],
  ['9.99s', 9990],
  ['1m', 60_000],
  ['24h', 86_400_000],
  ['1h30m', 5_400_000],
  [15_000_000_000, 15_000],
]

t.test('durations are text with units or nanoseconds', async (t) => {
  const api = new TestApi(t)
  for (const [TTL, ttlMs] of durations) {
    t.equal((await api.put('agent/check/register', { Name: 'c', TTL })).status, 200)
    t.strictSame(planOf(api, 'c')?.plan, { kind: 'ttl', ttlMs }, String(TTL))
  }
})

t.test('checks get Consul’s IDs and names, and start critical unless told', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', { Name: 'one', Check: { TTL: '5s' } })
  await api.put('agent/service/register', {
    Name: 'two',
    Check: { TTL: '5s', Status: 'passing', Notes: 'n' },
    Checks: [
      {
        HTTP: 'http://127.0.0.1:1/',
        Interval: '10s',
        Timeout: '2s',
        Name: 'front',
        Method: 'HEAD',
      },
      { TTL: '5s', CheckID: 'own' },
    ],
  })
  await api.put('agent/check/register', { Name: 'disk', TTL: '1m', ServiceID: 'two' })
  const checks = await api.json<Record<string, Record<string, unknown>>>('agent/checks')
  t.strictSame(Object.keys(checks).toSorted(), [
    'disk',
    'own',
    'service:one',
    'service:two:1',
    'service:two:2',
  ])
  t.strictSame(checks['service:one'], {
    Node: 'n1',
    CheckID: 'service:one',
    Name: "Service 'one' check",
    Status: 'critical',
    Notes: '',
    Output: '',
    ServiceID: 'one',
    ServiceName: 'one',
    ServiceTags: [],
    Type: 'ttl',
    Interval: '0s',
    Timeout: '0s',
    ExposedPort: 0,
    Definition: { TTL: '5s' },
    // The agent learns them a moment later.
    CreateIndex: 0,
    ModifyIndex: 0,
  })
  t.match(checks['service:two:1'], { Status: 'passing', Notes: 'n' })
  t.match(checks['service:two:2'], { Name: 'front', Type: 'http', Interval: '10s', Timeout: '2s' })
  t.match(checks['disk'], { ServiceID: 'two', ServiceName: 'two' })
})

t.test('an HTTP check is planned as asked, with Consul’s defaults', async (t) => {
  const api = new TestApi(t)
  const register = (rest: object): Promise<unknown> =>
    api.put('agent/check/register', { Name: 'c', HTTP: 'https://127.0.0.1/x', ...rest })
  await register({ Interval: '30s' })
  t.strictSame(planOf(api, 'c')?.plan, {
    kind: 'http',
    url: 'https://127.0.0.1/x',
    method: 'GET',
    headers: {},
    body: '',
    intervalMs: 30_000,
    timeoutMs: 10_000,
    tlsSkipVerify: false,
    tlsServerName: '',
    followRedirects: true,
  })
  await register({ Interval: '2s' })
  t.match(planOf(api, 'c')?.plan, { timeoutMs: 2000 }, 'ends before its next turn')
  await register({
    Interval: '5s',
    Timeout: '1s',
    Method: 'POST',
    Header: { 'x-a': ['1', '2'] },
    Body: 'b',
    TLSSkipVerify: true,
    TLSServerName: 's',
    DisableRedirects: true,
    FailuresBeforeCritical: 3,
  })
  t.match(planOf(api, 'c'), {
    plan: {
      timeoutMs: 1000,
      method: 'POST',
      headers: { 'x-a': ['1', '2'] },
      body: 'b',
      tlsSkipVerify: true,
      tlsServerName: 's',
      followRedirects: false,
    },
    failuresBeforeWarning: 3,
    failuresBeforeCritical: 3,
  })
})

t.test('what is accepted but not as its sender may expect is said in a header', async (t) => {
  const api = new TestApi(t)
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ Name: 'a', Check: { HTTP: 'http://a/', Interval: '10ms' } }, /^Interval is below .* 1s is/],
    [{ Name: 'b', Check: { TTL: '9s', DeregisterCriticalServiceAfter: '5ms' } }, /1s is used$/],
  ]
  for (const [body, warning] of cases) {
    const reply = await api.put('agent/service/register', { Port: 1, ...body })
    t.equal(reply.status, 200)
    t.match(reply.headers['x-svcd-warning'], warning)
  }
  t.match(planOf(api, 'service:a')?.plan, { intervalMs: 1000 })
  t.equal(planOf(api, 'service:b')?.deregisterAfterMs, 1000)
})

t.test('re-registering keeps old checks unless replace-existing-checks', async (t) => {
  const api = new TestApi(t)
  const ids = async (): Promise<string[]> =>
    Object.keys(await api.json<Record<string, unknown>>('agent/checks')).toSorted()
  const withCheck = (id: string): object => ({ Name: 'web', Check: { TTL: '5s', CheckID: id } })
  await api.put('agent/service/register', withCheck('a'))
  await api.put('agent/service/register', withCheck('b'))
  t.strictSame(await ids(), ['a', 'b'])
  await api.put('agent/service/register?replace-existing-checks=false', withCheck('c'))
  t.strictSame(await ids(), ['a', 'b', 'c'])
  await api.put('agent/service/register?replace-existing-checks', withCheck('d'))
  t.strictSame(await ids(), ['d'])
})

t.test('TTL checks pass, warn, fail and are updated, by IDs of any shape', async (t) => {
  const api = new TestApi(t)
  const ID = 'app#127.0.0.1#3000/x:y%41 ü'
  await api.put('agent/service/register', { Name: 'web', ID, Check: { TTL: '5s' } })
  const path = encodeURIComponent(`service:${ID}`)
  const state = async (): Promise<unknown> => {
    const checks = await api.json<Record<string, Record<string, unknown>>>('agent/checks')
    const { Status, Output } = checks[`service:${ID}`] ?? {}
    return [Status, Output]
  }
  const reports: readonly (readonly [string, object | undefined, string, string])[] = [
    [`pass/${path}`, undefined, 'passing', ''],
    [`warn/${path}?note=hello%20there`, undefined, 'warning', 'hello there'],
    [`fail/${path}?note=a+b`, undefined, 'critical', 'a b'],
    [`update/${path}`, { Status: 'passing', Output: 'fine' }, 'passing', 'fine'],
    [`update/${path}`, { status: 'warning' }, 'warning', ''],
  ]
  for (const [report, body, status, output] of reports) {
    const reply = await api.put(`agent/check/${report}`, body)
    t.strictSame([reply.status, reply.body], [200, ''], report)
    t.strictSame(await state(), [status, output], report)
  }
  await api.put(`agent/check/update/${path}`, { Status: 'passing', Output: 'ü'.repeat(3000) })
  const [, output] = (await state()) as [string, string]
  t.equal(output, 'ü'.repeat(2048), 'output is cut to 4 KiB, at a character')
  t.equal((await api.put(`agent/service/deregister/${encodeURIComponent(ID)}`)).status, 200)
  t.strictSame(await api.json('agent/checks'), {})
})

t.test('an ID with slashes needs no encoding', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', { Name: 'pg', ID: 'batman/pg1', Check: { TTL: '5s' } })
  t.equal((await api.put('agent/check/pass/service:batman/pg1')).status, 200)
  t.match(await api.json('agent/service/batman/pg1'), { ID: 'batman/pg1' })
  t.equal((await api.put('agent/check/deregister/service:batman/pg1')).status, 200)
  t.equal((await api.put('agent/service/deregister/batman/pg1')).status, 200)
  t.strictSame(await api.json('agent/services'), {})
})

t.test('an HTTP check takes no TTL reports', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/check/register', { Name: 'c', HTTP: 'http://a/', Interval: '5s' })
  const reply = await api.put('agent/check/pass/c')
  t.equal(reply.status, 404)
  t.equal(reply.body, 'CheckID "c" does not have associated TTL')
})

t.test('the catalog takes nodes, services and checks that nobody runs', async (t) => {
  const api = new TestApi(t)
  const reply = await api.put('catalog/register', {
    Datacenter: 'dc1',
    Node: 'ext',
    ID: 'AAAAAAAA-bbbb-cccc-dddd-eeeeeeeeeeee',
    Address: 'db.example.com',
    TaggedAddresses: { lan: '10.1.1.1' },
    NodeMeta: { 'external-node': 'true', 'consul-x': 'y' },
    Service: { Service: 'db', Port: 5432, Tags: ['a'], CreateIndex: 7 },
    Check: {
      Name: 'dbc',
      Status: 'passing',
      ServiceID: 'db',
      Definition: { TCP: '10.1.1.1:5432', Interval: '10s', Timeout: 1_000_000_000, HTTP: '' },
    },
    Checks: [{ CheckID: 'node', Name: 'ping', Status: 'warning', Output: 'slow' }],
  })
  t.strictSame([reply.status, reply.body], [200, 'true'])
  t.equal(reply.headers['content-type'], 'application/json')
  t.match(await api.json('catalog/node/ext'), {
    Node: {
      ID: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
      Address: 'db.example.com',
      TaggedAddresses: { lan: '10.1.1.1' },
      Meta: { 'consul-x': 'y' },
    },
    Services: { db: { ID: 'db', Service: 'db', Port: 5432 } },
  })
  t.match(await api.json('health/node/ext'), [
    {
      CheckID: 'dbc',
      Type: 'tcp',
      ServiceName: 'db',
      ServiceTags: ['a'],
      Definition: { TCP: '10.1.1.1:5432', Interval: '10s', Timeout: '1s' },
    },
    { CheckID: 'node', Status: 'warning', Output: 'slow', ServiceID: '' },
  ])
  t.strictSame(api.backend.proposed[0]?.origin, {
    actor: 'http 127.0.0.1',
    client: 'lightMyRequest',
    cause: 'catalog/register ext db',
  })
})

t.test('SkipNodeUpdate keeps a node as it is, and creates one that is missing', async (t) => {
  const api = new TestApi(t)
  const body = { Node: 'ext', Address: '10.0.0.9', SkipNodeUpdate: true }
  t.equal((await api.put('catalog/register', body)).status, 200)
  const again = {
    Node: 'EXT',
    Address: '10.0.0.10',
    SkipNodeUpdate: true,
    Service: { Service: 'a' },
  }
  t.equal((await api.put('catalog/register', again)).status, 200)
  t.match(await api.json('catalog/node/ext'), {
    Node: { Address: '10.0.0.9' },
    Services: { a: { Service: 'a' } },
  })
})

t.test('catalog/deregister removes a check, a service or a node, there or not', async (t) => {
  const api = new TestApi(t)
  const names = async (): Promise<unknown> => [
    (await api.json<{ CheckID: string }[]>('health/node/ext')).map(({ CheckID }) => CheckID),
    Object.keys(await api.json<object>('catalog/services')),
    (await api.json<unknown[]>('catalog/nodes')).length,
  ]
  const checks = ['c1', 'c2'].map((CheckID) => ({ CheckID, Name: CheckID, ServiceID: 'a' }))
  const node = { Node: 'ext', Address: '10.0.0.9', Service: { Service: 'a' }, Checks: checks }
  await api.put('catalog/register', node)
  const steps: readonly (readonly [object, unknown])[] = [
    [{ Node: 'ext', CheckID: 'c1' }, [['c2'], ['a', 'consul'], 2]],
    [{ Node: 'ext', CheckID: 'c1' }, [['c2'], ['a', 'consul'], 2]],
    [{ Node: 'ext', ServiceID: 'a', CheckID: 'zz' }, [[], ['consul'], 2]],
    [{ Node: 'ext', ServiceID: '', CheckID: null, Address: '10.0.0.9' }, [[], ['consul'], 1]],
    [{ Node: 'ext' }, [[], ['consul'], 1]],
  ]
  for (const [body, left] of steps) {
    const reply = await api.put('catalog/deregister', body)
    t.strictSame([reply.status, reply.body], [200, 'true'])
    t.strictSame(await names(), left, JSON.stringify(body))
  }
})

t.test('without a leader a write fails with the text clients know', async (t) => {
  const api = new TestApi(t)
  api.backend.leaderAddress = ''
  const reply = await api.put('agent/service/register', { Name: 'web' })
  t.strictSame([reply.status, reply.body], [500, svcdError('no-leader', {}).message])
})

t.test('nothing takes the place of what a server registers of itself', async (t) => {
  const api = new TestApi(t)
  const refused = {
    status: 400,
    body: /^Invalid ID: "consul" is reserved for the server/,
  }
  for (const body of [{ Name: 'consul' }, { Name: 'web', ID: 'consul' }]) {
    t.match(await api.put('agent/service/register', body), refused)
  }
  const service = { Service: { Service: 'web', ID: 'consul' } }
  t.match(
    await api.put('catalog/register', { Node: 'N1', Address: '127.0.0.1', ...service }),
    refused,
  )
  t.strictSame(api.backend.proposed, [])
  t.equal((await api.put('agent/service/register', { Name: 'consul', ID: 'c2' })).status, 200)
  const outside = await api.put('catalog/register', { Node: 'x', Address: '10.0.0.1', ...service })
  t.equal(outside.status, 200, 'a node that is no server may have it')
})

t.test('a check that names no node is one of the node that is registered', async (t) => {
  const api = new TestApi(t)
  // Consul's Go client writes all fields.
  const check = { Node: '', CheckID: 'c1', Status: 'passing', ServiceID: '' }
  const body = { Node: 'ext', Address: '10.0.0.9', Checks: [check] }
  t.equal((await api.put('catalog/register', body)).status, 200)
  t.match(await api.json('health/node/ext'), [{ Node: 'ext', CheckID: 'c1' }])
})
