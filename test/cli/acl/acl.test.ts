import t, { type Test } from 'tap'
import { AgentProcess, type Ran, runSvcd } from '../../helpers/agent-process.ts'

interface Cluster {
  /** Runs a command with the secret; without one it sends none. */
  readonly acl: (secret: string, ...words: readonly string[]) => Promise<Ran>
  readonly agent: AgentProcess
}

async function start(t: Test, ...args: readonly string[]): Promise<Cluster> {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1', '-acl', ...args] })
  t.teardown(async () => agent.stop())
  const acl = (secret: string, ...words: readonly string[]): Promise<Ran> =>
    runSvcd(agent.httpUrl, 'acl', ...words, ...(secret === '' ? [] : ['-token', secret]))
  return { acl, agent }
}

function field(text: string, name: string): string {
  return new RegExp(`^${name}: +(\\S+)$`, 'm').exec(text)?.[1] ?? ''
}

t.test('tokens, policies and roles are created, changed, listed and deleted', async (t) => {
  const { acl, agent } = await start(t)
  const first = await acl('', 'bootstrap')
  t.match(first, { code: 0, err: /Save the SecretID/ })
  const secret = field(first.out, 'SecretID')
  const run = async (...words: readonly string[]): Promise<string> => {
    const { code, out, err } = await acl(secret, ...words)
    t.equal(code, 0, `${words.join(' ')}: ${err}`)
    return out
  }
  t.match(await acl('', 'bootstrap'), { code: 1, err: /no longer allowed \(reset index: \d+\)/ })

  await run('policy', 'create', '-name', 'web', '-rules', 'service "web" { policy = "write" }')
  await run('policy', 'update', '-name', 'web', '-description', 'of web')
  t.match(await run('policy', 'read', '-name', 'web'), /of web\n[^]*Rules:\nservice "web"/)
  t.match(await run('policy', 'list', '-o', 'name'), /^global-management\n[^]*web\n/)
  await run('role', 'create', '-name', 'team', '-service-identity', 'db:dc1')
  const role = await run('role', 'update', '-name', 'team', '-policy-name', 'web')
  t.match(role, /- web\n[^]*db \(datacenters: dc1\)/)
  t.match(await run('role', 'list'), /team +\S+ +web +service db/)

  const made = await run(
    'token',
    'create',
    '-description',
    'one',
    '-role-name',
    'team',
    '-ttl',
    '1h',
  )
  const id = field(made, 'AccessorID')
  t.match(made, /Expiration Time: +\d{4}-/)
  const given = ['-policy-name', 'web', '-merge-policies'] as const
  const updated = await run('token', 'update', '-id', id.slice(0, 12), ...given)
  t.match(updated, /Description: +one\n[^]*- web\nRoles:\n.*- team\n/)
  t.notMatch(updated, 'SecretID', 'only those who create or read a token see its secret')
  t.match(await run('token', 'update', '-id', id, '-no-merge'), /^(?![^]*- web)[^]*Local/)
  const cloned = await run('token', 'clone', '-id', id, '-description', 'two')
  t.not(field(cloned, 'SecretID'), field(made, 'SecretID'))
  const list = await run('token', 'list', '-format', 'json')
  t.notMatch(list, field(cloned, 'SecretID'))
  t.match(JSON.parse(list), [{}, {}, {}, {}])
  t.match(await run('token', 'read', '-self', '-meta'), /Bootstrap Token[^]*Modify Index/)
  t.match(await run('token', 'delete', '-id', id), `Deleted token: ${id}\n`)
  t.match(await run('role', 'delete', '-name', 'team'), 'Deleted role: team (')
  t.match(await run('policy', 'delete', '-name', 'web'), 'Deleted policy: web (')
  t.notMatch(agent.output, secret, 'no secret is logged')
})

