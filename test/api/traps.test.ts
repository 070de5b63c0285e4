import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { TestApi } from './support.ts'

// What programs that speak Consul's API break on. Sessions (12) and the key-value store are not offered.

const web = { Name: 'web', ID: 'web-1', Tags: ['v1'], Check: { TTL: '1h', Status: 'passing' } }

t.test('1: no Content-Type, and any, are all the same', async (t) => {
  const api = new TestApi(t)
  const types = ['', 'application/x-www-form-urlencoded', 'text/plain', 'application/json', '???']
  for (const type of types) {
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type }
    const reply = await api.ask('PUT', '/v1/agent/service/register', JSON.stringify(web), headers)
    t.strictSame([reply.status, reply.body], [200, ''], type)
  }
})

t.test('2: keys in any case, and in snake_case', async (t) => {
  const api = new TestApi(t)
  for (const body of [
    { name: 'a', check: { ttl: '10s', deregister_critical_service_after: '1m' } },
    { NAME: 'b', enabletagoverride: true, tagged_addresses: {} },
    { Name: 'c', enable_tag_override: true },
  ]) {
    t.equal((await api.put('agent/service/register', body)).status, 200, JSON.stringify(body))
  }
  const check = { name: 'm', serviceid: 'a', ttl: '10s' }
  t.equal((await api.put('agent/check/register', check)).status, 200)
})

t.test('3: durations with units or in nanoseconds; wait and index are judged', async (t) => {
  const api = new TestApi(t)
  for (const TTL of ['10ms', '15s', '15.0s', '9.99s', '1m', '24h', '1h30m', 15_000_000_000]) {
    const reply = await api.put('agent/check/register', { Name: 'm', TTL })
    t.equal(reply.status, 200, String(TTL))
  }
  for (const [query, text] of [
    ['wait=10', 'Invalid wait time'],
    ['wait=-1', 'Invalid wait time'],
    ['wait=soon', 'Invalid wait time'],
    ['index=abc', 'Invalid index'],
    ['index=-1', 'Invalid index'],
  ] as const) {
    const reply = await api.get(`health/service/web?${query}`)
    t.equal(reply.status, 400, query)
    t.match(reply.body, new RegExp(`^${text}`), query)
  }
})

t.test('4: an ID is all that follows the prefix, decoded once; // is redirected', async (t) => {
  const api = new TestApi(t)
  for (const ID of [
    'batman/pg1',
    'app#127.0.0.1#3000',
    'a:b',
    '100%',
    'a%2Fb',
    'ünï/✓',
    'a b',
    '..x',
  ]) {
    t.equal((await api.put('agent/service/register', { Name: 'x', ID })).status, 200, ID)
    const path = encodeURIComponent(ID)
    const reply = await api.get(`agent/service/${path}`)
    t.match(JSON.parse(reply.body), { ID }, ID)
    t.equal((await api.put(`agent/service/deregister/${path}`)).status, 200, ID)
    t.equal((await api.get(`agent/service/${path}`)).status, 404, ID)
  }
  await api.put('agent/service/register', { Name: 'x', ID: 'batman/pg1' })
  t.equal((await api.put('agent/service/deregister/batman/pg1')).status, 200, 'slashes as they are')
  const reply = await api.ask('GET', '/v1//health/service/web?passing')
  t.strictSame([reply.status, reply.headers['location']], [301, '/v1/health/service/web?passing'])
})

t.test('5: flags without a value, with an empty one, 1 and true', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', web)
  await api.put('agent/service/register', { Name: 'web', ID: 'web-2', Check: { TTL: '1h' } })
  for (const query of ['passing', 'passing=', 'passing=1', 'passing=true', 'passing=T']) {
    t.equal((await api.json<unknown[]>(`health/service/web?${query}`)).length, 1, query)
  }
  t.equal((await api.get('catalog/nodes?stale&consistent')).status, 400)
})

t.test('6: catalog and health tell their index, status and agent do not', async (t) => {
  const api = new TestApi(t)
  const told = ['catalog/nodes', 'catalog/services', 'catalog/service/x', 'catalog/node/x']
  told.push('health/service/x', 'health/checks/x', 'health/node/x', 'health/state/any')
  for (const path of told) {
    const { headers } = await api.get(path)
    t.ok(Number(headers['x-consul-index']) >= 1, path)
    t.equal(headers['x-consul-knownleader'], 'true', path)
    t.equal(Number(headers['x-consul-lastcontact']), 0, path)
  }
  for (const path of [
    'status/leader',
    'status/peers',
    'agent/self',
    'agent/services',
    'agent/checks',
  ]) {
    t.equal((await api.get(path)).headers['x-consul-index'], undefined, path)
  }
})

t.test('7: what is empty is [] or {}, an unknown node is null', async (t) => {
  const api = new TestApi(t)
  for (const [path, body] of [
    ['health/service/x', '[]'],
    ['health/checks/x', '[]'],
    ['health/node/x', '[]'],
    ['health/state/warning', '[]'],
    ['catalog/service/x', '[]'],
    ['catalog/services?node-meta=no:such', '{}'],
    ['agent/services', '{}'],
    ['agent/checks', '{}'],
    ['catalog/node/x', 'null'],
  ] as const) {
    const reply = await api.get(path)
    t.strictSame([reply.status, reply.body], [200, body], path)
  }
})

