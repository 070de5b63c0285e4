import t, { type Test } from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import type { ClusterServer } from '../../src/ports/cluster.ts'
import type { HttpApiOptions } from '../../src/api/http-api.ts'
import { TestTokens } from '../helpers/test-tokens.ts'
import { TestApi } from './support.ts'

const [id1, id2, id3] = [
  '11111111-2222-3333-4444-555555555555',
  '22222222-2222-3333-4444-555555555555',
  '33333333-2222-3333-4444-555555555555',
] as const

function server(id: string, port: number, more: Partial<ClusterServer> = {}): ClusterServer {
  const address = `127.0.0.1:${port}`
  return { id, address, isVoter: true, isLeader: false, lastIndex: 0, ...more }
}

/** n1 answers and follows, n2 leads, n3 has just been added and is not in the catalog. */
function startThree(t: Test): TestApi {
  const api = new TestApi(t)
  const { backend } = api
  backend.isLeading = false
  backend.servers = [
    server(id1, 8300),
    server(id2, 8302, { isLeader: true }),
    server(id3, 8303, { isVoter: false }),
  ]
  register(api, 'passing')
  return api
}

function register(api: TestApi, status: 'passing' | 'critical'): void {
  api.backend.apply({
    kind: 'register',
    nodeName: 'n2',
    node: { name: 'n2', id: id2, address: '127.0.0.1', taggedAddresses: {}, meta: {} },
    checks: [
      {
        checkId: 'serfHealth',
        name: 'Serf Health Status',
        status,
        notes: '',
        output: '',
        serviceId: '',
        type: '',
        interval: '',
        timeout: '',
        definition: {},
      },
    ],
    replaceChecks: false,
  })
}

t.test('who is asked for what decides how many rounds a read takes', async (t) => {
  const cases: readonly (readonly [query: string, isLeading: boolean, barriers: number])[] = [
    ['', true, 0],
    ['', false, 1],
    ['leader', false, 1],
    ['consistent', true, 1],
    ['consistent', false, 1],
    ['stale', true, 0],
    ['stale', false, 0],
    ['max_stale=1s', false, 0],
  ]
  for (const [query, isLeading, barriers] of cases) {
    const api = new TestApi(t)
    api.backend.isLeading = isLeading
    for (const path of ['health/service/web', 'catalog/nodes', 'operator/raft/configuration']) {
      api.backend.barriers = 0
      t.equal((await api.get(`${path}?${query}`)).status, 200)
      t.equal(
        api.backend.barriers,
        barriers,
        `${path}?${query} ${isLeading ? 'leader' : 'follower'}`,
      )
    }
  }
})

