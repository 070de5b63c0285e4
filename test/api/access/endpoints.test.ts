import t from 'tap'
import { endpoints } from '../../../src/api/endpoints/families.ts'
import { must } from '../../../src/base/assert.ts'
import { methodsOf } from '../../../src/http/endpoint.ts'
import { permissionsOf } from '../../../src/http/permissions.ts'
import { TestTokens } from '../../helpers/test-tokens.ts'
import type { Reply } from '../support.ts'
import { secretIntention, seeded } from './seeded.ts'
import type { Seeded } from './seeded.ts'

/** What a request must bring so that only its rights are missing. */
function requestOf(method: string, path: string, { session, query, intention }: Seeded) {
  const name = /\{(\w+)\}/.exec(path)?.[1] ?? ''
  const values: Record<string, string> = {
    service: 'secret',
    node: 'db1',
    key: 'app/secret',
    prefix: 'app/',
    session,
    query: path.endsWith('}/execute') ? 'secret-query' : query,
    state: 'any',
    service_id: 'web',
    check_id: 'disk',
    name: 'secret-event',
    address: '127.0.0.1',
    gateway: 'secret',
    intention,
    profile: 'heap',
  }
  const bodies: Record<string, unknown> = {
    '/v1/catalog/register': { Node: 'db2', Address: '10.0.0.2' },
    '/v1/catalog/deregister': { Node: 'db1' },
    '/v1/agent/service/register': { Name: 'web' },
    '/v1/agent/check/register': { Name: 'disk', TTL: '60s' },
    '/v1/agent/check/update/{check_id}': { Status: 'passing' },
    '/v1/session/create': { Node: 'db1' },
    '/v1/connect/intentions': secretIntention,
    '/v1/connect/intentions/exact': { Action: 'allow' },
    '/v1/connect/intentions/{intention}': secretIntention,
    '/v1/query': { Name: 'q', Service: { Service: 'secret' } },
    '/v1/query/{query}': { Name: 'q', Service: { Service: 'secret' } },
    '/v1/txn': [{ KV: { Verb: 'set', Key: 'app/secret', Value: '' } }],
  }
  const url = path
    .replace('{query}/execute', 'secret-query/execute')
    .replace('{query}/explain', 'secret-query/explain')
    .replace(/\{\w+\}/, values[name] ?? 'x')
  const searches: Record<string, string> = {
    match: '?by=destination&name=secret',
    check: '?source=a&destination=secret',
    exact: '?source=a&destination=secret',
    maintenance: '?enable=true',
  }
  const [last = ''] = /\w+$/.exec(path.replace(/\/\{\w+\}$/, '')) ?? []
  const search = searches[last] ?? ''
  return { url: url + search, body: method === 'GET' ? undefined : bodies[path] }
}

const secrets = /hush|db1|"secret|secret-event|secret-query|10\.0\.0\.1/

// CVE-2020-7955
t.test('a token without rights gets nothing from any endpoint that names rights', async (t) => {
  const { ask, ids } = await seeded(t, new TestTokens().set('none', ''))
  for (const row of endpoints) {
    const needs = row.permission
    if ('none' in needs) continue
    // Streams: their first event is the answer, and they stay open.
    if (row.path.startsWith('/v1/watch/') && 'filteredBy' in needs) continue
    for (const method of methodsOf(row)) {
      const name = `${method} ${row.path}`
      const { url, body } = requestOf(method, row.path, ids)
      const reply = await ask('none', method, url, body)
      t.notMatch(reply.body.replace(/on ".*?"|"Service":"secret"/, ''), secrets, name)
      if ('filteredBy' in needs) continue
      if (row.path === '/v1/txn') {
        t.equal(reply.status, 409, name)
        t.match(reply.body, 'lacks permission')
        continue
      }
      t.equal(reply.status, 403, `${name}: ${reply.body}`)
      t.match(
        reply.body,
        /^Permission denied: token with AccessorID 'accessor-of-none' lacks permission '\w+:\w+'/,
      )
      t.match(reply.headers, {
        'content-type': 'text/plain; charset=utf-8',
        'x-content-type-options': 'nosniff',
      })
    }
  }
})

t.test('an unknown token gets nothing, also where rows would be left out', async (t) => {
  const { ask, ids } = await seeded(t, new TestTokens('allow'))
  for (const row of endpoints) {
    if (permissionsOf(row.permission).length === 0) continue
    const [method] = methodsOf(row)
    const { url, body } = requestOf(must(method), row.path, ids)
    const reply = await ask('wrong', must(method), url, body)
    t.strictSame([reply.status, reply.body.slice(0, 13)], [403, 'ACL not found'], row.path)
  }
})

