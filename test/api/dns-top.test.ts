import t from 'tap'
import type { DnsTop, DnsTopRow } from '../../src/client/rows.ts'
import { fixedDns } from '../helpers/fixed-dns.ts'
import { TestTokens } from '../helpers/test-tokens.ts'
import { TestApi } from './support.ts'

const path = 'agent/dns/top'
const names = (rows: readonly DnsTopRow[]): readonly string[] => rows.map(({ Name }) => Name)

t.test('the traffic of DNS is read over HTTP', async (t) => {
  const api = new TestApi(t, { dns: fixedDns })
  const top = await api.json<DnsTop>(path)
  t.match(top, {
    Seconds: 10,
    PerSecond: 12.346,
    CachedShare: 0.9,
    Transports: [
      { Transport: 'udp', PerSecond: 12, P50Ms: 0.025, P99Ms: 0.1 },
      { Transport: 'tcp', PerSecond: 0.346, P50Ms: null, P99Ms: null },
    ],
    Rcodes: { NOERROR: 12, NXDOMAIN: 0.346 },
    Types: { A: 12.346 },
    Missing: [{ Name: 'gone.service.consul.', PerSecond: 0.346 }],
    Clients: [{ Name: '10.0.0.9', PerSecond: 12.346 }],
  })
  t.equal(top.Names.length, 4)
})

t.test('without DNS there is no traffic', async (t) => {
  const api = new TestApi(t)
  t.match(await api.get(path), { status: 404, body: /DNS is off on this agent/ })
})

t.test('a token sees the names of what it may read', async (t) => {
  const agent = 'agent_prefix "" { policy = "read" }'
  const tokens = new TestTokens()
    .set('agent', agent)
    .set('web', agent, 'service "web" { policy = "read" }')
    .set('node', agent, 'node_prefix "" { policy = "read" }')
    .set('all', agent, 'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" }')
    .set('other', 'service_prefix "" { policy = "read" }')
  const api = new TestApi(t, { dns: fixedDns, tokens })
  const seen = async (token: string): Promise<readonly [readonly string[], readonly string[]]> => {
    const reply = await api.ask('GET', `/v1/${path}`, undefined, { 'X-Consul-Token': token })
    const top = JSON.parse(reply.body) as DnsTop
    return [names(top.Names), names(top.Missing)]
  }
  const outside = 'www.example.org.'
  t.strictSame(await seen('agent'), [[outside], []])
  t.strictSame(await seen('web'), [['web.service.consul.', outside], []])
  t.strictSame(await seen('node'), [['n1.node.consul.', '1.0.0.10.in-addr.arpa.', outside], []])
  const [all, missing] = await seen('all')
  t.equal(all.length, 4)
  t.strictSame(missing, ['gone.service.consul.'])
  const refused = await api.ask('GET', `/v1/${path}`, undefined, { 'X-Consul-Token': 'other' })
  t.match(refused, { status: 403, body: /agent:read/ })
  const filtered = await api.ask('GET', `/v1/${path}`, undefined, { 'X-Consul-Token': 'agent' })
  t.equal(filtered.headers['x-consul-results-filtered-by-acls'], 'true')
})

t.test(
  'all spellings of a service must be readable, because DNS does not tell them apart',
  async (t) => {
    const allowed = [
      'agent_prefix "" { policy = "read" }',
      'node_prefix "" { policy = "read" }',
      'service_prefix "" { policy = "read" } service "WEB" { policy = "deny" }',
    ]
    const tokens = new TestTokens().set('web', ...allowed)
    const api = new TestApi(t, { dns: fixedDns, tokens })
    const root = { 'X-Consul-Token': 'root' }
    const web = { 'X-Consul-Token': 'web' }
    const seen = async (): Promise<readonly string[]> =>
      names(
        (JSON.parse((await api.ask('GET', `/v1/${path}`, undefined, web)).body) as DnsTop).Names,
      )
    t.ok((await seen()).includes('web.service.consul.'))
    const registered = await api.ask('PUT', '/v1/agent/service/register', { Name: 'WEB' }, root)
    t.equal(registered.status, 200)
    t.notOk((await seen()).includes('web.service.consul.'))
  },
)
