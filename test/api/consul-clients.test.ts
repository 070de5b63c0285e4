import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { TestApi } from './support.ts'

// What Consul's own clients send and read, where svcd once answered otherwise.

const external = { Node: 'ext', Address: '10.0.0.9' }
type Service = Readonly<{
  ID: string
  Address: string
  Weights: unknown
  TaggedAddresses?: unknown
}>
interface NodeServices {
  readonly Node: Readonly<Record<string, unknown>>
  readonly Services: Readonly<Record<string, Service>>
}

t.test(
  'weights that are none count as 1 in the catalog, which Go’s clients always send',
  async (t) => {
    const api = new TestApi(t)
    for (const [Weights, stored] of [
      [
        { Passing: 0, Warning: 0 },
        { Passing: 1, Warning: 1 },
      ],
      [
        { Passing: -3, Warning: 100_000 },
        { Passing: 1, Warning: 1 },
      ],
      [
        { Passing: 0, Warning: 7 },
        { Passing: 1, Warning: 1 },
      ],
      [
        { Passing: 5, Warning: 0 },
        { Passing: 5, Warning: 0 },
      ],
      [
        { Passing: 10, Warning: 2 },
        { Passing: 10, Warning: 2 },
      ],
    ]) {
      const reply = await api.put('catalog/register', {
        ...external,
        Service: { Service: 's', Weights },
      })
      t.equal(reply.status, 200, JSON.stringify(Weights))
      const node = await api.json<NodeServices>('catalog/node/ext')
      t.strictSame(must(node.Services['s']).Weights, stored, JSON.stringify(Weights))
    }
    const own = await api.put('agent/service/register', { Name: 's', Weights: { Passing: 0 } })
    t.equal(own.status, 400, 'an agent still refuses them')
  },
)

t.test('SkipNodeUpdate makes a node without an address, which comes later', async (t) => {
  const api = new TestApi(t)
  const Service = { Service: 'db', Port: 5432 }
  const skip = { Node: 'later', SkipNodeUpdate: true, Service }
  t.equal((await api.put('catalog/register', skip)).status, 200)
  t.match(await api.json('catalog/node/later'), { Node: { Address: '' }, Services: { db: {} } })
  t.match(await api.json('health/service/db'), [{ Node: { Address: '' } }])
  const whole = { Node: 'later', Address: '10.0.0.7', NodeMeta: { a: 'b' } }
  t.equal((await api.put('catalog/register', whole)).status, 200)
  const there = { Node: { Address: '10.0.0.7', Meta: { a: 'b' } }, Services: { db: {} } }
  t.match(await api.json('catalog/node/later'), there)
  t.equal((await api.put('catalog/register', { ...skip, Address: '10.9.9.9' })).status, 200)
  t.match(await api.json('catalog/node/later'), there, 'and what is there stays')
  const plain = await api.put('catalog/register', { Node: 'never', Service })
  t.equal(plain.status, 400, 'without SkipNodeUpdate an address is needed')
})

t.test(
  'a key that nobody knows is taken in the definition of a check, and only there',
  async (t) => {
    const api = new TestApi(t)
    const check = { Name: 'c', Status: 'passing', Definition: { HTTP: 'http://x/', Foo: 1 } }
    t.equal((await api.put('catalog/register', { ...external, Check: check })).status, 200)
    t.match(await api.json('health/node/ext'), [{ Definition: { HTTP: 'http://x/' } }])
    const reply = await api.put('catalog/register', { ...external, Check: { ...check, Foo: 1 } })
    t.strictSame(
      [reply.status, reply.body],
      [400, 'Request decode failed: json: unknown field "Foo"'],
    )
  },
)