t.test('a list has what the token may read, and says that something was left out', async (t) => {
  const tokens = new TestTokens().set(
    'web',
    'service "web" { policy = "read" } node_prefix "n" { policy = "read" } key_prefix "app/w" { policy = "read" }',
  )
  const { api, ask } = await seeded(t, tokens)
  await ask('root', 'PUT', '/v1/kv/app/web', 'x')
  const nodeName = api.backend.identity.nodeName
  tokens.set(
    'web',
    `service "web" { policy = "read" } node "${nodeName}" { policy = "read" } key_prefix "app/w" { policy = "read" }`,
  )
  const read = async (path: string) => {
    const { body, headers } = await ask('web', 'GET', path)
    return [JSON.parse(body) as unknown, headers['x-consul-results-filtered-by-acls']] as const
  }
  t.strictSame(await read('/v1/catalog/services'), [{ web: [] }, 'true'])
  t.strictSame(await read('/v1/kv/?keys'), [['app/web'], 'true'])
  t.strictSame((await read('/v1/health/service/web'))[1], undefined, 'all of it was shown')
  const again = await read('/v1/catalog/services')
  t.equal(again[1], 'true', 'also from the cache')
  const byDefault = await ask('', 'GET', '/v1/catalog/services')
  t.strictSame(byDefault.body, '{}')
  t.notOk(byDefault.headers['x-consul-results-filtered-by-acls'], 'nothing for who has no token')
  t.equal(byDefault.headers['x-consul-default-acl-policy'], 'deny')
})

t.test('a name that stands for several is shown if the token may read one of them', async (t) => {
  const tokens = new TestTokens()
  const { ask } = await seeded(t, tokens)
  const node = { Node: 'db1', Address: '10.0.0.1' }
  await ask('root', 'PUT', '/v1/catalog/register', { ...node, Service: { Service: 'SECRET' } })
  tokens.set('one', 'service "secret" { policy = "read" } node_prefix "" { policy = "read" }')
  const summary = JSON.parse((await ask('one', 'GET', '/v1/health/summary')).body) as {
    Name: string
    Passing: number
  }[]
  t.strictSame(
    summary.map(({ Name, Passing }) => [Name, Passing]),
    [['secret', 1]],
    'not SECRET, which stands first',
  )
  const cut = async (rules: string) => {
    tokens.set('keys', rules)
    return (await ask('keys', 'GET', '/v1/kv/?keys&separator=/')).body
  }
  t.equal(await cut('key "app/secret" { policy = "read" }'), '["app/"]')
  const all = 'key_prefix "" { policy = "read" }'
  t.equal(await cut(all), '["app/"]')
  t.equal(await cut(`${all} key "app/secret" { policy = "deny" }`), '[]')
  await ask('root', 'PUT', '/v1/kv/app/a', 'x')
  t.equal(await cut(`${all} key "app/secret" { policy = "deny" }`), '["app/"]')
})

t.test('a hidden service cannot be told apart from one that does not exist', async (t) => {
  const { ask } = await seeded(t, new TestTokens().set('none', ''))
  for (const path of ['health/service', 'catalog/service', 'health/checks', 'catalog/node']) {
    const [hidden, missing] = await Promise.all(
      ['secret', 'missing'].map((name) =>
        ask(
          'none',
          'GET',
          `/v1/${path}/${path.endsWith('node') && name === 'secret' ? 'db1' : name}`,
        ),
      ),
    )
    const shown = ({ body, headers, status }: Reply) => [
      status,
      body,
      headers['x-consul-index'],
      headers['x-consul-results-filtered-by-acls'],
    ]
    t.strictSame(shown(must(hidden)), shown(must(missing)), path)
  }
})

t.test('a token is taken from ?token=, then X-Consul-Token, then Authorization', async (t) => {
  const { api } = await seeded(t, new TestTokens())
  const statusOf = async (query: string, headers: Record<string, string>) =>
    (await api.ask('GET', `/v1/kv/app/secret${query}`, undefined, headers)).status
  t.equal(await statusOf('', {}), 403)
  t.equal(await statusOf('?token=root', { 'x-consul-token': 'wrong' }), 200)
  t.equal(await statusOf('?token=', { 'x-consul-token': 'root' }), 200)
  t.equal(await statusOf('', { 'x-consul-token': 'root', authorization: 'Bearer wrong' }), 200)
  t.equal(await statusOf('', { authorization: 'bearer root' }), 200)
  t.equal(await statusOf('', { authorization: 'Basic root' }), 403)
})

