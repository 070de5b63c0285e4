import t from 'tap'
import { anonymous } from '../../../src/access/caller.ts'
import type { AgentTokens } from '../../../src/ports/agent-tokens.ts'
import type { Audit } from '../../../src/ports/audit.ts'
import { TestTokens } from '../../helpers/test-tokens.ts'
import { AclApi } from './acl-api.ts'

type Answer = Awaited<ReturnType<AclApi['ask']>>

/** A field of an answer that was JSON. */
function field(answer: Answer, name: string): string {
  if (typeof answer === 'string') throw new Error(answer)
  return answer[name] ?? ''
}

t.test('bootstrap makes the first token once, and again with the reset index', async (t) => {
  const acl = new AclApi(t)
  const first = await acl.ask('PUT', 'bootstrap')
  t.match(first, {
    Description: 'Bootstrap Token (Global Management)',
    Policies: [{ Name: 'global-management' }],
    Local: false,
    CreateTime: '2030-01-31T12:00:00.000Z',
  })
  t.equal(field(first, 'ID'), field(first, 'SecretID'))
  const answer = await acl.ask('PUT', 'bootstrap')
  const refused = typeof answer === 'string' ? answer : ''
  const [, index = ''] =
    /^403 Permission denied: ACL bootstrap no longer allowed \(reset index: (\d+)\)/.exec(
      refused,
    ) ?? []
  acl.resetIndex = Number(index) + 1
  t.match(
    await acl.ask('PUT', 'bootstrap'),
    /^403 Permission denied: Invalid bootstrap reset index/,
  )
  acl.resetIndex = Number(index)
  t.match(await acl.ask('PUT', 'bootstrap'), { Local: false })
  t.equal(acl.resetIndex, 0, 'the file is gone')
})

t.test('a token is created, read, replaced, cloned and deleted', async (t) => {
  const acl = new AclApi(t)
  const policy = await acl.ask('PUT', 'policy', { Name: 'p', Rules: 'acl = "read"' })
  const role = await acl.ask('PUT', 'role', { Name: 'r', Policies: [{ Name: 'p' }] })
  const created = await acl.ask('PUT', 'token', {
    Description: 'one',
    Policies: [{ ID: field(policy, 'ID') }, { Name: 'p' }],
    Roles: [{ Name: 'r' }],
    ServiceIdentities: [{ ServiceName: 'web' }],
    NodeIdentities: [{ NodeName: 'n1', Datacenter: 'dc1' }],
  })
  t.match(created, {
    Policies: [{ ID: field(policy, 'ID'), Name: 'p' }],
    Roles: [{ ID: field(role, 'ID'), Name: 'r' }],
    ServiceIdentities: [{ ServiceName: 'web' }],
    NodeIdentities: [{ NodeName: 'n1', Datacenter: 'dc1' }],
  })
  const [id, secret] = [field(created, 'AccessorID'), field(created, 'SecretID')]
  t.strictSame(await acl.ask('GET', `token/${id}`), created)
  t.strictSame(await acl.ask('GET', 'token/self', undefined, secret), created)
  const changed = await acl.ask('PUT', `token/${id}`, {
    ...(created as object),
    Description: 'two',
  })
  t.match(changed, { AccessorID: id, SecretID: secret, Description: 'two' })
  t.not(field(changed, 'Hash'), field(created, 'Hash'))
  const clone = await acl.ask('PUT', `token/${id}/clone`, { Description: 'three' })
  t.match(clone, { Description: 'three', Roles: [{ Name: 'r' }] })
  t.not(field(clone, 'SecretID'), secret)
  t.equal((await acl.ask('GET', 'tokens')).length, 3, 'with the anonymous one')
  t.equal((await acl.ask('GET', `tokens?policy=${field(policy, 'ID')}`)).length, 2)
  t.equal((await acl.ask('GET', `tokens?role=${id}`)).length, 0)
  t.equal(await acl.ask('DELETE', `policy/${field(policy, 'ID')}`), true)
  t.notOk('Policies' in ((await acl.ask('GET', `token/${id}`)) as object), 'the link is gone')
  const manager = await acl.ask('PUT', 'token', { Policies: [{ Name: 'global-management' }] })
  const own = `token/${field(manager, 'AccessorID')}`
  t.match(
    await acl.ask('DELETE', own, undefined, field(manager, 'SecretID')),
    /^400 Deletion of the request's/,
  )
  t.equal(await acl.ask('DELETE', `token/${id}`), true)
  t.equal(await acl.ask('DELETE', `token/${id}`), true, 'it is gone already')
  t.match(await acl.ask('GET', `token/${id}`), /^403 ACL not found/)
  t.match(await acl.ask('GET', 'token/self', undefined, secret), /^403 ACL not found/)
})