t.test('a barrier comes before the read, and once however long the read blocks', async (t) => {
  const api = new TestApi(t)
  const { backend } = api
  const barrier = backend.barrier.bind(backend)
  backend.barrier = async () => {
    await barrier()
    if (backend.barriers === 1) await api.put('agent/service/register', { Name: 'web' })
  }
  const first = await api.get('health/service/web?consistent')
  t.match(JSON.parse(first.body), [{ Service: { Service: 'web' } }], 'what came before it shows')
  const index = String(first.headers['x-consul-index'])
  const blocked = api.get(`health/service/web?consistent&index=${index}&wait=5m`)
  while (backend.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
  await api.put('agent/service/register', { Name: 'web', Port: 81 })
  t.match(JSON.parse((await blocked).body), [{ Service: { Port: 81 } }])
  t.equal(backend.barriers, 2)
})

t.test('the headers say how fresh an answer is', async (t) => {
  const api = new TestApi(t)
  api.backend.isLeading = false
  api.backend.contactMs = 40
  const cases = [
    ['', 'leader', 0],
    ['consistent', 'consistent', 0],
    ['stale', 'stale', 40],
  ] as const
  for (const [query, consistency, contact] of cases) {
    const { headers } = await api.get(`catalog/nodes?${query}`)
    t.match(headers, {
      'x-consul-knownleader': 'true',
      'x-consul-lastcontact': contact,
      'x-consul-effective-consistency': consistency,
    })
  }
})

t.test('a leader that no quorum confirms is no leader', async (t) => {
  const api = new TestApi(t)
  api.backend.barrier = () => Promise.reject(svcdError('no-leader', {}))
  for (const path of ['catalog/nodes?consistent', 'operator/raft/configuration?consistent']) {
    const { status, body } = await api.get(path)
    t.strictSame([status, body], [500, svcdError('no-leader', {}).message], path)
  }
  t.equal((await api.get('catalog/nodes?stale')).status, 200)
})

t.test('the servers of the cluster are listed with what is known of them', async (t) => {
  const api = startThree(t)
  t.strictSame(await api.json('operator/raft/configuration'), {
    Servers: [
      row(id3, '(unknown)', 8303, { Voter: false }),
      row(id1, 'n1', 8300),
      row(id2, 'n2', 8302, { Leader: true }),
    ],
    Index: 7,
  })
  t.match(await api.json('agent/members'), [
    { Name: '(unknown)', Status: 0, Addr: '127.0.0.1', Port: 8303 },
    { Name: 'n1', Status: 1, Tags: { id: id1, role: 'consul', dc: 'dc1' } },
    { Name: 'n2', Status: 1, Port: 8302 },
  ])
  register(api, 'critical')
  t.match(await api.json('agent/members'), [
    {},
    { Name: 'n1', Status: 1 },
    { Name: 'n2', Status: 4 },
  ])
  t.match(await api.json('agent/self'), { Member: { Name: 'n1' } })
})

function row(id: string, name: string, port: number, more: object = {}): object {
  return {
    ID: id,
    Node: name,
    Address: `127.0.0.1:${port}`,
    Leader: false,
    ProtocolVersion: '3',
    Voter: true,
    LastIndex: 0,
    ...more,
  }
}

t.test('autopilot says with its status whether all servers live', async (t) => {
  const api = startThree(t)
  api.backend.servers = api.backend.servers.slice(0, 2)
  const healthy = await api.get('operator/autopilot/health')
  t.equal(healthy.status, 200)
  t.match(JSON.parse(healthy.body), { Healthy: true, FailureTolerance: 0 })
  register(api, 'critical')
  const sick = await api.get('operator/autopilot/health')
  t.equal(sick.status, 429)
  t.match(JSON.parse(sick.body), {
    Healthy: false,
    Servers: [{ Healthy: true }, { Healthy: false, SerfStatus: 'failed' }],
  })
})

t.test('the tag acls says whether access control is on', async (t) => {
  const tagsOf = async (options: HttpApiOptions): Promise<readonly unknown[]> => {
    const { body } = await new TestApi(t, options).ask('GET', '/v1/agent/members', undefined, {
      'x-consul-token': 'root',
    })
    return (JSON.parse(body) as { Tags: { acls: string } }[]).map(({ Tags }) => Tags.acls)
  }
  t.strictSame(await tagsOf({}), ['0'])
  t.strictSame(await tagsOf({ tokens: new TestTokens('deny', false) }), ['0'])
  t.strictSame(await tagsOf({ tokens: new TestTokens() }), ['1'])
})

t.test('operators change the members', async (t) => {
  const api = startThree(t)
  const { backend } = api
  const id4 = '44444444-2222-3333-4444-555555555555'
  const done = [
    await api.ask('DELETE', `/v1/operator/raft/peer?id=${id3}`),
    await api.ask('DELETE', '/v1/operator/raft/peer?address=127.0.0.1:8302'),
    await api.put(`operator/raft/peer?id=${id4.toUpperCase()}&address=[::1]:8300`),
    await api.put('agent/leave'),
  ]
  for (const { status, body } of done) t.strictSame([status, body], [200, ''])
  for (const method of ['PUT', 'POST'] as const) {
    const { body } = await api.ask(method, `/v1/operator/raft/transfer-leader?id=${id2}`)
    t.equal(body, '{"Success":true}')
  }
  await api.put('operator/raft/transfer-leader')
  t.strictSame(backend.operations, [
    { kind: 'change', change: { kind: 'remove', id: id3 } },
    { kind: 'change', change: { kind: 'remove', id: id2 }, onlyAt: '127.0.0.1:8302' },
    { kind: 'change', change: { kind: 'add-learner', id: id4, address: '[::1]:8300' } },
    { kind: 'leave' },
    { kind: 'transfer', to: id2 },
    { kind: 'transfer', to: id2 },
    { kind: 'transfer', to: undefined },
  ])
  backend.refusal = svcdError('operation-refused', { reason: 'quorum-not-live' })
  const refused = await api.ask('DELETE', `/v1/operator/raft/peer?id=${id3}`)
  t.match(refused, { status: 500, body: /^The cluster refuses: quorum-not-live/ })
})

t.test('a dead server is taken out with all that is registered on it', async (t) => {
  const api = startThree(t)
  const { backend } = api
  const remove = (id: string) => ({ kind: 'change', change: { kind: 'remove', id } }) as const
  for (const name of ['n1', 'n2', id2]) {
    const { status, body } = await api.put(`agent/force-leave/${name}`)
    t.equal(status, 500)
    t.match(body, /^The cluster refuses: .* is alive; to remove it, run `svcd leave` on it/, name)
  }
  const { servers } = backend
  backend.servers = servers.filter(({ id }) => id !== id3)
  for (const name of ['n1', 'n2', id2]) {
    const { status, body, headers } = await api.put(`agent/force-leave/${name}`)
    t.strictSame(
      [status, body],
      [200, ''],
      `${name} lives, and is not to be mistaken: as in Consul`,
    )
    t.equal(
      headers['x-svcd-warning'],
      `${name} is alive, so it was not removed. To remove it, run \`svcd leave\` on it.`,
    )
  }
  backend.servers = servers
  t.match(
    (await api.put('agent/force-leave/n2')).body,
    `Its ID is ${id2}. To remove a failed server that had`,
  )
  t.match((await api.put('agent/force-leave/n2')).body, `give its ID: ${id3} at 127.0.0.1`)
  for (const name of ['nobody', '']) {
    t.match(
      (await api.put(`agent/force-leave/${encodeURIComponent(name)}`)).body,
      `agent: No node found with name '${name}'. Use a name from \`svcd members\`, or an ID`,
    )
  }
  const unnamed = await api.put(`agent/force-leave/${encodeURIComponent('(unknown)')}`)
  t.match(unnamed, { status: 500, body: `${id3} at ` }, 'its id is said')
  t.match(unnamed.body, /Use the ID of the server\. `svcd force-leave ID`/)
  t.strictSame(backend.operations, [])
  register(api, 'critical')
  t.strictSame((await api.put('agent/force-leave/n2?prune')).status, 200)
  t.strictSame(backend.operations.splice(0), [remove(id2)])
  t.equal(
    backend.read((catalog) => catalog.node('n2')),
    undefined,
  )
  // It was removed, and the catalog could not be told then.
  backend.servers = backend.servers.filter(({ id }) => id !== id2)
  register(api, 'critical')
  t.equal((await api.put('agent/force-leave/n2')).status, 200)
  t.strictSame(backend.operations, [])
  t.equal(
    backend.read((catalog) => catalog.node('n2')),
    undefined,
  )
  // One that never told its name.
  t.equal((await api.put(`agent/force-leave/${id3}`)).status, 200)
  t.strictSame(backend.operations, [remove(id3)])
})

t.test('an address or a name that two servers have had takes neither of them out', async (t) => {
  const api = startThree(t)
  const { backend } = api
  register(api, 'critical')
  // The third has no name: it died, and the second has taken its address, and its name with it.
  const at = '127.0.0.1:8302'
  backend.servers = backend.servers.map((one) => (one.id === id3 ? { ...one, address: at } : one))
  const byAddress = await api.ask('DELETE', `/v1/operator/raft/peer?address=${at}`)
  t.match(byAddress, { status: 500, body: `${id2} and ${id3}` })
  const byName = await api.put('agent/force-leave/n2')
  t.match(byName, { status: 500, body: `(unknown) ${id3} at ${at}` })
  t.match(byName.body, `n2 ${id2} at ${at} (failed)`)
  t.strictSame(backend.operations, [])
  t.equal((await api.ask('DELETE', `/v1/operator/raft/peer?id=${id3}`)).status, 200)
})

t.test('a server is told where to look for others', async (t) => {
  const api = startThree(t)
  for (const address of ['10.0.0.1', 'host:8301', '[::1]:8300']) {
    t.equal((await api.put(`agent/join/${encodeURIComponent(address)}`)).status, 200)
    t.strictSame(api.backend.operations.pop(), { kind: 'join', address })
  }
  for (const bad of ['', 'a/b', 'host:port', '::1']) {
    t.match(await api.put(`agent/join/${encodeURIComponent(bad)}`), {
      status: 400,
      body: /host:port/,
    })
  }
  t.equal((await api.put('agent/join/10.0.0.1?wan=1')).status, 400)
  t.strictSame(api.backend.operations, [])
})

t.test('what makes no sense is refused before the cluster is asked', async (t) => {
  const api = startThree(t)
  const peer = '/v1/operator/raft/peer'
  const cases: readonly (readonly ['DELETE' | 'PUT' | 'GET', string, number, RegExp])[] = [
    [
      'DELETE',
      peer,
      400,
      /^Bad request: Must specify either \?id with the server's ID or \?address/,
    ],
    ['DELETE', `${peer}?id=a&address=b`, 400, /^Bad request: Must specify only one/],
    ['DELETE', `${peer}?id=abc`, 500, /^id "abc" was not found in the Raft configuration/],
    ['DELETE', `${peer}?address=1.2.3.4:8300`, 500, /^address "1\.2\.3\.4:8300" was not found in/],
    ['PUT', `${peer}?id=abc&address=1.2.3.4:8300`, 400, /"abc" is not a UUID/],
    ['PUT', `${peer}?id=${id1}&address=1.2.3.4`, 400, /"1\.2\.3\.4" is not host:port/],
    ['PUT', `${peer}?id=${id1}&address=h:70000`, 400, /"h:70000" is not host:port/],
    ['PUT', '/v1/operator/raft/transfer-leader?id=abc', 500, /^id "abc" was not found/],
    ['GET', peer, 405, /^method GET not allowed$/],
  ]
  for (const [method, url, status, body] of cases) {
    t.match(await api.ask(method, url), { status, body }, `${method} ${url}`)
  }
  t.equal((await api.ask('OPTIONS', peer)).headers['allow'], 'OPTIONS,DELETE,PUT')
  t.strictSame(api.backend.operations, [])
})
