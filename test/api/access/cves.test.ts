import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import type { Test } from 'tap'
import { anonymous } from '../../../src/access/caller.ts'
import { Authorizer } from '../../../src/access/rules/authorizer.ts'
import { policyFrom } from '../../../src/access/rules/policy.ts'
import { endpoints } from '../../../src/api/endpoints/families.ts'
import { must } from '../../../src/base/assert.ts'
import { parseConfig } from '../../../src/config/parse.ts'
import { methodsOf } from '../../../src/http/endpoint.ts'
import { RenderCache, Rendered } from '../../../src/http/render-cache.ts'
import { diagnosis } from '../../../src/observe/diagnosis.ts'
import type { AuditedRequest } from '../../../src/ports/audit.ts'
import { allRules, anyDeny, anyRules, nameOf, suffixes, textOf } from '../../helpers/plain-rules.ts'
import type { PlainRule } from '../../helpers/plain-rules.ts'
import { TestTokens } from '../../helpers/test-tokens.ts'
import { TestApi } from '../support.ts'
import { cases, streams } from './fuzz-cases.ts'
import type { Pick } from './fuzz-requests.ts'
import { World } from './fuzz-world.ts'
import type { Grants, Method } from './fuzz-world.ts'

// Flaws that Consul had. Each has a test here, or one elsewhere that names it.

const flaws = [
  'CVE-2018-19653',
  'CVE-2019-8336',
  'CVE-2019-9764',
  'CVE-2020-12797',
  'CVE-2020-13170',
  'CVE-2020-13250',
  'CVE-2020-25864',
  'CVE-2020-28053',
  'CVE-2020-7219',
  'CVE-2020-7955',
  'CVE-2021-28156',
  'CVE-2021-36213',
  'CVE-2021-37219',
  'CVE-2021-38698',
  'CVE-2022-29153',
  'CVE-2022-3920',
  'CVE-2025-11374',
  'CVE-2025-11375',
]

t.test('each flaw that Consul had is named by the comment of a test', async (t) => {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  const tests = files.filter((path) => path.endsWith('.test.ts'))
  const comments = tests.flatMap((path) =>
    readFileSync(join('test', path), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('// CVE-')),
  )
  for (const flaw of flaws) t.ok(comments.join('\n').includes(flaw), flaw)
})

const pick: Pick = { suffix: 'a', other: 'b', lower: 'a', otherLower: 'b', way: 5 }
/** The text that a browser must not run. */
const page = '<script>alert(1)</script>'

async function seeded(t: Test, byDefault: 'deny' | 'allow' = 'deny'): Promise<World> {
  const world = new World(t, byDefault)
  await world.seed()
  return world
}

/** A token with one policy, and the ID of the policy. */
async function tokenWith(world: World, rules: readonly PlainRule[]): Promise<string> {
  return world.setToken(1, await world.grants(rules))
}

// CVE-2020-25864
t.test('no answer is a page that a browser runs', async (t) => {
  const world = await seeded(t)
  await world.do('PUT', 'kv/page', page)
  const raw = await world.ask(world.root, 'GET', 'kv/page?raw')
  t.equal(raw.body, page)
  t.equal(raw.headers['content-security-policy'], 'sandbox')
  const asked: (readonly [Method, string])[] = [
    ['GET', 'kv/page?raw'],
    ['GET', page],
    ['GET', `agent/service/${page}`],
    ['GET', `agent/health/service/id/${page}?format=text`],
    ['GET', `agent/health/service/id/svc-a?format=text`],
    ['GET', `catalog/nodes?filter=${page}`],
    ['GET', 'agent/metrics?format=prometheus'],
    ['PUT', `event/fire/a?node=(${page}`],
    ['PUT', `acl/policy/name/${page}`],
    ['GET', `kv/x?token=${page}`],
  ]
  for (const row of Object.keys(cases)) {
    const [method = ''] = row.split(' ')
    if (method !== 'GET' || row in streams) continue
    asked.push(['GET', must(cases[row])(world, pick).path])
  }
  for (const row of Object.keys(streams)) {
    asked.push(['HEAD', must(streams[row])(world, pick).path])
  }
  for (const [method, path] of asked) {
    const { headers, status } = await world.ask(world.root, method, encodeURI(path))
    const type = String(headers['content-type'] ?? '')
    if (status === 404 && type === '') continue
    t.notMatch(type, /html|xml|svg/, path)
    const isSafe = /^application\/(?:json|x-gzip|x-ndjson)/.test(type)
    if (!isSafe) t.equal(headers['x-content-type-options'], 'nosniff', `${path}: ${type}`)
  }
})