t.test('8: the texts that clients match on', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', web)
  await api.put('agent/check/register', { Name: 'h', HTTP: 'http://127.0.0.1/', Interval: '10s' })
  const put = async (path: string, body?: unknown): Promise<string> => {
    const reply = await api.put(path, body)
    return `${reply.status} ${reply.body}`
  }
  t.match(await put('agent/service/register', {}), /^400 Missing service name$/)
  t.match(await put('agent/service/deregister/zz'), /^404 Unknown service ID "zz"\. Ensure that/)
  t.match(await put('agent/check/pass/zz'), /^404 Unknown check ID "zz"\. Ensure that the check ID/)
  t.match(await put('agent/check/pass/h'), /CheckID "h" does not have associated TTL/)
  const check = { Name: 'x', ServiceID: 'zz', TTL: '1s' }
  t.match(await put('agent/check/register', check), /ServiceID "zz" does not exist/)
  t.match(
    await put('agent/service/register', { Name: 'x', Foo: 1 }),
    /^400 .*json: unknown field "Foo"/,
  )
  const far = await api.get('catalog/nodes?dc=far')
  t.strictSame([far.status, far.body], [500, 'No path to datacenter'])
  const wrong = await api.get('agent/service/register')
  t.strictSame(
    [wrong.status, wrong.body, wrong.headers['allow']],
    [405, 'method GET not allowed', 'OPTIONS,PUT'],
  )
})

t.test('9: a write with nothing to say is 200 and empty, one to the catalog is true', async (t) => {
  const api = new TestApi(t)
  const bodies: string[] = []
  for (const [path, body] of [
    ['agent/service/register', web],
    ['agent/check/pass/service:web-1', undefined],
    ['agent/check/register', { Name: 'm', TTL: '1s' }],
    ['agent/check/deregister/m', undefined],
    ['agent/service/deregister/web-1', undefined],
    ['catalog/register', { Node: 'x', Address: '10.0.0.1' }],
    ['catalog/deregister', { Node: 'x' }],
  ] as const) {
    const reply = await api.put(path, body)
    bodies.push(`${reply.status} ${reply.body}`)
  }
  t.strictSame(bodies, [...Array.from({ length: 5 }, () => '200 '), '200 true', '200 true'])
})

t.test('10, 11: checks have Consul’s IDs and names, and are sorted by ID', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', web)
  await api.put('agent/check/register', { Name: 'foo', TTL: '1h' })
  await api.put('agent/service/maintenance/web-1?enable=true')
  const [{ Checks } = { Checks: [] }] =
    await api.json<readonly { Checks: readonly { CheckID: string; Name: string }[] }[]>(
      'health/service/web',
    )
  t.strictSame(
    Checks.map(({ CheckID, Name }) => [CheckID, Name]),
    [
      ['_service_maintenance:web-1', 'Service Maintenance Mode'],
      ['foo', 'foo'],
      ['serfHealth', 'Serf Health Status'],
      ['service:web-1', "Service 'web' check"],
    ],
  )
})

t.test('13: the agent lists what schedulers compare, with defaults filled in', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', { Name: 'web', Address: '10.0.0.1', Port: 80 })
  const address = { Address: '10.0.0.1', Port: 80 }
  t.match(await api.json('agent/services'), {
    web: {
      TaggedAddresses: { lan_ipv4: address, wan_ipv4: address },
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      Meta: {},
      Tags: [],
    },
  })
})

t.test('14: status/leader is a JSON string, empty without a leader', async (t) => {
  const api = new TestApi(t)
  t.equal((await api.get('status/leader')).body, '"127.0.0.1:8300"')
  api.backend.leaderAddress = ''
  t.equal((await api.get('status/leader')).body, '""')
})

t.test('15: a snapshot is gzip', async (t) => {
  const api = new TestApi(t)
  const response = await api.app.inject({ method: 'GET', url: '/v1/snapshot' })
  t.ok(gunzipSync(response.rawPayload).includes('meta.json'))
})

t.test('clients that accept gzip get large answers compressed, others as they are', async (t) => {
  const api = new TestApi(t)
  for (let n = 0; n < 20; n++) await api.put('agent/service/register', { ...web, ID: `web-${n}` })
  const url = '/v1/health/service/web'
  const plain = await api.ask('GET', url)
  const ask = (accept: string, path = url) =>
    api.app.inject({ method: 'GET', url: path, headers: { 'accept-encoding': accept } })
  for (const accept of ['gzip', 'deflate, gzip;q=0.5', '*', 'GZIP']) {
    const { headers, rawPayload } = await ask(accept)
    t.equal(headers['content-encoding'], 'gzip', accept)
    t.equal(Number(headers['content-length']), rawPayload.length, accept)
    t.ok(rawPayload.length < plain.body.length / 4, accept)
    t.equal(gunzipSync(rawPayload).toString(), plain.body, accept)
  }
  for (const accept of ['identity', 'gzip;q=0', 'gzip; q=0.0, br', 'br', 'xgzip']) {
    const { headers, body } = await ask(accept)
    t.equal(headers['content-encoding'], undefined, accept)
    t.equal(headers['vary'], 'Accept-Encoding', accept)
    t.equal(body, plain.body, accept)
  }
  const small = await ask('gzip', '/v1/health/service/nope')
  t.equal(small.headers['content-encoding'], undefined, 'too small to be worth it')
  const services = await ask('gzip', '/v1/agent/services')
  t.equal(services.headers['content-encoding'], 'gzip')
})
