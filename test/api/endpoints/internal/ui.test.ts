import t from 'tap'
import { TestApi } from '../../support.ts'

// The answers are those of a real Consul 1.8.7 to the same registrations. svcd's rows of nodes have more fields, and
// empty lists and objects where Consul has null.

const registrations = [
  {
    Node: 'web-1',
    Address: '10.9.0.1',
    NodeMeta: { rack: 'a1' },
    Service: { Service: 'web', ID: 'web-1', Port: 80, Tags: ['v1', 'a'], Meta: { version: '1' } },
    Check: {
      CheckID: 'service:web-1',
      Name: 'http',
      Status: 'passing',
      Output: 'ok',
      ServiceID: 'web-1',
    },
  },
  {
    Node: 'web-2',
    Address: '10.9.0.2',
    Service: {
      Service: 'web',
      ID: 'web-2',
      Port: 80,
      Tags: ['v2'],
      Meta: { 'external-source': 'kubernetes' },
    },
    Check: {
      CheckID: 'service:web-2',
      Name: 'http',
      Status: 'critical',
      Output: '503',
      ServiceID: 'web-2',
    },
  },
  {
    Node: 'web-2',
    SkipNodeUpdate: true,
    Check: { CheckID: 'mem', Name: 'memory', Status: 'warning', Output: 'low' },
  },
  {
    Node: 'web-1',
    SkipNodeUpdate: true,
    Service: {
      Service: 'web-proxy',
      ID: 'web-proxy-1',
      Port: 8080,
      Kind: 'connect-proxy',
      Proxy: { DestinationServiceName: 'web' },
    },
  },
  { Node: 'bare', Address: '10.9.0.9' },
] as const

async function filled(api: TestApi): Promise<void> {
  for (const body of registrations) {
    const { status } = await api.put('catalog/register', body)
    if (status !== 200) throw new Error(`${status}`)
  }
}

t.test("internal/ui/services answers Consul's rows", async (t) => {
  const api = new TestApi(t)
  await filled(api)
  const rows = await api.json<readonly { readonly Name: string }[]>('internal/ui/services?dc=dc1')
  t.strictSame(
    rows.filter(({ Name }) => Name !== 'consul'),
    [
      {
        Name: 'web',
        Tags: ['a', 'v1', 'v2'],
        Nodes: ['web-1', 'web-2'],
        InstanceCount: 2,
        ChecksPassing: 1,
        ChecksWarning: 1,
        ChecksCritical: 1,
        ExternalSources: ['kubernetes'],
        GatewayConfig: {},
      },
      {
        Kind: 'connect-proxy',
        Name: 'web-proxy',
        Tags: null,
        Nodes: ['web-1'],
        InstanceCount: 1,
        ProxyFor: ['web'],
        ChecksPassing: 0,
        ChecksWarning: 0,
        ChecksCritical: 0,
        ExternalSources: null,
        GatewayConfig: {},
      },
    ],
  )
  const some = await api.json<readonly { readonly Name: string }[]>(
    'internal/ui/services?filter=ServiceTags+contains+v2',
  )
  t.match(some, [{ Name: 'web', InstanceCount: 1, ChecksCritical: 1 }])
  t.equal(some.length, 1)
})

const webOne = {
  ID: '',
  Node: 'web-1',
  Address: '10.9.0.1',
  Meta: { rack: 'a1' },
  Services: [
    {
      ID: 'web-1',
      Service: 'web',
      Tags: ['v1', 'a'],
      Address: '',
      Meta: { version: '1' },
      Port: 80,
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      Proxy: { MeshGateway: {}, Expose: {} },
      Connect: {},
    },
    {
      Kind: 'connect-proxy',
      ID: 'web-proxy-1',
      Service: 'web-proxy',
      Port: 8080,
      Proxy: { DestinationServiceName: 'web', MeshGateway: {}, Expose: {} },
    },
  ],
  Checks: [
    {
      Node: 'web-1',
      CheckID: 'service:web-1',
      Name: 'http',
      Status: 'passing',
      Notes: '',
      Output: 'ok',
      ServiceID: 'web-1',
      ServiceName: 'web',
      ServiceTags: ['v1', 'a'],
      Type: '',
      Definition: {},
    },
  ],
}

t.test("what else Consul's UI asks for is answered as without mesh and coordinates", async (t) => {
  const api = new TestApi(t)
  t.strictSame(await api.json('coordinate/nodes?dc=dc1'), [])
  const chain = await api.get('discovery-chain/web?dc=dc1')
  t.equal(chain.status, 500)
  t.match(chain.body, /Connect must be enabled in order to use this endpoint$/)
  t.equal((await api.get('coordinate/datacenters')).status, 501)
})

t.test('internal/ui/nodes and node answer nodes with their services and checks', async (t) => {
  const api = new TestApi(t)
  await filled(api)
  const nodes = await api.json<readonly { readonly Node: string }[]>('internal/ui/nodes?dc=dc1')
  t.strictSame(
    nodes.map(({ Node }) => Node),
    ['bare', 'n1', 'web-1', 'web-2'],
  )
  t.match(nodes[0], { Node: 'bare', Services: [], Checks: [] })
  t.match(nodes[2], webOne)
  t.match(await api.json('internal/ui/node/web-1?dc=dc1'), webOne)
  const none = await api.get('internal/ui/node/none')
  t.equal(none.status, 404)
  t.equal(none.body, '')
  t.equal((await api.get('internal/ui/node/')).status, 400)
})
