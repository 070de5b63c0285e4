import fc from 'fast-check'
import t from 'tap'
import { Authorizer } from '../../../src/access/rules/authorizer.ts'
import { neededRule } from '../../../src/access/rules/needed-rule.ts'
import { policyFrom } from '../../../src/access/rules/policy.ts'
import { namedResources, scalarResources } from '../../../src/access/rules/resource.ts'

t.test('the rule that a denial lacks', async (t) => {
  const rows = [
    ['service', 'web', 'write', 'service "web" { policy = "write" }'],
    ['key', 'a/', 'list', 'key "a/" { policy = "list" }'],
    ['key', 'a/', 'write-prefix', 'key_prefix "a/" { policy = "write" }'],
    ['node', 'n1', 'list', 'node "n1" { policy = "read" }'],
    ['operator', '', 'read', 'operator = "read"'],
    ['intention', 'web', 'write', 'service "web" { policy = "read" intentions = "write" }'],
    ['intention', '*', 'read', 'service_prefix "" { policy = "read" intentions = "read" }'],
  ] as const
  for (const [resource, name, access, rule] of rows) {
    t.equal(neededRule(resource, name, access), rule)
  }
})

t.test('it allows what was denied, and can be parsed', async () => {
  const resources = [...namedResources, ...scalarResources, 'intention'] as const
  const question = fc.record({
    resource: fc.constantFrom(...resources),
    name: fc.string({ unit: 'binary' }),
    access: fc.constantFrom('read', 'list', 'write', 'write-prefix'),
  })
  fc.assert(
    fc.property(question, ({ resource, name, access }) => {
      const asked = (scalarResources as readonly string[]).includes(resource) ? '' : name
      const policies = [policyFrom('added', neededRule(resource, asked, access))]
      return new Authorizer(policies, 'deny').allows(resource, asked, access)
    }),
  )
})
