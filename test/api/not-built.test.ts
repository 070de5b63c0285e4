import t from 'tap'
import { TestApi } from './support.ts'

/** Every endpoint of Consul 1.8.7, and what 1.21 added, without its arguments and those that are built. */
const endpoints = [
  'GET coordinate/datacenters',
  'GET coordinate/node/n1',
  'PUT coordinate/update',
  'POST agent/connect/authorize',
  'GET agent/connect/ca/roots',
  'GET agent/connect/ca/leaf/web',
  'GET connect/ca/configuration',
  'PUT connect/ca/configuration',
  'GET connect/ca/roots',
  'GET config/service-defaults',
  'PUT config',
  'GET config/service-defaults/web',
  'DELETE config/service-defaults/web',
  'GET exported-services',
  'GET imported-services',
  'POST peering/token',
  'GET peerings',
  'GET operator/keyring',
  'GET operator/autopilot/state',
  'GET operator/usage',
  'GET internal/ui/service-topology/web',
  'GET internal/ui/gateway-services-nodes/web',
  'GET internal/federation-states',
  'GET internal/federation-state/dc1',
]

t.test('an endpoint of Consul that is not built is a 501 that names it', async (t) => {
  const api = new TestApi(t)
  for (const endpoint of endpoints) {
    const [method = 'GET', path = ''] = endpoint.split(' ')
    const { status, body } = await api.ask(method as 'GET', `/v1/${path}`)
    t.equal(status, 501, endpoint)
    const mesh = 'Connect must be enabled in order to use this endpoint, and'
    t.match(
      body,
      new RegExp(`^(?:Not implemented:|${mesh}) svcd has no .* \\(/v1/.*\\)\\. Nothing`),
    )
  }
  const roots = await api.get('agent/connect/ca/roots')
  t.match(roots.body, /^Connect must be enabled in order to use this endpoint, and svcd has no/)
  t.strictSame(api.backend.proposed, [])
})

t.test('no endpoint of Consul is taken for an unknown path', async (t) => {
  const api = new TestApi(t)
  // What Consul does not have, either; and its Enterprise version alone.
  const unknown = ['nope', 'kvs', 'session', 'session/nope', 'event', 'txn/x', 'operator/license']
  for (const path of unknown) {
    const { status, body } = await api.get(path)
    t.strictSame([status, body.slice(0, 16)], [404, 'Invalid URL path'], path)
  }
})

t.test('ACLs are off, in Consul’s words', async (t) => {
  const api = new TestApi(t)
  for (const endpoint of [
    'PUT acl/bootstrap',
    'GET acl/tokens',
    'PUT acl/token',
    'GET acl/token/self',
    'GET acl/policies',
    'POST acl/login',
    'GET acl/replication',
    'PUT agent/token/default',
    'POST internal/acl/authorize',
  ]) {
    const [method = 'GET', path = ''] = endpoint.split(' ')
    const { status, body } = await api.ask(method as 'GET', `/v1/${path}`)
    t.strictSame([status, body], [401, 'ACL support disabled'], endpoint)
  }
})

// As the programs send it.
const requests: Readonly<Record<string, readonly (readonly [string, string, string?])[]>> = {
  'consul rtt -wan': [['GET', 'coordinate/datacenters']],
  'consul keyring': [['GET', 'operator/keyring']],
}

for (const [client, asked] of Object.entries(requests)) {
  t.test(`${client} fails, and is not told that there is no such thing`, async (t) => {
    const api = new TestApi(t)
    for (const [method, path, body] of asked) {
      const reply = await api.ask(method as 'GET', `/v1/${path}`, body)
      t.equal(reply.status, 501, `${method} ${path}`)
    }
    t.strictSame(api.backend.proposed, [])
  })
}

t.test('the first request for what is not built is logged, once for each feature', async (t) => {
  const api = new TestApi(t)
  for (const path of ['config/a', 'config/b', 'config', 'coordinate/update']) await api.get(path)
  t.strictSame(api.warnings, [
    'a client requested a feature that svcd does not have: configuration entries',
    'a client requested a feature that svcd does not have: network coordinates',
  ])
})
