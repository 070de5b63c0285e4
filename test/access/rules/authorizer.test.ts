import t from 'tap'
import { Authorizer } from '../../../src/access/rules/authorizer.ts'
import { globalManagement, globalReadOnly } from '../../../src/access/rules/built-in.ts'
import {
  isIdentityName,
  nodeIdentityRules,
  serviceIdentityRules,
} from '../../../src/access/rules/identities.ts'
import { policyFrom } from '../../../src/access/rules/policy.ts'
import { namedResources, scalarResources } from '../../../src/access/rules/resource.ts'
import type { Access, Resource } from '../../../src/access/rules/resource.ts'

function authorizer(...texts: readonly string[]): Authorizer {
  return new Authorizer(
    texts.map((text, at) => policyFrom(`p${at}`, text)),
    'deny',
  )
}

/** The accesses that are allowed, of all that there are. */
function allowed(who: Authorizer, resource: Resource, name: string): string {
  const accesses: readonly Access[] = ['read', 'list', 'write', 'write-prefix']
  return accesses.filter((access) => who.allows(resource, name, access)).join(' ')
}

t.test(
  'the rule of exactly the name decides, otherwise the one of the longest prefix',
  async (t) => {
    const who = authorizer(`
    key_prefix ""      { policy = "read" }
    key_prefix "app/"  { policy = "write" }
    key        "app/x" { policy = "deny" }
    key_prefix "app/x" { policy = "list" }
    key        "one"   { policy = "write" }
  `)
    t.equal(allowed(who, 'key', 'other'), 'read')
    t.equal(allowed(who, 'key', 'app/a'), 'read list write write-prefix')
    t.equal(allowed(who, 'key', 'app/x'), '', 'exact before prefix')
    t.equal(allowed(who, 'key', 'app/xy'), 'read list')
    t.equal(allowed(who, 'key', 'one'), 'read list write', 'one key is not all keys below it')
    t.equal(allowed(who, 'key', 'app/'), 'read list write', 'not all below it may be written')
    t.equal(allowed(who, 'node', 'other'), '', 'rules of keys say nothing of nodes')
  },
)

t.test('of rules with the same name deny wins, then write, list and read', async (t) => {
  const rule = (level: string): string => `key "a" { policy = "${level}" }`
  t.equal(
    allowed(authorizer(rule('read'), rule('write'), rule('list')), 'key', 'a'),
    'read list write',
  )
  t.equal(allowed(authorizer(rule('read'), rule('list')), 'key', 'a'), 'read list')
  t.equal(allowed(authorizer(rule('write'), rule('deny'), rule('read')), 'key', 'a'), '')
  t.equal(allowed(authorizer(`${rule('deny')} ${rule('write')}`), 'key', 'a'), '', 'in one policy')
  t.equal(allowed(authorizer('acl = "write"', 'acl = "deny"'), 'acl', ''), '')
  const narrow = authorizer(
    'service_prefix "" { policy = "deny" }',
    'service "a" { policy = "write" }',
  )
  t.equal(
    allowed(narrow, 'service', 'a'),
    'read list write',
    'a narrower rule wins over a wide deny',
  )
})

t.test('intentions go by the rules of services', async (t) => {
  const of = (...texts: readonly string[]): string => {
    const who = authorizer(...texts)
    return (['read', 'write'] as const)
      .filter((access) => who.allows('intention', 'a', access))
      .join(' ')
  }
  t.equal(of('service "a" { policy = "write" }'), 'read')
  t.equal(of('service "a" { policy = "deny" }'), '')
  t.equal(of('service "a" { policy = "read" intentions = "write" }'), 'read write')
  t.equal(of('service "a" { policy = "write" intentions = "deny" }'), '')
  t.equal(of('service "a" { policy = "write" }', 'service "a" { policy = "deny" }'), '')
  t.equal(
    of('service "a" { policy = "deny" }', 'service "a" { policy = "read" intentions = "write" }'),
    'read write',
  )
})

t.test('the default policy decides where no rule does, but never about tokens', async (t) => {
  const open = new Authorizer([policyFrom('p', 'key "a" { policy = "read" }')], 'allow')
  t.equal(allowed(open, 'key', 'b'), 'read list write write-prefix')
  t.equal(allowed(open, 'key', 'a'), 'read')
  t.equal(allowed(open, 'key', ''), 'read list write', 'a key below may not be written')
  t.equal(allowed(open, 'acl', ''), '')
  t.notOk(open.allowsAll('key', 'write'))
  t.ok(open.allowsAll('service', 'write'))
  t.notOk(open.allowsAll('acl', 'read'))
})