t.test('an IPv4-mapped address is stored as the IPv4 address', async (t) => {
  const api = new TestApi(t)
  const mapped = {
    Name: 'web',
    Address: '::ffff:10.70.0.1',
    TaggedAddresses: { wan: { Address: '::ffff:a46:2', Port: 80 } },
  }
  t.equal((await api.put('agent/service/register', mapped)).status, 200)
  t.match(await api.json('agent/service/web'), {
    Address: '10.70.0.1',
    TaggedAddresses: { lan_ipv4: { Address: '10.70.0.1' }, wan: { Address: '10.70.0.2' } },
  })
  const node = {
    Node: 'ext',
    Address: '::ffff:10.70.0.3',
    TaggedAddresses: { lan: '::ffff:10.70.0.3' },
    Service: { Service: 'db', Address: '::FFFF:10.70.0.4' },
  }
  t.equal((await api.put('catalog/register', node)).status, 200)
  t.match(await api.json('catalog/node/ext'), {
    Node: { Address: '10.70.0.3', TaggedAddresses: { lan: '10.70.0.3' } },
    Services: { db: { Address: '10.70.0.4' } },
  })
  const nowhere = await api.put('agent/service/register', { Name: 'x', Address: '::ffff:0.0.0.0' })
  t.equal(nowhere.status, 400, 'which may name no host')
})

t.test('a service that is spelt in two ways is listed in both, and found by either', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', { Name: 'redis', ID: 'own', Tags: ['a', 'b'] })
  await api.put('catalog/register', {
    ...external,
    Service: { Service: 'REDIS', Tags: ['c', 'a'] },
  })
  const names = { redis: ['a', 'b'], REDIS: ['a', 'c'], consul: [] }
  t.strictSame(await api.json('catalog/services'), names)
  t.strictSame(await api.json('catalog/services?filter=ServiceID%20!=%20x'), names)
  t.strictSame(await api.json('catalog/services?filter=ServiceID%20==%20own'), {
    redis: ['a', 'b'],
  })
  for (const name of ['redis', 'REDIS', 'Redis']) {
    t.equal((await api.json<unknown[]>(`health/service/${name}`)).length, 2, name)
    t.equal((await api.json<unknown[]>(`catalog/service/${name}`)).length, 2, name)
  }
})

t.test('an unknown id of a check or a service suggests the nearest', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', { Name: 'worker', Check: { TTL: '1h' } })
  for (const ID of ['web-1', 'web-2']) await api.put('agent/service/register', { Name: 'web', ID })
  for (const [path, near] of [
    ['agent/check/pass/worker', 'Did you mean "service:worker"?'],
    ['agent/check/fail/service:wroker', 'Did you mean "service:worker"?'],
    ['agent/check/deregister/worker', 'Did you mean "service:worker"?'],
    [
      'agent/service/deregister/web',
      '"web" is a service name. The IDs of its instances are: "web-1", "web-2".',
    ],
    ['agent/service/maintenance/web?enable=true', 'Did you mean "web-1" or "web-2"?'],
  ] as const) {
    const { status, body } = await api.put(path)
    t.equal(status, 404, path)
    t.ok(body.endsWith(` ${near}`), `${path}: ${body}`)
  }
  const update = await api.put('agent/check/update/worker', { Status: 'passing' })
  t.match(update.body, 'Did you mean "service:worker"?')
  t.match((await api.get('agent/service/web')).body, /^unknown service ID: web\. .* "web-1" or/)
  const far = await api.put('agent/check/pass/zz')
  t.notMatch(far.body, 'Did you mean')
})