t.test(
  'a waiting read is refused when its token goes, and gets the rights that it has by then',
  async (t) => {
    const tokens = new TestTokens().set('a', 'key "app/secret" { policy = "read" }')
    const { api, ask } = await seeded(t, tokens)
    const changes = [() => tokens.set('a', ''), () => tokens.delete('a')]
    for (const [at, change] of changes.entries()) {
      tokens.set('a', 'key "app/secret" { policy = "read" }')
      const { headers } = await ask('a', 'GET', '/v1/kv/app/secret')
      const before = api.backend.waiting
      const waiting = ask(
        'a',
        'GET',
        `/v1/kv/app/secret?wait=20s&index=${String(headers['x-consul-index'])}`,
      )
      while (api.backend.waiting === before) await new Promise((go) => setImmediate(go))
      change()
      await ask('root', 'PUT', '/v1/kv/app/secret', `new ${at}`)
      const reply = await waiting
      t.equal(reply.status, 403)
      t.notMatch(reply.body, 'new')
    }
  },
)

t.test('writes need what Consul asks for', async (t) => {
  const tokens = new TestTokens()
  const { api, ask } = await seeded(t, tokens)
  const own = api.backend.identity.nodeName
  const register = (extra: object) => ({ Node: 'db1', Address: '10.0.0.1', ...extra })
  const put = (path: string, body: unknown) => ['PUT', `/v1/${path}`, body] as const
  const serviceWrite = (name: string) => `service "${name}" { policy = "write" }`
  const nodeWrite = (name: string) => `node "${name}" { policy = "write" }`
  const cases = [
    [
      'a service on a node that stays as it is',
      serviceWrite('api'),
      put('catalog/register', register({ Service: { Service: 'api' } })),
      200,
    ],
    [
      'a service on a node that changes',
      serviceWrite('api'),
      put('catalog/register', {
        ...register({ Service: { Service: 'api' } }),
        Address: '10.0.0.9',
      }),
      403,
    ],
    [
      'the ID of another service',
      serviceWrite('api'),
      put('catalog/register', register({ Service: { ID: 'secret', Service: 'api' } })),
      403,
    ],
    [
      'a proxy for another service',
      serviceWrite('api'),
      put(
        'catalog/register',
        register({
          Service: {
            Service: 'api',
            Kind: 'connect-proxy',
            Proxy: { DestinationServiceName: 'secret' },
          },
        }),
      ),
      403,
    ],
    [
      'a check of the node',
      serviceWrite('secret'),
      put('catalog/register', register({ Check: { Name: 'x', Status: 'critical' } })),
      403,
    ],
    [
      'a check of a service',
      serviceWrite('secret'),
      put(
        'catalog/register',
        register({
          SkipNodeUpdate: true,
          Check: { Name: 'y', Status: 'critical', ServiceID: 'secret' },
        }),
      ),
      200,
    ],
    [
      'the check of another service under the ID of an own one',
      serviceWrite('api'),
      put(
        'catalog/register',
        register({
          Check: { CheckID: 'ping', Name: 'ping', Status: 'critical', ServiceID: 'api' },
        }),
      ),
      403,
    ],
    [
      'a deregistration by service:write',
      serviceWrite('api'),
      put('catalog/deregister', { Node: 'db1', ServiceID: 'secret' }),
      403,
    ],
    ['a check over the agent', nodeWrite(own), put('agent/check/pass/service:web', undefined), 403],
    [
      'a check of the node over the agent',
      nodeWrite(own),
      put('agent/check/pass/disk', undefined),
      200,
    ],
    [
      'a service over the agent that replaces another',
      serviceWrite('api'),
      put('agent/service/register', { ID: 'web', Name: 'api' }),
      403,
    ],
    [
      'an embedded check that replaces another',
      serviceWrite('api'),
      put('agent/service/register', { Name: 'api', Check: { CheckID: 'disk', TTL: '9s' } }),
      403,
    ],
    [
      'recursive deletion with a narrower rule',
      'key_prefix "app/" { policy = "write" } key "app/secret" { policy = "read" }',
      ['DELETE', '/v1/kv/app/?recurse', undefined] as const,
      403,
    ],
    [
      'a transaction with one forbidden operation',
      'key "a" { policy = "write" }',
      put('txn', [{ KV: { Verb: 'set', Key: 'a' } }, { KV: { Verb: 'delete', Key: 'b' } }]),
      409,
    ],
    [
      'a transaction that registers a proxy for another service',
      serviceWrite('api'),
      put('txn', [
        {
          Service: {
            Verb: 'set',
            Node: 'db1',
            Service: { Service: 'api', Proxy: { DestinationServiceName: 'secret' } },
          },
        },
      ]),
      409,
    ],
  ] as const
  for (const [name, rules, [method, path, body], status] of cases) {
    tokens.set('w', rules)
    const reply = await ask('w', method, path, body)
    t.equal(reply.status, status, `${name}: ${reply.body}`)
  }
  const { status } = await ask('root', 'GET', '/v1/kv/a')
  t.equal(status, 404, 'nothing of a refused transaction was done')
})

