import { PassThrough } from 'node:stream'
import t from 'tap'
import { everything } from '../../../src/access/rights.ts'
import { TestTokens } from '../../helpers/test-tokens.ts'
import { TestApi } from '../support.ts'

const readAcl = 'acl = "read"'

t.test(
  'a read of tokens, policies or roles that waits ends without them when its token loses the right',
  async (t) => {
    const tokens = new TestTokens()
    const api = new TestApi(t, { tokens })
    const ask = (secret: string, method: 'GET' | 'PUT', path: string, body?: unknown) =>
      api.ask(method, `/v1/acl/${path}`, body, { 'x-consul-token': secret })
    const made = async (path: string, body: unknown) =>
      JSON.parse((await ask('root', 'PUT', path, body)).body) as {
        readonly ID: string
        readonly AccessorID: string
      }
    const policy = await made('policy', { Name: 'p', Description: 'the-description' })
    const role = await made('role', { Name: 'r', Description: 'the-description' })
    const token = await made('token', { Description: 'the-description' })
    const paths = [
      ['tokens', 'token', { Description: 'the-description' }],
      [`token/${token.AccessorID}`, 'token', { Description: 'the-description' }],
      ['policies', 'policy', { Name: 'p2', Description: 'the-description' }],
      [`policy/${policy.ID}`, 'policy', { Name: 'p3' }],
      ['policy/name/p', 'policy', { Name: 'p4' }],
      ['roles', 'role', { Name: 'r2', Description: 'the-description' }],
      [`role/${role.ID}`, 'role', { Name: 'r3' }],
      ['role/name/r', 'role', { Name: 'r4' }],
    ] as const
    for (const [path, change, body] of paths) {
      tokens.set('a', readAcl)
      const first = await ask('a', 'GET', path)
      t.match(first, { status: 200, body: /the-description/ }, path)
      const before = api.backend.waiting
      const index = String(first.headers['x-consul-index'])
      const waiting = ask('a', 'GET', `${path}?wait=20s&index=${index}`)
      while (api.backend.waiting === before) await new Promise((go) => setImmediate(go))
      tokens.set('a', 'operator = "read"')
      await made(change, body)
      const reply = await waiting
      t.equal(reply.status, 403, path)
      t.notMatch(reply.body, 'the-description', path)
    }
  },
)

t.test('a token that is deleted while it waits for itself is not shown any more', async (t) => {
  const tokens = new TestTokens()
  const api = new TestApi(t, { tokens })
  const ask = (secret: string, method: 'GET' | 'PUT' | 'DELETE', path: string, body?: unknown) =>
    api.ask(method, `/v1/acl/${path}`, body, { 'x-consul-token': secret })
  const made = await ask('root', 'PUT', 'token', { Description: 'own' })
  const { AccessorID } = JSON.parse(made.body) as { AccessorID: string }
  tokens.setCaller('own', { name: 'own', rights: everything }, AccessorID)
  const first = await ask('own', 'GET', 'token/self')
  t.match(first, { status: 200, body: /"Description":"own"/ })
  const before = api.backend.waiting
  const index = String(first.headers['x-consul-index'])
  const waiting = ask('own', 'GET', `token/self?wait=20s&index=${index}`)
  while (api.backend.waiting === before) await new Promise((go) => setImmediate(go))
  // Expired, for example: the row is still there.
  tokens.delete('own')
  await ask('root', 'PUT', 'token', { Description: 'another' })
  t.match(await waiting, { status: 403, body: /^ACL not found/ })
})

t.test('a write whose token is deleted while its body comes is refused', async (t) => {
  const tokens = new TestTokens().set('a', 'key_prefix "" { policy = "write" }')
  // Limits look at the token before the body is there.
  const api = new TestApi(t, { tokens, limits: { waitingMax: 1 } })
  let hasBegun = (): void => {}
  const begun = new Promise<void>((resolve) => {
    hasBegun = resolve
  })
  api.app.addHook('preParsing', (request, _reply, payload, done) => {
    if (request.method === 'PUT') hasBegun()
    done(null, payload)
  })
  const payload = new PassThrough()
  payload.write('the be')
  const headers = { 'x-consul-token': 'a', 'transfer-encoding': 'chunked' }
  const writing = api.app.inject({ method: 'PUT', url: '/v1/kv/a', headers, payload })
  await begun
  tokens.delete('a')
  payload.end('ginning')
  const reply = await writing
  t.match([reply.statusCode, reply.body], [403, /^ACL not found/])
  const read = await api.ask('GET', '/v1/kv/a', undefined, { 'x-consul-token': 'root' })
  t.equal(read.status, 404)
})

t.test('a write that its token may not do is refused before its body is there', async (t) => {
  const tokens = new TestTokens().set('a', 'operator = "read"')
  const api = new TestApi(t, { tokens })
  const writes = ['acl/policy', 'acl/token', 'event/fire/e', 'operator/autopilot/configuration']
  for (const path of [...writes, 'snapshot']) {
    const payload = new PassThrough()
    payload.write('{')
    const headers = { 'x-consul-token': 'a', 'transfer-encoding': 'chunked' }
    const reply = await api.app.inject({ method: 'PUT', url: `/v1/${path}`, headers, payload })
    t.equal(reply.statusCode, 403, path)
    payload.destroy()
  }
})

t.test(
  'a right that goes while a read waits for the newest state is gone for that read',
  async (t) => {
    const tokens = new TestTokens()
    const api = new TestApi(t, { tokens })
    const root = { 'x-consul-token': 'root' }
    await api.ask('PUT', '/v1/kv/a', 'hush', root)
    await api.ask(
      'PUT',
      '/v1/catalog/register',
      { Node: 'db1', Address: '10.0.0.1', Service: { Service: 'web' } },
      root,
    )
    const body = { Name: 'q', Service: { Service: 'web' } }
    await api.ask('POST', '/v1/query', body, root)
    const reads = [
      ['GET', '/v1/kv/a', undefined],
      ['GET', '/v1/health/service/web', undefined],
      ['GET', '/v1/health/summary', undefined],
      ['GET', '/v1/query/q/execute', undefined],
      ['GET', '/v1/query/q/explain', undefined],
      ['PUT', '/v1/txn', [{ KV: { Verb: 'get', Key: 'a' } }]],
      ['GET', '/v1/acl/why?accessor=x&resource=key&access=read&name=a', undefined],
      ['PUT', '/v1/acl/policy', { Name: 'p' }],
    ] as const
    for (const [method, path, asked] of reads) {
      tokens.setRights('a', everything)
      api.backend.onBarrier = () => void tokens.set('a', '')
      const url = `${path}${path.includes('?') ? '&' : '?'}consistent`
      const { body: text } = await api.ask(method, url, asked, { 'x-consul-token': 'a' })
      t.notMatch(text, /aHVzaA|db1|"Passing"|"Query"|Unknown|"ID"/, `${method} ${path}: ${text}`)
    }
  },
)