// CVE-2018-19653, CVE-2019-9764
t.test('TLS that is asked for and not complete is never left out in silence', (t) => {
  const start = (peer: object) =>
    parseConfig({
      flags: { server: ['true'], dataDir: ['/d'] },
      env: {},
      files: [{ path: 'a.json', content: peer }],
      hostName: 'n1',
    })
  const files = { cert_file: '/c', key_file: '/k', ca_file: '/a' }
  const incomplete = [
    { peer_tls: { key_file: '/k', ca_file: '/a' } },
    { peer_tls: { cert_file: '/c', ca_file: '/a' } },
    { peer_tls: { cert_file: '/c', key_file: '/k' } },
    { peer_tls: { mode: 'permissive' } },
    { peer_tls: { verify_server_role: true } },
    { ports: { https: 8501 } },
    { ports: { https: 8501 }, tls: { https: { cert_file: '/c' } } },
    {
      ports: { https: 8501 },
      tls: { https: { cert_file: '/c', key_file: '/k', verify_incoming: true } },
    },
    { tls: { https: { verify_incoming: true } } },
    ...['verify_incoming', 'verify_outgoing', 'verify_incoming_rpc', 'verify_server_hostname'].map(
      (name) => ({ [name]: true }),
    ),
    { tls: { internal_rpc: { verify_server_hostname: true } } },
    { tls: { defaults: { verify_outgoing: true } } },
    { verify_server_hostnam: true },
  ]
  for (const each of incomplete) {
    t.throws(
      () => start(each),
      { code: /^(?:invalid-option|options-invalid)$/ },
      JSON.stringify(each),
    )
  }
  t.doesNotThrow(() => start({ peer_tls: files }))
  t.end()
})

// CVE-2019-8336
t.test('no token can make one, and nothing gets rights from another datacenter', async (t) => {
  const world = await seeded(t)
  const most = allRules.map((rule): PlainRule =>
    rule.kind === 'acl' ? { ...rule, level: 'read' } : rule,
  )
  const secret = await tokenWith(world, most)
  const body = { Policies: [{ Name: 'global-management' }] }
  for (const [method, path] of [
    ['PUT', 'acl/token'],
    ['PUT', `acl/token/${world.token}`],
    ['PUT', `acl/token/${world.token}/clone`],
    ['PUT', 'acl/role'],
    ['PUT', `acl/role/${world.role}`],
    ['PUT', `acl/policy/${world.policy}`],
  ] as const) {
    t.equal((await world.ask(secret, method, path, body)).status, 403, path)
  }
  t.match(await world.do('GET', 'acl/replication'), { Enabled: false })
  const replication = await world.ask(world.root, 'PUT', 'agent/token/replication', { Token: 'x' })
  t.equal(replication.status, 200)
  t.equal((await world.ask('x', 'GET', 'acl/tokens')).status, 403, 'it is no secret of a token')
  t.match(await world.do('GET', 'acl/replication'), { Enabled: false }, 'and nothing is replicated')
})