t.test('why a token may do something is explained', async (t) => {
  const management = 'a-secret-of-this-test'
  const { acl } = await start(
    t,
    '-acl-default-policy=deny',
    `-acl-initial-management=${management}`,
  )
  const run = async (...words: readonly string[]): Promise<string> => {
    const { code, out, err } = await acl(management, ...words)
    t.equal(code, 0, `${words.join(' ')}: ${err}`)
    return out
  }
  const rules = 'service_prefix "" { policy = "read" }\nservice "secret" { policy = "deny" }'
  await run('policy', 'create', '-name', 'readers', '-rules', rules)
  const made = await run('token', 'create', '-policy-name', 'readers', '-description', 'web on n1')
  const [id, secret] = [field(made, 'AccessorID'), field(made, 'SecretID')]

  t.match(
    await run('why', id.slice(0, 12), 'service:read', 'web'),
    'Allowed: service:read on "web"\n',
  )
  t.equal(
    await run('why', id, 'service:write', 'web'),
    `Denied: service:write on "web"
Token: ${id} (web on n1)
Decided by: policy "readers", line 1: service_prefix "" { policy = "read" }
To allow it, add this rule to a policy of the token: service "web" { policy = "write" }
`,
  )
  t.match(
    await run('why', id, 'service:read', 'secret'),
    'line 2: service "secret" { policy = "deny" }\nTo allow it, change or remove the rule of policy "readers"',
  )
  t.match(
    await run('why', 'anonymous', 'key:read', 'a'),
    'no rule of the token; the default policy is deny',
  )
  t.match(await run('why', id, 'acl:read'), 'tokens and policies always need one')
  t.match(await run('why', 'self', 'operator:write'), 'Allowed: operator:write\n')
  t.match(JSON.parse(await run('why', id, 'node:read', 'n1', '-format', 'json')), {
    Allowed: false,
    DefaultPolicy: 'deny',
    DecidedBy: null,
    Missing: 'node "n1" { policy = "read" }',
  })

  t.match(await acl(secret, 'why', 'self', 'service:read', 'web'), { code: 0, out: /^Allowed/ })
  t.match(await acl(secret, 'why', 'anonymous', 'service:read', 'web'), {
    code: 1,
    err: /lacks permission 'acl:read'.*Run `svcd acl why self acl:read` to see which rule decides\.\n/,
  })
})

t.test('what cannot be done is said', async (t) => {
  const { acl } = await start(t)
  const secret = field((await acl('', 'bootstrap')).out, 'SecretID')
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [['policy', 'create'], /Name the policy: -name NAME/],
    [['policy', 'create', '-name', 'x', '-rules', 'web.hcl'], /Write -rules @web\.hcl/],
    [
      ['policy', 'create', '-name', 'x', '-rules', '@gone.hcl'],
      /Cannot read the rules from gone\.hcl/,
    ],
    [['policy', 'create', '-name', 'x', '-rules', 'servce "" {}'], /At 1:1: .*"servce"/],
    [['policy', 'read'], /-id ID or -name NAME/],
    [['token', 'read'], /Name the token: -id/],
    [['token', 'read', '-id', 'ffff'], /no token whose ID is "ffff" or begins with it/],
    [['token', 'create', '-policy-name', 'nope'], /"nope"/],
    [['token', 'create', '-node-identity', 'n1'], /-node-identity as NAME:DATACENTER/],
    [['token', 'list', '-format', 'xml'], /pretty, json/],
    [['why', 'self', 'service'], /RESOURCE:ACCESS/],
    [['why', 'self', 'servce:read'], /Unknown resource "servce"\. Use one of: agent/],
    [['why', 'self', 'service:writ'], /Unknown access "writ"/],
  ]
  for (const [words, err] of rows) {
    t.match(await acl(secret, ...words), { code: 1, err }, words.join(' '))
  }
  t.match(await acl('not-a-token', 'token', 'read', '-self'), { code: 1, err: /ACL not found/ })
})

t.test('an agent without access control says how to switch it on', async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev'] })
  t.teardown(async () => agent.stop())
  const ran = await runSvcd(agent.httpUrl, 'acl', 'bootstrap')
  t.match(ran, { code: 1, err: /ACL support disabled\. Start the agents with -acl/ })
})