t.test('what Consul 1.8 has no rules for goes by the operator', async (t) => {
  t.equal(allowed(authorizer('operator = "read"'), 'mesh', ''), 'read list')
  t.equal(allowed(authorizer('operator = "write" peering = "deny"'), 'peering', ''), '')
})

t.test('an explanation names the rule, its policy and its line', async (t) => {
  const who = new Authorizer(
    [
      policyFrom('base', '# everybody\nservice_prefix "" { policy = "read" }'),
      policyFrom('team', '\n\nservice "web" {\n  policy = "write"\n}'),
      policyFrom('freeze', 'service "web" { policy = "deny" }\nkey_prefix "" { policy = "write" }'),
      policyFrom('locked', 'key "app/lock" { policy = "read" }'),
    ],
    'deny',
  )
  const team = { policy: 'team', line: 3, rule: 'service "web" { policy = "write" }' }
  const freeze = { policy: 'freeze', line: 1, rule: 'service "web" { policy = "deny" }' }
  const base = { policy: 'base', line: 2, rule: 'service_prefix "" { policy = "read" }' }
  const lock = { policy: 'locked', line: 1, rule: 'key "app/lock" { policy = "read" }' }
  t.strictSame(who.explain('service', 'web', 'write'), {
    isAllowed: false,
    by: freeze,
    others: [team],
  })
  t.strictSame(who.explain('service', 'api', 'read'), { isAllowed: true, by: base, others: [] })
  t.strictSame(who.explain('intention', 'api', 'read'), { isAllowed: true, by: base, others: [] })
  t.strictSame(who.explain('key', 'app/', 'write-prefix'), {
    isAllowed: false,
    by: lock,
    others: [],
  })
  const wide = authorizer('key_prefix "" { policy = "read" } key "a/b" { policy = "deny" }')
  t.match(wide.explain('key', 'a/', 'write-prefix').by, {
    rule: 'key_prefix "" { policy = "read" }',
  })
  t.strictSame(who.explain('node', 'n1', 'read'), { isAllowed: false, by: undefined, others: [] })
})

t.test('the built-in policies are about everything', async (t) => {
  const manager = new Authorizer(
    [policyFrom(globalManagement.name, globalManagement.rules)],
    'deny',
  )
  const reader = new Authorizer([policyFrom(globalReadOnly.name, globalReadOnly.rules)], 'deny')
  for (const resource of [...namedResources, ...scalarResources, 'intention'] as const) {
    const { length } = allowed(manager, resource, 'x').split(' ')
    t.equal(length, 4, `manage ${resource}`)
    t.ok(manager.allowsAll(resource, 'write'), resource)
    t.equal(allowed(reader, resource, 'x'), resource === 'key' ? 'read' : 'read list', resource)
    t.ok(reader.allowsAll(resource, 'read'), resource)
    t.notOk(reader.allowsSome(resource, 'write'), resource)
  }
})

t.test('an identity may register itself, and find the others', async (t) => {
  const web = authorizer(serviceIdentityRules('web'))
  t.ok(web.allows('service', 'web', 'write'))
  t.ok(web.allows('service', 'web-sidecar-proxy', 'write'))
  t.equal(allowed(web, 'service', 'web-1'), 'read list')
  t.equal(allowed(web, 'node', 'n1'), 'read list')
  const node = authorizer(nodeIdentityRules('n1'))
  t.ok(node.allows('node', 'n1', 'write'))
  t.equal(allowed(node, 'node', 'n2'), '')
  t.equal(allowed(node, 'service', 'web'), 'read list')
  for (const name of ['a', 'a_b-c', '0', 'x'.repeat(256)]) t.ok(isIdentityName(name), name)
  for (const name of ['', 'A', 'a.b', '-a', 'a-', 'a"b', 'a\n', 'x'.repeat(257)])
    t.notOk(isIdentityName(name), name)
  t.throws(() => serviceIdentityRules('a" { policy = "write" } key_prefix "'), /broken invariant/)
})
