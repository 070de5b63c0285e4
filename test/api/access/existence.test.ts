import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../../src/base/assert.ts'
import { TestTokens } from '../../helpers/test-tokens.ts'
import { TestApi } from '../support.ts'
import type { Reply } from '../support.ts'

const node = { Node: 'db1', Address: '10.0.0.1', NodeMeta: { rack: 'r7' } }

async function seeded(t: Test, rules: string) {
  const tokens = new TestTokens().set('a', rules)
  const api = new TestApi(t, { tokens })
  const ask = (secret: string, method: 'GET' | 'PUT', path: string, body?: unknown) =>
    api.ask(method, `/v1/${path}`, body, { 'x-consul-token': secret })
  await ask('root', 'PUT', 'catalog/register', {
    ...node,
    Service: { Service: 'secret' },
    Check: { CheckID: 'ping', Name: 'ping', Status: 'passing', ServiceID: 'secret' },
  })
  await ask('root', 'PUT', 'kv/app/secret', 'hush')
  // So that the index of the store is not that of the key.
  await ask('root', 'PUT', 'kv/other', 'x')
  return { api, ask, tokens }
}

/** All that a client sees of an answer. */
function shown({ status, body, headers }: Reply) {
  return [
    status,
    body,
    headers['x-consul-index'],
    headers['x-consul-results-filtered-by-acls'],
  ] as const
}

t.test('a prefix whose keys are all hidden is as one without keys', async (t) => {
  const { ask } = await seeded(t, 'key_prefix "other" { policy = "read" }')
  for (const search of ['?recurse', '?keys', '?keys&separator=/', '?recurse&index=3&wait=10ms']) {
    const [hidden, missing] = await Promise.all(
      ['app/secret', 'app/missing'].map((key) => ask('a', 'GET', `kv/${key}${search}`)),
    )
    t.strictSame(shown(must(hidden)), shown(must(missing)), search)
    t.equal(must(hidden).status, 404)
  }
  const tree = await ask('a', 'GET', 'kv/?keys')
  t.strictSame(JSON.parse(tree.body), ['other'], 'of a prefix with a key that may be read')
})

t.test('a separator does not show the beginning of a hidden key', async (t) => {
  const { ask } = await seeded(
    t,
    'key_prefix "" { policy = "read" } key "app/secret" { policy = "deny" }',
  )
  const keys = async (search: string) => {
    const { body } = await ask('a', 'GET', `kv/?keys&separator=${search}`)
    return JSON.parse(body) as unknown
  }
  for (const separator of ['/', 'e', 'r', 'secre']) {
    t.strictSame(await keys(separator), [separator === 'e' ? 'othe' : 'other'], separator)
  }
  await ask('root', 'PUT', 'kv/app/open/1', 'x')
  await ask('root', 'PUT', 'kv/app/open/2', 'x')
  t.strictSame(await keys('/'), ['app/', 'other'])
})

t.test('a folder is listed if a key in it may be read', async (t) => {
  const { ask } = await seeded(t, 'key "app/secret" { policy = "read" }')
  const { body } = await ask('a', 'GET', 'kv/?keys&separator=/')
  t.strictSame(JSON.parse(body), ['app/'])
})

t.test('a filter of services does not compare what is of hidden nodes', async (t) => {
  const { ask, tokens } = await seeded(t, 'service_prefix "" { policy = "read" }')
  const searches = ['filter=Address=="10.0.0.1"', 'filter=NodeMeta.rack=="r7"', 'node-meta=rack:r7']
  const services = async (search: string) => {
    const { body } = await ask('a', 'GET', `catalog/services?${encodeURI(search)}`)
    return Object.keys(JSON.parse(body) as object)
  }
  for (const search of searches) t.strictSame(await services(search), [], search)
  t.ok((await services('')).includes('secret'), 'without a filter, services need no right to nodes')
  tokens.set('a', 'service_prefix "" { policy = "read" } node "db1" { policy = "read" }')
  for (const search of searches) t.strictSame(await services(search), ['secret'], search)
})

t.test(
  'a transaction answers for hidden nodes, services and checks as for missing ones',
  async (t) => {
    const { ask } = await seeded(t, 'key_prefix "own" { policy = "write" }')
    const ops = (name: string) => [
      { Node: { Verb: 'get', Node: { Node: name === 'hidden' ? 'db1' : 'db2' } } },
      {
        Service: { Verb: 'get', Node: 'db1', Service: { ID: name === 'hidden' ? 'secret' : 'no' } },
      },
      {
        Check: { Verb: 'get', Check: { Node: 'db1', CheckID: name === 'hidden' ? 'ping' : 'no' } },
      },
    ]
    const write = { KV: { Verb: 'set', Key: 'own', Value: '' } }
    for (const [at, name] of ['node', 'service', 'check'].entries()) {
      for (const more of [[], [write]]) {
        const [hidden, missing] = await Promise.all(
          ['hidden', 'missing'].map((each) =>
            ask('a', 'PUT', 'txn', [...more, must(ops(each)[at])]),
          ),
        )
        const text = ({ status, body }: Reply) => [
          status,
          body.replaceAll(/db1|db2/g, 'DB').replaceAll(/"(secret|ping|no)\\"/g, 'ID'),
        ]
        t.strictSame(text(must(hidden)), text(must(missing)), `${name}, ${more.length} writes`)
        t.equal(must(hidden).status, 409)
        t.notMatch(must(hidden).body, /10\.0\.0\.1|permission/)
      }
    }
  },
)

t.test('who may not lock a key does not learn whether it has a lock-delay', async (t) => {
  const { api, ask } = await seeded(t, '')
  const session = JSON.parse(
    (await ask('root', 'PUT', 'session/create', { Node: 'db1', NodeChecks: [] })).body,
  ) as { ID: string }
  await ask('root', 'PUT', `kv/app/secret?acquire=${session.ID}`)
  await ask('root', 'PUT', `session/destroy/${session.ID}`)
  api.backend.lockDelayLeftMs = 5000
  const lock = { Verb: 'lock', Key: 'app/secret', Session: session.ID }
  const { body } = await ask('a', 'PUT', 'txn', [{ KV: lock }])
  t.match(body, 'lacks permission')
  t.notMatch(body, 'delay')
})