t.test('a secret is shown for ten minutes to who may write tokens', async (t) => {
  let mayWrite = true
  const rights = {
    ...anonymous.rights,
    allows: (_resource: string, _name: string, access: string) => mayWrite || access === 'read',
  }
  const acl = new AclApi(t, { tokens: new TestTokens().setRights('', rights) })
  const created = await acl.ask('PUT', 'token', {})
  const path = `token/${field(created, 'AccessorID')}`
  t.equal(field(await acl.ask('GET', path), 'SecretID'), field(created, 'SecretID'))
  mayWrite = false
  t.equal(field(await acl.ask('GET', path), 'SecretID'), '<hidden>')
  mayWrite = true
  acl.nowMs += 600_000
  t.equal(field(await acl.ask('GET', path), 'SecretID'), '<hidden>')
  const sent = { ...(created as object), SecretID: '<hidden>', Description: 'new' }
  t.match(await acl.ask('PUT', path, sent), { Description: 'new', SecretID: '<hidden>' })
})

const id = 'aaaaaaaa-0000-4000-8000-000000000001'

t.test('what a token cannot be is refused in the words of Consul', async (t) => {
  const acl = new AclApi(t)
  const rows: readonly (readonly [object, RegExp])[] = [
    [{ AccessorID: 'x' }, /AccessorID is not a valid UUID/],
    [{ SecretID: 'x' }, /SecretID is not a valid UUID/],
    [{ AccessorID: '00000000-0000-0000-0000-000000000009' }, /reserved/],
    [{ Policies: [{ Name: 'x' }] }, /No such ACL policy with name "x"/],
    [{ Policies: [{ ID: id }] }, /No such ACL policy with ID "aaaaaaaa/],
    [{ Roles: [{ Name: 'x' }] }, /No such ACL role with name "x"/],
    [{ ServiceIdentities: [{}] }, /missing the service name field on this token/],
    [{ ServiceIdentities: [{ ServiceName: 'A b' }] }, /Service identity "A b" has an invalid name/],
    [{ NodeIdentities: [{ NodeName: 'n' }] }, /missing the datacenter field on this token/],
    [{ ExpirationTTL: '59s' }, /cannot be less than 1m0s in the future \(was 59s\)/],
    [{ ExpirationTTL: '25h' }, /cannot be more than 24h0m0s in the future/],
    [{ ExpirationTTL: '-1s' }, /should be > 0/],
    [{ ExpirationTime: '2029-01-31T12:00:00Z' }, /cannot be before CreateTime/],
    [{ ExpirationTime: 'tomorrow' }, /is not a time/],
    [{ ExpirationTTL: '1h', ExpirationTime: '2030-01-31T13:00:00Z' }, /cannot both be set/],
    [{ Rules: 'acl = "read"' }, /Rules cannot be specified/],
    [{ Nonsense: 1 }, /unknown field/],
  ]
  for (const [body, text] of rows) {
    const answer = await acl.ask('PUT', 'token', body)
    t.match(answer, /^400 /, JSON.stringify(body))
    t.match(answer, text)
  }
  const faulty = await acl.ask('PUT', 'token', '{"SecretID": "b1gs33cr3t", x')
  t.match(faulty, /^400 /)
  t.notMatch(faulty, /b1gs33cr3t/)
})

t.test(
  'IDs that clients choose are unique, and an update changes neither secret nor expiration',
  async (t) => {
    const acl = new AclApi(t)
    const secret = 'bbbbbbbb-0000-4000-8000-000000000001'
    const chosen = { AccessorID: id, SecretID: secret, ExpirationTTL: '1h' }
    t.match(await acl.ask('PUT', 'token', chosen), {
      AccessorID: id,
      SecretID: secret,
      ExpirationTime: '2030-01-31T13:00:00.000Z',
    })
    t.match(await acl.ask('PUT', 'token', { AccessorID: id }), /AccessorID is already in use/)
    t.match(await acl.ask('PUT', 'token', { SecretID: secret }), /SecretID is already in use/)
    t.match(await acl.ask('PUT', `token/${id}`, { SecretID: id }), /Changing a tokens SecretID/)
    t.match(await acl.ask('PUT', `token/${id}`, { Local: true }), /cannot toggle local mode/)
    t.match(
      await acl.ask('PUT', `token/${id}`, { ExpirationTTL: '2h' }),
      /Cannot change expiration/,
    )
    t.match(await acl.ask('PUT', `token/${secret}`, {}), /^404 Cannot find token/)
    acl.nowMs += 3_600_000
    t.match(await acl.ask('GET', `token/${id}`), /^403 ACL not found/, 'it has expired')
  },
)

t.test('policies are checked, and the built-in ones stay as they are', async (t) => {
  const acl = new AclApi(t)
  const created = await acl.ask('PUT', 'policy', { Name: 'p', Rules: 'acl = "read"' })
  t.strictSame(await acl.ask('GET', `policy/${field(created, 'ID')}`), created)
  t.strictSame(await acl.ask('GET', 'policy/name/p'), created)
  t.match(await acl.ask('GET', 'policies'), [{ Name: 'global-management' }, { Name: 'p' }])
  const builtIn = 'policy/00000000-0000-0000-0000-000000000001'
  t.match(await acl.ask('GET', builtIn), { Name: 'global-management', Rules: /acl = "write"/ })
  t.match(await acl.ask('GET', 'policy/name/builtin/global-read-only'), { Rules: /acl = "read"/ })
  t.match(await acl.ask('DELETE', builtIn), /^400 .*builtin global-management/)
  t.match(await acl.ask('PUT', builtIn, { Name: 'x' }), /^400 .*builtin global-management/)
  const bad = { Name: 'q', Rules: 'key "a" {\n  policy = "raed"\n}' }
  t.match(await acl.ask('PUT', 'policy', bad), /^400 Failed to parse ACL rules: At 2:12: /)
  t.match(await acl.ask('PUT', 'policy', { Name: 'p' }), /A Policy with Name "p" already exists/)
  t.match(await acl.ask('PUT', 'policy', { Name: 'a b' }), /^400 Invalid Policy: invalid Name/)
  const large = { Name: 'q', Rules: '#'.repeat(1024 * 1024) }
  t.match(await acl.ask('PUT', 'policy', large), /^400 The rules of a policy have 1048576 bytes/)
  t.match(await acl.ask('PUT', `policy/${id}`, { Name: 'q' }), /^404 cannot find policy/)
  t.match(await acl.ask('GET', `policy/${id}`), /^403 ACL not found/)
  t.match(await acl.ask('GET', `role/${id}`), /^404 /)
})

t.test(
  'what Consul removed is not found, and what svcd does not have is not implemented',
  async (t) => {
    const acl = new AclApi(t)
    t.match(await acl.ask('GET', 'list'), /^404 \/v1\/acl\/list does not exist: Consul removed/)
    t.match(await acl.ask('PUT', 'rules/translate', 'x'), /^404 /)
    t.match(await acl.ask('GET', 'auth-methods'), /^501 /)
    t.match(await acl.ask('PUT', 'login', '{}'), /^501 /)
    t.match(await acl.ask('GET', 'nonsense'), /^404 Invalid URL path/)
    t.match(await acl.ask('GET', 'replication'), { Enabled: false, Running: false })
  },
)

t.test("an agent's tokens are set by all names that Consul has had for them", async (t) => {
  const set: string[] = []
  const agentTokens: AgentTokens = { setToken: (...token) => set.push(token.join(' ')) }
  const acl = new AclApi(t, { agentTokens })
  const put = async (type: string) => acl.api.ask('PUT', `/v1/agent/token/${type}`, { Token: 's' })
  for (const [type, known] of [
    ['default', 'default'],
    ['acl_token', 'default'],
    ['agent', 'agent'],
    ['acl_agent_token', 'agent'],
    ['dns', 'dns'],
    ['agent_recovery', 'agentRecovery'],
    ['agent_master', 'agentRecovery'],
    ['acl_agent_master_token', 'agentRecovery'],
  ] as const) {
    const { status, headers } = await put(type)
    t.strictSame([status, headers['x-svcd-warning'], set.pop()], [200, undefined, `${known} s`])
  }
  for (const type of ['replication', 'acl_replication_token', 'config_file_service_registration']) {
    const { status, headers } = await put(type)
    t.equal(status, 200, type)
    t.match(headers['x-svcd-warning'], `The token "${type}" is not used: `)
  }
  t.match(await put('constructor'), { status: 404, body: /The tokens of the agent are default/ })
  t.strictSame(set, [], 'a token that is not used is not kept')
})

t.test(
  'a change of the tokens of an agent is recorded in the audit log, without the token',
  async (t) => {
    const lines: string[] = []
    const audit: Audit = {
      refusal: () => undefined,
      record: (request) => lines.push(JSON.stringify(request)),
      leaveOut: () => {},
    }
    const acl = new AclApi(t, { audit })
    await acl.api.put('agent/token/default', { Token: 'hush-hush' })
    const [line = ''] = lines
    t.match(JSON.parse(line) as unknown, {
      operation: 'put_agent_token',
      target: { type: 'default' },
      outcome: 'done',
    })
    t.notMatch(line, 'hush')
  },
)