// CVE-2020-12797
t.test('a policy that is changed or deleted no longer allows what it did', async (t) => {
  const world = await seeded(t)
  const key = nameOf('key', 'a')
  const may: PlainRule = { kind: 'key', isPrefix: true, name: '', level: 'write' }
  const read = (secret: string) => world.ask(secret, 'GET', `kv/${key}`)
  const grants = { Policies: [{ Name: 'p0' }], Roles: [] } satisfies Grants
  const allowed = async (): Promise<string> => {
    await world.grants([may])
    const secret = await world.setToken(1, grants)
    t.equal((await read(secret)).status, 200)
    return secret
  }
  const inRole = { Policies: [], Roles: [{ Name: 'r' }] } satisfies Grants
  const secret = await allowed()
  await world.grants([{ ...may, level: 'deny' }])
  t.equal((await read(secret)).status, 403, 'after a change of its policy')
  await allowed()
  await world.setToken(1, { Policies: [], Roles: [] })
  t.equal((await read(secret)).status, 403, 'after it lost its policy')
  await world.grants([may])
  await world.setToken(1, inRole)
  t.equal((await read(secret)).status, 200)
  await world.do('PUT', `acl/role/${(await world.do('GET', 'acl/role/name/r'))['ID']}`, {
    Name: 'r',
    Policies: [],
  })
  t.equal((await read(secret)).status, 403, 'after its role lost its policy')
  await allowed()
  const { ID } = await world.do('GET', 'acl/policy/name/p0')
  await world.do('DELETE', `acl/policy/${ID}`)
  t.equal((await read(secret)).status, 403, 'after its policy was deleted')
  const { AccessorID } = await world.do('GET', 'acl/token/00000000-0000-4000-8000-000000000001')
  await world.do('DELETE', `acl/token/${AccessorID}`)
  t.match(await read(secret), { status: 403, body: /^ACL not found/ })
})

// CVE-2020-13170
t.test('a token counts in its own datacenter only', async (t) => {
  const world = await seeded(t)
  const key = `kv/${nameOf('key', 'a')}`
  for (const Local of [true, false]) {
    const Policies = [{ Name: 'global-management' }]
    const { SecretID = '' } = await world.do('PUT', 'acl/token', { Local, Policies })
    t.equal((await world.ask(SecretID, 'GET', key)).status, 200)
    const other = await world.ask(SecretID, 'GET', `${key}?dc=dc2`)
    t.not(other.status, 200)
    t.notMatch(other.body, 'mark(')
  }
  const Rules = 'key_prefix "" { policy = "write" }'
  await world.do('PUT', 'acl/policy', { Name: 'elsewhere', Rules, Datacenters: ['dc2'] })
  const { SecretID = '' } = await world.do('PUT', 'acl/token', {
    Policies: [{ Name: 'elsewhere' }],
    NodeIdentities: [{ NodeName: nameOf('node', 'a'), Datacenter: 'dc2' }],
  })
  t.equal((await world.ask(SecretID, 'GET', key)).status, 403)
  t.equal((await world.ask(SecretID, 'GET', 'catalog/nodes')).body, '[]')
})

// CVE-2020-28053
t.test('no read shows a secret, neither of tokens nor of the configuration', async (t) => {
  const world = await seeded(t)
  const secret = await tokenWith(
    world,
    allRules.filter(({ kind }) => kind !== 'acl'),
  )
  const { SecretID = '' } = await world.do('PUT', 'acl/token', {})
  const body = { Name: 'with-token', Token: SecretID, Service: { Service: nameOf('service', 'a') } }
  world.queries.set('a', (await world.do('POST', 'query', body))['ID'] ?? '')
  const others = [world.root, SecretID]
  for (const [row, make] of Object.entries(cases)) {
    if (!row.startsWith('GET') || row in streams) continue
    const reply = await world.ask(secret, 'GET', make(world, pick).path)
    for (const other of others) t.notOk(reply.body.includes(other), row)
  }
  const own = 'x'.repeat(20)
  const config = parseConfig({
    flags: { server: ['true'], dataDir: ['/d'], encrypt: [Buffer.alloc(32, 7).toString('base64')] },
    env: {},
    files: [
      {
        path: 'a.json',
        content: {
          acl: {
            enabled: true,
            tokens: { initial_management: `${own}1`, dns: `${own}2`, default: `${own}3` },
          },
        },
      },
    ],
    hostName: 'n1',
  })
  const shown = JSON.stringify(diagnosis({ config, status: undefined, log: [] }))
  t.notMatch(shown, own)
  t.notOk(shown.includes(Buffer.alloc(32, 7).toString('base64')))
})

