import t from 'tap'
import type { Test } from 'tap'
import { TestTokens } from '../../helpers/test-tokens.ts'
import { TestApi } from '../support.ts'

// Writes that would change what belongs to others.

async function seeded(t: Test, rules: string) {
  const tokens = new TestTokens().set('a', rules)
  const api = new TestApi(t, { tokens })
  const ask = (secret: string, method: 'GET' | 'PUT', path: string, body?: unknown) =>
    api.ask(method, `/v1/${path}`, body, { 'x-consul-token': secret })
  await ask('root', 'PUT', 'catalog/register', { Node: 'db1', Address: '10.0.0.1' })
  return { ask, own: api.backend.identity, tokens }
}

t.test('another spelling of a name does not get around the rule of a node', async (t) => {
  const all = ['node', 'session'].map(
    (word) => `${word}_prefix "" { policy = "write" } ${word} "db1" { policy = "read" }`,
  )
  const { ask } = await seeded(t, all.join(' '))
  const address = { Node: 'DB1', Address: '10.6.6.6' }
  const writes = [
    ['txn', [{ Node: { Verb: 'set', Node: address } }], 409],
    ['txn', [{ Node: { Verb: 'delete', Node: address } }], 409],
    ['catalog/register', address, 403],
    ['catalog/deregister', { Node: 'DB1' }, 403],
    ['session/create', { Node: 'DB1', NodeChecks: [] }, 403],
  ] as const
  for (const [path, body, status] of writes) {
    const reply = await ask('a', 'PUT', path, body)
    t.equal(reply.status, status, `${path}: ${reply.body}`)
    t.match(reply.body, /lacks permission '(node|session):write' on \\?"db1/)
  }
  const { body } = await ask('root', 'GET', 'catalog/node/db1')
  t.match(body, '"Address":"10.0.0.1"')
})

t.test('a session on another spelling of a node ends only by the right to that node', async (t) => {
  const rules = 'session_prefix "" { policy = "write" } session "db1" { policy = "read" }'
  const { ask, tokens } = await seeded(t, rules)
  const made = await ask('root', 'PUT', 'session/create', { Node: 'DB1', NodeChecks: [] })
  const { ID } = JSON.parse(made.body) as { ID: string }
  for (const action of ['renew', 'destroy']) {
    t.equal((await ask('a', 'PUT', `session/${action}/${ID}`)).status, 403, action)
  }
  tokens.set('a', 'session_prefix "" { policy = "write" }')
  t.equal((await ask('a', 'PUT', `session/destroy/${ID}`)).body, 'true')
})

t.test(
  'a registration with the agent replaces nothing of others that is only in the catalog',
  async (t) => {
    const { ask, own } = await seeded(t, 'service "mine" { policy = "write" }')
    await ask('root', 'PUT', 'catalog/register', {
      Node: own.nodeName,
      Address: own.address,
      SkipNodeUpdate: true,
      Service: { ID: 'one', Service: 'secret', Port: 1 },
      Checks: [
        { CheckID: 'of-service', Name: 'x', Status: 'critical', ServiceID: 'one' },
        { CheckID: 'of-node', Name: 'x', Status: 'critical' },
      ],
    })
    const register = 'agent/service/register'
    const writes = [
      [register, { ID: 'one', Name: 'mine', Port: 666 }],
      [register, { Name: 'mine', Check: { CheckID: 'of-service', TTL: '9s' } }],
      [register, { Name: 'mine', Check: { CheckID: 'of-node', TTL: '9s' } }],
    ] as const
    for (const [path, body] of writes) {
      const reply = await ask('a', 'PUT', path, body)
      t.equal(reply.status, 403, `${path} ${JSON.stringify(body)}: ${reply.body}`)
    }
    t.equal((await ask('a', 'PUT', register, { Name: 'mine' })).status, 200)
    for (const id of ['of-service', 'of-node']) {
      const body = { ID: id, Name: id, ServiceID: 'mine', TTL: '9s' }
      t.equal((await ask('a', 'PUT', 'agent/check/register', body)).status, 403, id)
    }
    const { body } = await ask('root', 'GET', `catalog/node/${own.nodeName}`)
    t.match(body, '"Service":"secret"')
  },
)

t.test('an alias check shows the health only of what its owner may read', async (t) => {
  const { ask, tokens } = await seeded(t, 'service "mine" { policy = "write" }')
  await ask('root', 'PUT', 'catalog/register', {
    Node: 'db1',
    Address: '10.0.0.1',
    Service: { ID: 'one', Service: 'secret' },
  })
  await ask('root', 'PUT', 'agent/service/register', { ID: 'local', Name: 'hidden' })
  await ask('a', 'PUT', 'agent/service/register', { Name: 'mine' })
  const aliases = [
    { AliasNode: 'db1', AliasService: 'one' },
    { AliasNode: 'DB1' },
    { AliasService: 'local' },
    { AliasService: 'not-there-yet' },
  ]
  const statuses = async (): Promise<readonly number[]> => {
    const all: number[] = []
    for (const alias of aliases) {
      const check = { Name: 'mirror', ServiceID: 'mine', ...alias }
      all.push((await ask('a', 'PUT', 'agent/check/register', check)).status)
      const service = { Name: 'mine', Check: { CheckID: 'mirror2', ...alias } }
      all.push((await ask('a', 'PUT', 'agent/service/register', service)).status)
    }
    return all
  }
  t.strictSame(
    await statuses(),
    Array.from({ length: 8 }, () => 403),
  )
  const sidecar = { Name: 'mirror', ServiceID: 'mine', AliasService: 'mine' }
  t.equal((await ask('a', 'PUT', 'agent/check/register', sidecar)).status, 200)
  tokens.set(
    'a',
    'service "mine" { policy = "write" } service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }',
  )
  t.strictSame(
    await statuses(),
    Array.from({ length: 8 }, () => 200),
  )
})
