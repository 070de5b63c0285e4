import t from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import { TestApi } from './support.ts'

/** Two instances of web (one warning), a database on a node of its own. */
async function filled(t: ConstructorParameters<typeof TestApi>[0]): Promise<TestApi> {
  const api = new TestApi(t)
  const web = (id: string, Tags: string[], Status: string): object => ({
    Name: 'web',
    ID: id,
    Tags,
    Address: '10.9.0.1',
    Port: 80,
    Check: { TTL: '1h', Status },
  })
  await api.put('agent/service/register', web('web-1', ['v1', 'B'], 'passing'))
  await api.put('agent/service/register', web('web-2', ['v2'], 'warning'))
  await api.put('catalog/register', {
    Node: 'ext',
    Address: '10.0.0.9',
    NodeMeta: { zone: 'a', kind: 'x' },
    Service: { Service: 'db', Port: 5432, Tags: ['main'] },
    Check: { Name: 'ping', Status: 'critical' },
  })
  return api
}

const ids = (rows: readonly { Service: { ID: string } }[]): string[] =>
  rows.map(({ Service }) => Service.ID)

const filters: readonly (readonly [query: string, ids: readonly string[]])[] = [
  ['web', ['web-1', 'web-2']],
  ['WEB', ['web-1', 'web-2']],
  ['web?passing', ['web-1']],
  ['web?passing=', ['web-1']],
  ['web?passing=1', ['web-1']],
  ['web?passing=true', ['web-1']],
  ['web?passing=false', ['web-1', 'web-2']],
  ['web?tag=v1', ['web-1']],
  ['web?tag=V1&tag=b', ['web-1']],
  ['web?tag=v1&tag=v2', []],
  ['web?tag=', ['web-1', 'web-2']],
  ['web?near=_agent&cached', ['web-1', 'web-2']],
  ['web?dc=dc1&ns=default&partition=', ['web-1', 'web-2']],
  ['db?node-meta=zone:a', ['db']],
  ['db?node-meta=zone:a&node-meta=kind:x', ['db']],
  ['db?node-meta=zone:a&node-meta=kind:y', []],
  ['db?node-meta=toString:x', []],
  ['db?passing', []],
  ['nope', []],
]

t.test('health/service lists the instances that fit every filter', async (t) => {
  const api = await filled(t)
  for (const [query, expected] of filters) {
    t.strictSame(ids(await api.json(`health/service/${query}`)), expected, query)
  }
})

const expressions: readonly (readonly [path: string, expression: string, ids: string])[] = [
  ['health/service/web', 'Service.ID == "web-1"', 'web-1'],
  ['health/service/web', 'Checks.Status == warning', 'web-2'],
  ['health/service/web', 'not Checks.Status != passing', 'web-1'],
  ['health/service/web', 'v2 in Service.Tags or Service.Port == 81', 'web-2'],
  ['health/service/web?passing', 'v2 in Service.Tags', ''],
  ['health/service/web?tag=v1', 'Service.ID matches "^web-[0-9]$"', 'web-1'],
  ['health/service/web', 'Service.TaggedAddresses.lan_ipv4.Address == "10.9.0.1"', 'web-1 web-2'],
  ['health/service/web', 'Service.Kind == "" and Service.Weights.Passing == 1', 'web-1 web-2'],
  ['health/service/web', 'Service.Proxy.DestinationServiceName is empty', 'web-1 web-2'],
  ['health/service/db', 'Node.Meta.zone == a and Node.Meta["kind"] != y', 'db'],
  ['health/checks/web', 'Status == passing', 'service:web-1'],
  ['health/checks/web', 'ServiceTags contains v2', 'service:web-2'],
  ['health/node/ext', 'Status == passing', ''],
  ['health/state/any', 'ServiceName is empty', 'ping serfHealth'],
  ['health/state/any', 'Type == ttl and Node == n1', 'service:web-1 service:web-2'],
  ['catalog/nodes', 'Meta.zone == a', 'ext'],
  ['catalog/nodes', 'Meta is not empty', 'ext n1'],
  ['catalog/nodes', 'TaggedAddresses is empty', 'ext'],
  ['catalog/service/web', 'ServiceTags contains B', 'web-1'],
  ['catalog/service/db', 'NodeMeta contains zone and ServicePort == 5432', 'db'],
  ['catalog/services', 'ServiceTags contains main', 'db'],
  ['catalog/services', 'Node == n1 and ServiceID == "web-2"', 'web'],
  ['catalog/services?node-meta=zone:a', 'ServicePort == 80', ''],
  ['catalog/node/n1', 'Tags contains v2', 'web-2'],
  ['catalog/node-services/n1', 'ID == "web-1"', 'web-1'],
  ['agent/services', 'Tags contains v2', 'web-2'],
  ['agent/checks', 'Status != passing', 'service:web-2'],
  ['agent/members', 'Name == n1 and Tags.role == consul and Status == 1', 'n1'],
  ['agent/members', 'Name == n2', ''],
]