// CVE-2021-28156
t.test('no spelling of a path keeps an operation out of the audit log', async (t) => {
  const recorded: AuditedRequest[] = []
  const audit = {
    refusal: () => undefined,
    record: (each: AuditedRequest) => void recorded.push(each),
    leaveOut: () => {},
  }
  const tokens = new TestTokens().set('weak', '')
  const api = new TestApi(t, { tokens, audit })
  await api.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = api.app.server.address() as AddressInfo
  /** The path goes as it is. */
  const put = async (secret: string, path: string): Promise<number> => {
    const headers = { 'x-consul-token': secret }
    const sent = request({ host: '127.0.0.1', port, method: 'PUT', path, headers }).end('x')
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    return response.statusCode ?? 0
  }
  const spellings = [
    '/v1/agent/leave',
    '/v1/agent/leave/',
    '//v1/agent/leave',
    '/v1//agent/leave',
    '/v1/./agent/leave',
    '/v1/x/../agent/leave',
    '/v1/agent/%6ceave',
    '/v1/%61gent/leave',
    '/v1/agent%2Fleave',
    '/V1/agent/leave',
    '/v1/agent/leave?x=%',
    '/v1/agent/leave?',
    '/v1/agent/leave;x',
    '/v1/agent/leave%00',
    `http://127.0.0.1:${port}/v1/agent/leave`,
  ]
  let isReached = false
  for (const path of spellings) {
    recorded.length = 0
    api.backend.operations.length = 0
    const status = await put('root', path)
    t.equal(recorded.length, api.backend.operations.length, `${path}: ${status}`)
    for (const each of recorded) t.match(each, { operation: 'put_agent_leave', outcome: 'done' })
    recorded.length = 0
    const denied = await put('weak', path)
    t.equal(recorded.length, denied === 403 ? 1 : 0, `${path}: ${denied}`)
    isReached ||= path.includes('%6c') && status === 200
  }
  t.ok(isReached, 'there is more than one spelling')
  for (const path of ['/v1/kv/a', '/v1/%6bv/a', '/v1/kv/%61', '/v1/kv/a%2Fb', '/v1//kv/a']) {
    recorded.length = 0
    const denied = await put('weak', path)
    t.equal(recorded.length, denied === 403 ? 1 : 0, `${path}: ${denied}`)
  }
})

// CVE-2020-13250
t.test('different questions do not fill the memory: only so many answers are kept', (t) => {
  const cache = new RenderCache()
  const answer = new Rendered(1, Buffer.alloc(10))
  for (let at = 0; at < 100_000; at++) cache.put(1, anonymous, `/v1/x?${at}`, answer)
  let kept = 0
  for (let at = 0; at < 100_000; at++) {
    if (cache.get(1, anonymous, `/v1/x?${at}`) !== undefined) kept++
  }
  t.ok(kept > 0 && kept < 21_000, `${kept} are kept`)
  const large = new Rendered(1, Buffer.alloc(1024 * 1024))
  for (let at = 0; at < 100; at++) cache.put(2, anonymous, String(at), large)
  t.equal(cache.get(2, anonymous, '20'), undefined)
  t.end()
})

