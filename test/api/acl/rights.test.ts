import t from 'tap'
import { AclApi } from './acl-api.ts'

/** A token with these rules, on the API with its book: the secret and the accessor ID. */
async function tokenWith(acl: AclApi, name: string, rules: string) {
  await acl.ask('PUT', 'policy', { Name: name, Rules: rules })
  const made = await acl.ask('PUT', 'token', { Description: name, Policies: [{ Name: name }] })
  if (typeof made === 'string') throw new Error(made)
  return { secret: made['SecretID'] ?? '', accessor: made['AccessorID'] ?? '' }
}

async function authorize(acl: AclApi, secret: string, questions: unknown) {
  const headers = { 'x-consul-token': secret }
  const { status, body } = await acl.api.ask(
    'POST',
    '/v1/internal/acl/authorize',
    questions,
    headers,
  )
  return status === 200 ? (JSON.parse(body) as unknown) : `${status} ${body}`
}

t.test('several questions about the own token are answered at once, as in Consul', async (t) => {
  const acl = new AclApi(t)
  const { secret } = await tokenWith(
    acl,
    'shop',
    'key_prefix "shop/" { policy = "write" }\nkey "shop/password" { policy = "deny" }',
  )
  const answer = await authorize(acl, secret, [
    { Resource: 'key', Access: 'write', Segment: 'shop/port' },
    { Resource: 'key', Access: 'read', Segment: 'shop/password' },
    { Resource: 'acl', Access: 'read' },
  ])
  t.strictSame(answer, [
    { Resource: 'key', Access: 'write', Segment: 'shop/port', Allow: true },
    { Resource: 'key', Access: 'read', Segment: 'shop/password', Allow: false },
    { Resource: 'acl', Access: 'read', Allow: false },
  ])
  t.strictSame(await authorize(acl, secret, []), [])
})

t.test('questions that cannot be answered are refused, and say why', async (t) => {
  const acl = new AclApi(t)
  const { secret } = await tokenWith(acl, 'none', '')
  const one = { Resource: 'key', Access: 'read', Segment: 'a' }
  for (const [questions, text] of [
    [Array.from({ length: 65 }, () => one), /^400 Refusing to process more than 64/],
    [[{ ...one, Resource: 'kv' }], /^400 Unknown resource "kv"\. Use one of: agent, /],
    [[{ ...one, Access: 'own' }], /^400 Unknown access "own"/],
    [{}, /^400 /],
    ['x', /^400 /],
  ] as const) {
    t.match(await authorize(acl, secret, questions), text)
  }
  t.match(await authorize(acl, 'unknown', [one]), /^403 ACL not found/)
})

t.test(
  'the rules that count for a token are listed, with the policies that have them',
  async (t) => {
    const acl = new AclApi(t)
    await acl.ask('PUT', 'policy', {
      Name: 'deny',
      Rules: 'key_prefix "shop/" { policy = "deny" }',
    })
    await acl.ask('PUT', 'policy', {
      Name: 'shop',
      Rules:
        'operator = "read"\nkey_prefix "shop/" { policy = "write" }\nnode "n1" { policy = "read" }',
    })
    const made = await acl.ask('PUT', 'token', {
      Description: 'of the shop',
      Policies: [{ Name: 'shop' }, { Name: 'deny' }],
    })
    if (typeof made === 'string') throw new Error(made)
    const { AccessorID = '', SecretID = '' } = made
    const expected = {
      AccessorID,
      Description: 'of the shop',
      DefaultPolicy: 'deny',
      Rules: [
        { Resource: 'operator', Prefix: true, Name: '', Level: 'read', Policy: 'shop', Line: 1 },
        { Resource: 'key', Prefix: true, Name: 'shop/', Level: 'deny', Policy: 'deny', Line: 1 },
        { Resource: 'node', Prefix: false, Name: 'n1', Level: 'read', Policy: 'shop', Line: 3 },
      ],
    }
    t.strictSame(await acl.ask('GET', 'rights', undefined, SecretID), expected, 'its own')
    const other = await tokenWith(acl, 'none', '')
    const path = `rights?accessor=${AccessorID}`
    t.match(
      await acl.ask('GET', path, undefined, other.secret),
      /^403 .*lacks permission 'acl:read'/,
    )
    const reader = await tokenWith(acl, 'reader', 'acl = "read"')
    t.strictSame(await acl.ask('GET', path, undefined, reader.secret), expected)
    const unknown = 'rights?accessor=99999999-0000-4000-8000-000000000000'
    t.match(await acl.ask('GET', unknown, undefined, reader.secret), /^404 There is no token/)
  },
)

t.test('anybody learns whether the first token was created', async (t) => {
  const acl = new AclApi(t)
  t.strictSame(await acl.ask('GET', 'status'), { Bootstrapped: false, DefaultPolicy: 'deny' })
  await acl.ask('PUT', 'bootstrap')
  t.strictSame(await acl.ask('GET', 'status'), { Bootstrapped: true, DefaultPolicy: 'deny' })
})