interface AnyRow {
  readonly Service?: { readonly ID: string }
  readonly CheckID?: string
  readonly ServiceID?: string
  readonly Name?: string
  readonly Node?: string
  readonly ID?: string
}

/** The ids of an answer's rows, whatever they are. */
function rowIds(answer: unknown): string {
  const rows = (answer as { Services?: unknown }).Services ?? answer
  if (!Array.isArray(rows)) return Object.keys(rows as object).join(' ')
  const idOf = ({ Service, CheckID, ServiceID, Name, Node, ID }: AnyRow): string =>
    CheckID ?? Service?.ID ?? ServiceID ?? Name ?? Node ?? ID ?? ''
  return rows.map(idOf).join(' ')
}

t.test('filter= chooses the rows of every list', async (t) => {
  const api = await filled(t)
  for (const [path, expression, expected] of expressions) {
    const query = `${path}${path.includes('?') ? '&' : '?'}filter=${encodeURIComponent(expression)}`
    t.equal(rowIds(await api.json(query)), expected, `${path} ${expression}`)
  }
  const rows = await api.json<unknown[]>(`health/service/web?filter=`)
  t.equal(rows.length, 2, 'an empty filter is none')
})

t.test(
  'a row of health/service is Consul’s: the node, the service and all that judges it',
  async (t) => {
    const api = await filled(t)
    t.strictSame(await api.json('health/service/db'), [
      {
        Node: {
          ID: '',
          Node: 'ext',
          Address: '10.0.0.9',
          Datacenter: 'dc1',
          TaggedAddresses: {},
          Meta: { zone: 'a', kind: 'x' },
          CreateIndex: 4,
          ModifyIndex: 4,
        },
        Service: {
          ID: 'db',
          Service: 'db',
          Tags: ['main'],
          Address: '',
          Meta: {},
          Port: 5432,
          Weights: { Passing: 1, Warning: 1 },
          EnableTagOverride: false,
          Proxy: { MeshGateway: {}, Expose: {} },
          Connect: {},
          PeerName: '',
          CreateIndex: 4,
          ModifyIndex: 4,
        },
        Checks: [
          {
            Node: 'ext',
            CheckID: 'ping',
            Name: 'ping',
            Status: 'critical',
            Notes: '',
            Output: '',
            ServiceID: '',
            ServiceName: '',
            ServiceTags: [],
            Type: '',
            Interval: '',
            Timeout: '',
            ExposedPort: 0,
            Definition: {},
            CreateIndex: 4,
            ModifyIndex: 4,
          },
        ],
      },
    ])
  },
)

t.test('catalog/service rows carry the node’s fields beside the service’s', async (t) => {
  const api = await filled(t)
  t.strictSame(await api.json('catalog/service/web?tag=v2'), [
    {
      ID: '11111111-2222-3333-4444-555555555555',
      Node: 'n1',
      Address: '127.0.0.1',
      Datacenter: 'dc1',
      TaggedAddresses: {
        lan: '127.0.0.1',
        lan_ipv4: '127.0.0.1',
        wan: '127.0.0.1',
        wan_ipv4: '127.0.0.1',
      },
      NodeMeta: { 'consul-network-segment': '' },
      ServiceKind: '',
      ServiceID: 'web-2',
      ServiceName: 'web',
      ServiceTags: ['v2'],
      ServiceAddress: '10.9.0.1',
      ServiceTaggedAddresses: {
        lan_ipv4: { Address: '10.9.0.1', Port: 80 },
        wan_ipv4: { Address: '10.9.0.1', Port: 80 },
      },
      ServiceWeights: { Passing: 1, Warning: 1 },
      ServiceMeta: {},
      ServicePort: 80,
      ServiceSocketPath: '',
      ServiceEnableTagOverride: false,
      ServiceProxy: { MeshGateway: {}, Expose: {} },
      ServiceConnect: {},
      ServiceLocality: null,
      CreateIndex: 3,
      ModifyIndex: 3,
    },
  ])
})