// CVE-2021-36213
t.test('one deny more never allows anything, whatever the default policy', (t) => {
  const names = (['key', 'service', 'node', 'query', 'event'] as const).flatMap((kind) =>
    [...suffixes, 'abcd', ''].map((suffix) => [kind, nameOf(kind, suffix)] as const),
  )
  const asked = [...names, ['operator', ''], ['acl', ''], ['keyring', '']] as const
  const property = fc.property(anyRules, anyDeny, fc.boolean(), (rules, deny, isOpen) => {
    const byDefault = isOpen ? 'allow' : 'deny'
    const policies = rules.map((rule, at) => policyFrom(`p${at}`, textOf(rule)))
    const before = new Authorizer(policies, byDefault)
    const after = new Authorizer([...policies, policyFrom('deny', textOf(deny))], byDefault)
    for (const [kind, name] of asked) {
      for (const access of ['read', 'write'] as const) {
        if (after.allows(kind, name, access) && !before.allows(kind, name, access)) return false
        if (after.allowsAll(kind, access) && !before.allowsAll(kind, access)) return false
        if (after.allowsSome(kind, access) && !before.allowsSome(kind, access)) return false
      }
      const write = 'write-prefix'
      if (after.allows(kind, name, write) && !before.allows(kind, name, write)) return false
    }
    return true
  })
  fc.assert(property, { numRuns: 2000 })
  t.pass()
  t.end()
})

// CVE-2020-7955
t.test('no endpoint that names a right is reached past access control', async (t) => {
  const world = await seeded(t, 'allow')
  for (const row of endpoints) {
    if ('none' in row.permission) continue
    for (const method of methodsOf(row)) {
      const make = must({ ...cases, ...streams }[`${method} ${row.path}`])
      const { path, body } = make(world, pick)
      const reply = await world.ask('unknown', method, path, body)
      t.match(reply, { status: 403, body: /^ACL not found/ }, `${method} ${row.path}`)
    }
  }
})

// CVE-2021-38698
t.test('a transaction registers no service that catalog/register would refuse', async (t) => {
  const world = await seeded(t)
  const [own, other] = [nameOf('service', 'a'), nameOf('service', 'b')]
  const secret = await tokenWith(world, [
    { kind: 'service', isPrefix: false, name: own, level: 'write' },
  ])
  const Node = nameOf('node', 'b')
  const proxy = { Kind: 'connect-proxy', Port: 1 }
  const services = [
    [{ Service: own }, true],
    [{ Service: other }, false],
    [{ ID: other, Service: own }, false],
    [{ Service: own, ...proxy, Proxy: { DestinationServiceName: other } }, false],
    [{ Service: `${own}-sidecar-proxy`, ...proxy, Proxy: { DestinationServiceName: own } }, false],
  ] as const
  for (const [service, isAllowed] of services) {
    const what = JSON.stringify(service)
    const body = { Node, Address: '10.0.0.4', SkipNodeUpdate: true, Service: service }
    const catalog = await world.ask(secret, 'PUT', 'catalog/register', body)
    t.equal(catalog.status, isAllowed ? 200 : 403, `catalog/register ${what}: ${catalog.body}`)
    const ops = [{ Service: { Verb: 'set', Node, Service: service } }]
    const txn = await world.ask(secret, 'PUT', 'txn', ops)
    t.equal(txn.status, isAllowed ? 200 : 409, `txn ${what}: ${txn.body}`)
    if (!isAllowed) t.match(txn.body, /lacks permission/)
  }
})

// CVE-2025-11374, CVE-2025-11375
t.test('a body without a length is cut off at the limit as any other', async (t) => {
  const world = await seeded(t)
  for (const { path, method, body } of endpoints) {
    const [first] = typeof method === 'string' ? [method] : method
    if (body === undefined || body.bytesMax === 'stream') continue
    const { path: url } = must(cases[`${first} ${path}`])(world, pick)
    const limit = body.bytesMax ?? 1024 * 1024
    let sent = 0
    const payload = new Readable({
      read() {
        sent += 64 * 1024
        this.push(sent > limit + 128 * 1024 ? null : Buffer.alloc(64 * 1024, ' '))
      },
    })
    const headers = { 'x-consul-token': world.root, 'transfer-encoding': 'chunked' }
    const asked = { method: must(first), url: `/v1/${url}`, headers, payload }
    const { statusCode } = await world.api.app.inject(asked)
    t.equal(statusCode, 413, `${first} ${path} with more than ${limit} bytes`)
  }
})