t.test('a transaction does not tell what exists to a token that may not read it', async (t) => {
  const rules = 'node "mine" { policy = "write" } key_prefix "" { policy = "write" }'
  const { ask } = await seeded(t, new TestTokens().set('r', rules))
  await ask('root', 'PUT', '/v1/catalog/register', { Node: 'mine', Address: '10.0.0.9' })
  const get = {
    node: (name: string) => ({ Node: { Verb: 'get', Node: { Node: name } } }),
    service: (ID: string) => ({ Service: { Verb: 'get', Node: 'db1', Service: { ID } } }),
    check: (CheckID: string) => ({ Check: { Verb: 'get', Check: { Node: 'db1', CheckID } } }),
  }
  const pairs = [
    ['db1', 'none', get.node],
    ['DB1', 'NONE', get.node],
    ['secret', 'none', get.service],
    ['ping', 'none', get.check],
  ] as const
  const write = { KV: { Verb: 'set', Key: 'k', Value: '' } }
  for (const more of [[], [write]]) {
    for (const [there, missing, op] of pairs) {
      const [hidden, none] = await Promise.all(
        [there, missing].map((name) => ask('r', 'PUT', '/v1/txn', [op(name), ...more])),
      )
      t.equal(hidden?.status, 409, there)
      t.equal(hidden?.body.replaceAll(there, missing), none?.body)
    }
    const own = await ask('r', 'PUT', '/v1/txn', [get.node('mine'), ...more])
    t.match(own, { status: 200, body: /"Node":"mine"/ })
  }
})

t.test('a query whose token is gone says so, and is no unknown token of its client', async (t) => {
  const tokens = new TestTokens('allow').set('short-lived', '')
  const { ask } = await seeded(t, tokens)
  await ask('root', 'POST', '/v1/query', {
    Name: 'orphan',
    Token: 'short-lived',
    Service: { Service: 'secret' },
  })
  t.equal((await ask('', 'GET', '/v1/query/orphan/execute')).status, 200)
  tokens.delete('short-lived')
  const replies = await Promise.all(
    Array.from({ length: 600 }, () => ask('', 'GET', '/v1/query/orphan/execute')),
  )
  for (const { status } of replies) if (status !== 403) t.fail(`status ${status}`)
  t.match(
    replies[0]?.body,
    /^ACL not found: the token of the prepared query "orphan" does not exist/,
  )
})

t.test('the secret of a query is shown to managers only, and the query acts by it', async (t) => {
  const tokens = new TestTokens().set(
    'reader',
    'query_prefix "" { policy = "read" } service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }',
  )
  const { ask } = await seeded(
    t,
    tokens.set('weak', '').set('q', 'query_prefix "" { policy = "read" }'),
  )
  const made = await ask('root', 'POST', '/v1/query', {
    Name: 'with-token',
    Token: 'reader',
    Service: { Service: 'secret' },
  })
  const { ID } = JSON.parse(made.body) as { ID: string }
  for (const path of [`/v1/query/${ID}`, '/v1/query', '/v1/query/with-token/explain']) {
    t.match((await ask('q', 'GET', path)).body, '"Token":"<hidden>"', path)
    t.match((await ask('root', 'GET', path)).body, '"Token":"reader"', path)
  }
  const count = ({ body }: Reply): number => (JSON.parse(body) as { Nodes: unknown[] }).Nodes.length
  t.equal(count(await ask('weak', 'GET', '/v1/query/with-token/execute')), 1)
  t.equal(count(await ask('weak', 'GET', '/v1/query/secret-query/execute')), 0)
  t.equal(count(await ask('reader', 'GET', '/v1/query/secret-query/execute')), 1)
})

t.test('without access control no endpoint asks for a token', async (t) => {
  const { ask } = await seeded(t, new TestTokens('deny', false))
  const reply = await ask('wrong', 'GET', '/v1/kv/app/secret')
  t.equal(reply.status, 200)
  t.equal(reply.headers['x-consul-default-acl-policy'], 'allow')
})