t.test('lists by node, state and service', async (t) => {
  const api = await filled(t)
  const checkIds = async (path: string): Promise<string[]> =>
    (await api.json<{ CheckID: string }[]>(path)).map(({ CheckID }) => CheckID)
  t.strictSame(await api.json('catalog/services'), {
    consul: [],
    db: ['main'],
    web: ['B', 'v1', 'v2'],
  })
  t.strictSame(await api.json('catalog/services?node-meta=zone:a'), { db: ['main'] })
  t.match(await api.json('catalog/nodes'), [{ Node: 'ext' }, { Node: 'n1' }])
  t.match(await api.json('catalog/nodes?node-meta=zone:a'), [{ Node: 'ext' }])
  t.match(await api.json('catalog/node-services/EXT'), {
    Node: { Node: 'ext' },
    Services: [{ ID: 'db' }],
  })
  const byId = await api.json('catalog/node/11111111-2222-3333-4444-555555555555')
  t.match(byId, { Node: { Node: 'n1' }, Services: { 'web-1': {}, 'web-2': {} } })
  t.strictSame(await checkIds('health/node/n1'), ['serfHealth', 'service:web-1', 'service:web-2'])
  t.strictSame(await checkIds('health/checks/web'), ['service:web-1', 'service:web-2'])
  t.strictSame(await checkIds('health/checks/web?node-meta=zone:a'), [])
  t.strictSame(await checkIds('health/state/warning'), ['service:web-2'])
  t.strictSame(await checkIds('health/state/any?node-meta=zone:a'), ['ping'])
  t.equal((await checkIds('health/state/any')).length, 4)
})

const empties: readonly (readonly [string, string])[] = [
  ['health/service/nope', '[]'],
  ['health/checks/nope', '[]'],
  ['health/node/nope', '[]'],
  ['health/state/bogus', '[]'],
  ['catalog/service/nope', '[]'],
  ['catalog/services?node-meta=no:such', '{}'],
  ['catalog/node/nope', 'null'],
  ['catalog/node-services/nope', '{"Node":null,"Services":null}'],
  ['agent/services', '{}'],
  ['agent/checks', '{}'],
  ['catalog/datacenters', '["dc1"]'],
  ['status/leader', '"127.0.0.1:8300"'],
  ['status/peers', '["127.0.0.1:8300"]'],
]

t.test('what is not there is an empty list or null, never an error', async (t) => {
  const api = new TestApi(t)
  for (const [path, body] of empties) {
    const reply = await api.get(path)
    t.strictSame([reply.status, reply.body], [200, body], path)
    t.equal(reply.headers['content-type'], 'application/json', path)
  }
})

t.test('catalog reads carry Consul’s headers, others do not', async (t) => {
  const api = new TestApi(t)
  api.backend.contactMs = 42
  const cases: readonly (readonly [string, string, string])[] = [
    ['catalog/services', 'leader', '0'],
    ['catalog/services?consistent', 'consistent', '0'],
    ['health/service/nope?stale', 'stale', '42'],
    ['health/service/nope?max_stale=5s', 'stale', '42'],
  ]
  for (const [path, consistency, contact] of cases) {
    const { headers } = await api.get(path)
    t.equal(headers['x-consul-index'], '1', 'never 0')
    t.equal(headers['x-consul-knownleader'], 'true')
    t.equal(String(headers['x-consul-lastcontact']), contact, path)
    t.equal(headers['x-consul-effective-consistency'], consistency, path)
  }
  for (const path of ['agent/services', 'agent/self', 'status/leader']) {
    t.equal((await api.get(path)).headers['x-consul-index'], undefined, path)
  }
})

t.test('without a leader only stale reads are answered', async (t) => {
  const api = await filled(t)
  api.backend.leaderAddress = ''
  for (const path of ['health/service/web', 'catalog/nodes?consistent']) {
    const reply = await api.get(path)
    t.strictSame([reply.status, reply.body], [500, svcdError('no-leader', {}).message], path)
  }
  const stale = await api.get('health/service/web?stale')
  t.equal(stale.status, 200)
  t.equal(stale.headers['x-consul-knownleader'], 'false')
  t.equal((await api.get('status/leader')).body, '""')
})

t.test('a read that needs a leader waits for the election to end', async (t) => {
  const api = new TestApi(t, { leaderWaitMs: 5000 })
  api.backend.leaderAddress = ''
  const reply = api.get('catalog/nodes')
  await api.get('status/leader')
  api.backend.leaderAddress = '127.0.0.1:8300'
  t.equal((await reply).status, 200)
})