t.test(
  'a service’s proxies and mesh-capable instances are found, with their changes',
  async (t) => {
    const api = new TestApi(t)
    const proxy = (DestinationServiceName: string): object => ({
      Kind: 'connect-proxy',
      Proxy: { DestinationServiceName },
    })
    for (const service of [
      { Name: 'web', ID: 'plain' },
      { Name: 'WEB', ID: 'native', Connect: { Native: true }, Port: 1, Check: { TTL: '1h' } },
      { Name: 'web-proxy', ID: 'proxy', ...proxy('Web'), Port: 2 },
      { Name: 'db-proxy', ID: 'other', ...proxy('db') },
      { Name: 'x', ID: 'no-kind', Proxy: { DestinationServiceName: 'web', Mode: 'connect-proxy' } },
      ...Array.from({ length: 250 }, (_, n) => ({ Name: 'many', ID: `m${n}`, Kind: '' })),
      { Name: 'z-proxy', ID: 'z', ...proxy('web'), Tags: ['v2'] },
    ]) {
      t.equal((await api.put('agent/service/register', service)).status, 200)
    }
    const idsOf = async (path: string): Promise<readonly string[]> => {
      const rows = await api.json<readonly { ServiceID?: string; Service?: Service }[]>(path)
      return rows.map((row) => row.ServiceID ?? must(row.Service).ID)
    }
    for (const name of ['web', 'WEB']) {
      t.strictSame(await idsOf(`catalog/connect/${name}`), ['native', 'proxy', 'z'], name)
      t.strictSame(await idsOf(`health/connect/${name}`), ['native', 'proxy', 'z'], name)
    }
    t.strictSame(await idsOf('health/connect/web?passing'), ['proxy', 'z'])
    t.strictSame(await idsOf('catalog/connect/web?tag=v2'), ['z'])
    t.strictSame(await idsOf('catalog/connect/web?filter=ServicePort%20==%201'), ['native'])
    const index = String((await api.get('health/connect/web')).headers['x-consul-index'])
    const waiting = idsOf(`health/connect/web?index=${index}&wait=10s`)
    await until(() => api.backend.waiting > 0)
    await api.put('agent/service/deregister/proxy')
    t.strictSame(await waiting, ['native', 'z'], 'a proxy that goes wakes who waits')
  },
)

t.test('who asks for what is cached hears that it is, and of now', async (t) => {
  const api = new TestApi(t)
  const { headers } = await api.get('catalog/service/web?cached')
  t.match(headers, { 'x-cache': 'HIT', age: '0' })
  t.equal((await api.get('catalog/service/web')).headers['x-cache'], undefined)
})

t.test('the mesh’s look-ups know the names, and have nothing under them', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', { Name: 'web' })
  for (const path of [
    'catalog/connect',
    'health/connect',
    'health/ingress',
    'catalog/gateway-services',
  ]) {
    for (const name of ['web', 'none']) {
      const { status, body, headers } = await api.get(`${path}/${name}`)
      t.strictSame([status, body], [200, '[]'], `${path}/${name}`)
      t.ok(Number(headers['x-consul-index']) >= 1)
    }
  }
})

t.test('agent/self has what Go’s clients look up without asking whether it is there', async (t) => {
  const api = new TestApi(t)
  t.match(await api.json('agent/self'), {
    Config: { Datacenter: 'dc1', NodeName: 'n1', Server: true },
    DebugConfig: {
      ConnectEnabled: false,
      EnableDebug: false,
      GRPCPort: -1,
      SerfAdvertiseAddrLAN: 'tcp://127.0.0.1:8300',
      SerfAdvertiseAddrWAN: 'tcp://127.0.0.1:8300',
      SerfPortLAN: 8300,
    },
    Meta: {},
  })
})

t.test('an argument is never redirected, and what stands before it is', async (t) => {
  const api = new TestApi(t)
  const ID = 'http://h:1/api'
  for (const id of [ID, 'http:/h:1/api']) {
    t.equal((await api.put('agent/service/register', { Name: 'x', ID: id })).status, 200)
  }
  // Not by inject(), which cleans paths itself.
  const ask = await server(t, api)
  t.match(await ask(`PUT /v1/agent/service/deregister/${ID} HTTP/1.1`), /^HTTP\/1.1 200 /)
  t.strictSame(Object.keys(await api.json<object>('agent/services')), ['http:/h:1/api'])
  for (const id of ['a/../b', 'a/./b', 'a//b', '/', '..', 'web/']) {
    await api.put('agent/service/register', { Name: 'x', ID: id })
    const reply = await ask(`GET /v1/agent/service/${id} HTTP/1.1`)
    t.match(reply, /^HTTP\/1.1 200 /, id)
    t.match(reply, `"ID":${JSON.stringify(id)}`, id)
  }
  const moved = await ask(`PUT //v1/agent//service/deregister/${ID}?x=// HTTP/1.1`)
  t.match(moved, /^HTTP\/1.1 301 /)
  t.match(moved, `location: /v1/agent/service/`)
  t.match(moved, `/http://h:1/api?x=//`)
})