t.test('the agent says who it is', async (t) => {
  const api = await filled(t)
  t.match(await api.json('agent/self'), {
    Config: {
      Datacenter: 'dc1',
      NodeName: 'n1',
      NodeID: '11111111-2222-3333-4444-555555555555',
      Server: true,
      Version: /^1\.\d+\.\d+$/,
      SvcdVersion: '0.1.0',
    },
    DebugConfig: { DNSPort: 8600, DNSDomain: 'consul.' },
    Member: { Name: 'n1', Addr: '127.0.0.1', Status: 1, Tags: { role: 'consul', dc: 'dc1' } },
    Stats: { agent: { services: '2', checks: '2' }, consul: { leader: 'true' } },
  })
  t.match(await api.json('agent/members'), [{ Name: 'n1', Status: 1, Tags: { port: '8300' } }])
})

t.test('the health of an agent’s service is one HTTP status', async (t) => {
  const api = await filled(t)
  const id = 'agent/health/service/id/'
  const name = 'agent/health/service/name/'
  const states = async (): Promise<unknown> =>
    Promise.all(
      [`${id}web-1`, `${id}web-2`, `${name}web`].map(async (path) => {
        const { status, body, headers } = await api.get(`${path}?format=text`)
        return [status, body, headers['x-consul-reason']]
      }),
    )
  const passing = [200, 'passing', 'passing']
  const warning = [429, 'warning', 'warning']
  const critical = [503, 'critical', 'critical']
  const maintenance = [503, 'maintenance', 'maintenance']
  t.strictSame(await states(), [passing, warning, warning])
  await api.put('agent/check/fail/service:web-2')
  t.strictSame(await states(), [passing, critical, critical])
  await api.put('agent/service/maintenance/web-1?enable=true&reason=upgrade')
  t.strictSame(await states(), [maintenance, critical, maintenance])
  await api.put('agent/service/maintenance/web-1?enable=false')
  await api.put('agent/maintenance?enable=true')
  t.strictSame(await states(), [maintenance, maintenance, maintenance])
  const json = await api.get(`${id}web-1`)
  t.match(JSON.parse(json.body), {
    AggregatedStatus: 'maintenance',
    Service: { ID: 'web-1' },
    Checks: [
      { CheckID: '_node_maintenance', Notes: /no reason was/ },
      { CheckID: 'service:web-1' },
    ],
  })
  t.equal((JSON.parse((await api.get(`${name}web`)).body) as unknown[]).length, 2)
  for (const [path, body] of [
    [`${id}zz`, '{"AggregatedStatus":"critical","Service":null,"Checks":null}'],
    [`${name}zü%20x`, '[]'],
  ]) {
    const reply = await api.get(path ?? '')
    t.strictSame([reply.status, reply.body], [404, body])
  }
})

t.test('maintenance takes a service out of passing and leaves it listed', async (t) => {
  const api = await filled(t)
  const all = async (query: string): Promise<string[]> =>
    ids(await api.json(`health/service/web${query}`))
  t.equal((await api.put('agent/service/maintenance/web-1?enable=true&reason=a')).status, 200)
  t.strictSame([await all('?passing'), await all('')], [[], ['web-1', 'web-2']])
  t.match(await api.json('agent/checks'), {
    '_service_maintenance:web-1': {
      Name: 'Service Maintenance Mode',
      Status: 'critical',
      Notes: 'a',
      Type: 'maintenance',
      ServiceID: 'web-1',
    },
  })
  for (const _ of ['once', 'again']) {
    t.equal((await api.put('agent/service/maintenance/web-1?enable=0')).status, 200)
    t.strictSame(await all('?passing'), ['web-1'])
  }
  const refusals: readonly (readonly [string, number, RegExp])[] = [
    ['agent/service/maintenance/web-1', 400, /^Missing value for enable$/],
    ['agent/service/maintenance/web-1?enable=maybe', 400, /^Invalid value for enable: "maybe"/],
    ['agent/service/maintenance/zz?enable=true', 404, /^Unknown service ID "zz"/],
    ['agent/service/maintenance/?enable=true', 400, /^Missing service ID$/],
    ['agent/maintenance', 400, /^Missing value for enable$/],
  ]
  for (const [path, status, text] of refusals) {
    const reply = await api.put(path)
    t.equal(reply.status, status, path)
    t.match(reply.body, text, path)
  }
})