t.test('the absolute form of a request asks for the same', async (t) => {
  const api = new TestApi(t)
  const ask = await server(t, api)
  for (const target of [
    'http://127.0.0.1:8500/v1/status/leader',
    'HTTP://LOCALHOST/v1/status/leader?pretty',
    'https://[::1]:8500/v1/status/leader',
  ]) {
    const reply = await ask(`GET ${target} HTTP/1.1`)
    t.match(reply, /^HTTP\/1.1 200 [^]*"127.0.0.1:8300"/, target)
  }
  const id = 'http://h:1/api'
  await api.put('agent/service/register', { Name: 'x', ID: id })
  const reply = await ask(`GET http://localhost:8500/v1/agent/service/${id} HTTP/1.1`)
  t.match(reply, '"ID":"http://h:1/api"')
  t.match(await ask('GET http://127.0.0.1 HTTP/1.1'), /^HTTP\/1.1 404 /)
  // RFC 9112 §3.2.2: the field Host does not count then, so it opens nothing.
  t.match(await ask('GET http://evil.test/v1/agent/self HTTP/1.1'), /^HTTP\/1.1 403 /)
})

/** Sends the line of a request, and resolves with all that is answered. */
async function server(t: Test, api: TestApi): Promise<(line: string) => Promise<string>> {
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = api.app.server.address() as { port: number }
  return async (line) => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.write(`${line}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    await once(socket, 'close')
    return answer
  }
}

t.test('an upload that breaks off is no error of the agent', async (t) => {
  const api = new TestApi(t)
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = api.app.server.address() as { port: number }
  const seen = new Promise<void>((resolve) => {
    api.onLog = resolve
  })
  const socket = connect(port, '127.0.0.1')
  socket.write(
    'PUT /v1/agent/service/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"Na',
  )
  await once(api.app.server, 'request')
  socket.destroy()
  await seen
  t.strictSame(api.debugged, ['a client disconnected before its request was complete'])
  t.strictSame(api.errors, [])
})

t.test('agent/join answers when all members have their names', async (t) => {
  const api = new TestApi(t)
  api.backend.joinResult = 'joined'
  const id = '99999999-2222-3333-4444-555555555555'
  const server = { id, address: '127.0.0.1:8301', isVoter: true, isLeader: false, lastIndex: 1 }
  api.backend.servers.push(server)
  const isAnswered = { yet: false }
  const reply = api.put('agent/join/127.0.0.1:8301').finally(() => {
    isAnswered.yet = true
  })
  await until(() => api.backend.waiting > 0 || isAnswered.yet)
  t.equal(isAnswered.yet, false)
  const node = { name: 'n2', id, address: '127.0.0.1', taggedAddresses: {}, meta: {} }
  api.backend.apply({ kind: 'register', nodeName: 'n2', node, checks: [], replaceChecks: false })
  t.equal((await reply).status, 200)
  const members = await api.json<readonly { Name: string }[]>('agent/members')
  t.strictSame(members.map(({ Name }) => Name).toSorted(), ['n1', 'n2'])

  api.backend.joinResult = 'waiting'
  api.backend.servers.push({ ...server, id: 'unnamed' })
  t.equal((await api.put('agent/join/127.0.0.1:8301')).status, 200, 'without a cluster at once')
})

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve))
}
