import t from 'tap'
import { globalManagement, globalReadOnly } from '../../../src/access/rules/built-in.ts'
import { must } from '../../../src/base/assert.ts'
import { proposalFault } from '../../../src/state/families.ts'
import {
  anonymousToken,
  builtInPolicies,
  globalManagementId,
} from '../../../src/state/acl/model.ts'
import { aclSubject } from '../../../src/state/acl/subjects.ts'
import {
  aclId,
  MemoryAcl,
  policyDefinition,
  roleDefinition,
  secretHash,
  tokenDefinition,
} from '../../helpers/acl.ts'

t.test('the built-in policies are those whose rules the module of rules has', async (t) => {
  const known = [globalManagement, globalReadOnly].map(({ id, name }) => ({ id, name }))
  t.strictSame(builtInPolicies, known)
})

t.test('a token is found by its accessor ID and by the hash of its secret', async (t) => {
  const acl = new MemoryAcl()
  t.equal(acl.token(1, { description: 'one' }, 'update'), 'unknown-id')
  t.equal(acl.token(1, { description: 'one' }), undefined)
  t.equal(acl.token(1, { description: 'one' }), 'taken-id')
  const token = must(acl.reader.token(aclId(1).toUpperCase()))
  t.match(token, { description: 'one', createIndex: 2, modifyIndex: 2 })
  t.strictSame(acl.reader.tokenOfSecret(secretHash('secret-1')), token)
  t.equal(acl.reader.tokenOfSecret(secretHash('secret-2')), undefined)
  const stolen = { accessorId: aclId(2), secretHash: secretHash('secret-1') }
  const put = { kind: 'acl-token-put', mode: 'create', token: tokenDefinition() } as const
  t.equal(acl.apply({ ...put, ...stolen }), 'taken-secret')
  t.equal(acl.apply({ kind: 'acl-token-delete', accessorId: aclId(1) }), undefined)
  t.equal(acl.apply({ kind: 'acl-token-delete', accessorId: aclId(1) }), 'unknown-id')
  t.equal(acl.reader.token(aclId(1)), undefined)
})

t.test('an update keeps the secret, the times, and whether a token is local', async (t) => {
  const acl = new MemoryAcl()
  const kept = { isLocal: true, createTimeMs: 5, expirationTimeMs: 99 }
  acl.token(1, kept)
  const token = tokenDefinition({ description: 'new' })
  const body = { kind: 'acl-token-put', mode: 'update', accessorId: aclId(1), token } as const
  t.equal(acl.apply({ ...body, secretHash: secretHash('another') }), undefined)
  const secret = secretHash('secret-1')
  t.match(acl.reader.token(aclId(1)), { ...kept, description: 'new', secretHash: secret })
})

t.test('the anonymous token is always there, and can be changed', async (t) => {
  const acl = new MemoryAcl()
  const { accessorId, secretHash: hash } = anonymousToken
  t.equal(hash, secretHash('anonymous'))
  t.strictSame(acl.reader.token(accessorId), anonymousToken)
  t.strictSame([...acl.reader.tokens()], [anonymousToken])
  t.strictSame(acl.reader.counts(), { tokens: 1, policies: 0, roles: 0 })
  const token = tokenDefinition({ policies: [globalManagementId] })
  const put = { kind: 'acl-token-put', accessorId, secretHash: secretHash('x'), token } as const
  t.equal(acl.apply({ ...put, mode: 'create' }), 'taken-id')
  t.equal(acl.apply({ ...put, mode: 'update' }), undefined)
  t.match(acl.reader.tokenOfSecret(hash), { accessorId, policies: [globalManagementId] })
  t.equal(acl.reader.tokenOfSecret(secretHash('x')), undefined)
  t.equal([...acl.reader.tokens()].length, 1)
  t.strictSame(acl.reader.counts(), { tokens: 1, policies: 0, roles: 0 })
  acl.apply({ kind: 'acl-token-delete', accessorId })
  t.strictSame(acl.reader.token(accessorId), anonymousToken, 'as at first')
})

t.test(
  'policies and roles have unique names, and the built-in ones stay as they are',
  async (t) => {
    const acl = new MemoryAcl()
    t.equal(acl.policy(1, policyDefinition('a')), undefined)
    t.equal(acl.policy(2, policyDefinition('a')), 'taken-name')
    t.equal(acl.policy(2, policyDefinition('global-management')), 'taken-name')
    t.equal(acl.policy(2, policyDefinition('b'), 'update'), 'unknown-id')
    t.equal(acl.role(1, roleDefinition('a')), undefined)
    t.equal(acl.role(2, roleDefinition('a')), 'taken-name')
    const policy = policyDefinition('mine', { rules: 'acl = "write"' })
    const id = globalManagementId
    t.equal(acl.apply({ kind: 'acl-policy-put', mode: 'any', id, policy }), 'taken-id')
    t.equal(acl.apply({ kind: 'acl-policy-delete', id }), 'unknown-id')
    t.match(acl.reader.policyVersion(id), { name: 'global-management' })
    t.equal(acl.reader.policyIdOf('global-management'), id)
  },
)

t.test('links to policies and roles that are gone are left out', async (t) => {
  const acl = new MemoryAcl()
  t.equal(acl.token(1, { policies: [aclId(7)] }), `unknown-policy ${aclId(7)}`)
  t.equal(acl.token(1, { roles: [aclId(7)] }), `unknown-role ${aclId(7)}`)
  t.equal(acl.role(1, roleDefinition('r', { policies: [aclId(7)] })), `unknown-policy ${aclId(7)}`)
  acl.policy(1, policyDefinition('p'))
  acl.role(1, roleDefinition('r', { policies: [aclId(1)] }))
  t.equal(acl.token(1, { policies: [aclId(1), globalManagementId], roles: [aclId(1)] }), undefined)
  const names = (): unknown => {
    const { policies, roles } = must(acl.reader.token(aclId(1)))
    const links = [...acl.reader.policyLinks(policies), ...acl.reader.roleLinks(roles)]
    return links.map(({ name }) => name)
  }
  t.strictSame(names(), ['p', 'global-management', 'r'])
  const before = acl.reader.indexOf(aclSubject.tokens)
  acl.policy(1, policyDefinition('renamed'), 'update')
  t.strictSame(names(), ['renamed', 'global-management', 'r'])
  t.ok(acl.reader.indexOf(aclSubject.tokens) > before, 'who waits for the tokens sees the name')
  acl.apply({ kind: 'acl-policy-delete', id: aclId(1) })
  acl.apply({ kind: 'acl-role-delete', id: aclId(1) })
  t.strictSame(names(), ['global-management'])
})

t.test('a bootstrap is done once, and again with the reset index', async (t) => {
  const acl = new MemoryAcl()
  const bootstrap = (number: number, resetIndex = 0, isInitial = false): unknown =>
    acl.apply({
      kind: 'acl-bootstrap',
      accessorId: aclId(number),
      secretHash: secretHash(`secret-${number}`),
      token: tokenDefinition({ policies: [globalManagementId] }),
      resetIndex,
      isInitial,
    })
  t.equal(bootstrap(1), undefined)
  t.equal(acl.reader.resetIndex(), 1)
  t.equal(bootstrap(2), 'bootstrapped 1')
  t.equal(bootstrap(2, 7), 'bootstrapped 1')
  t.equal(bootstrap(2, 1), undefined)
  t.equal(acl.reader.resetIndex(), 4)
  t.equal(bootstrap(3, 1), 'bootstrapped 4', 'a number allows it once')
  t.equal(bootstrap(3, 0, true), undefined, 'the token of an option is made nevertheless')
  t.equal(bootstrap(3, 0, true), 'taken-secret', 'once')
  t.equal(acl.reader.resetIndex(), 4)
})

t.test('expired tokens are removed', async (t) => {
  const acl = new MemoryAcl()
  acl.token(1, { expirationTimeMs: 50 })
  acl.token(2, { expirationTimeMs: 60 })
  acl.token(3)
  t.equal(acl.reader.nextExpirationMs(0), 50)
  t.equal(acl.reader.nextExpirationMs(50), 60)
  acl.apply({ kind: 'acl-tokens-expire', untilMs: 50 })
  const left = [...acl.reader.storedTokens()].map(({ accessorId }) => accessorId)
  t.strictSame(left, [aclId(2), aclId(3)])
})

t.test('a malformed command never reaches the log', async (t) => {
  const fault = (body: object): string | undefined =>
    proposalFault({ version: 1, requestId: 'r', actor: 'a', cause: 'c', body })
  const put = { kind: 'acl-token-put', mode: 'create', accessorId: aclId(1) }
  const whole = { ...put, secretHash: secretHash('x'), token: tokenDefinition() }
  t.equal(fault(whole), undefined)
  for (const wrong of [
    { ...whole, secretHash: 'secret' },
    { ...whole, accessorId: 'x' },
    { ...whole, token: { ...whole.token, policies: ['x'] } },
    { ...whole, mode: 'delete' },
    { kind: 'acl-tokens-expire', untilMs: '1' },
  ]) {
    t.ok(fault(wrong)?.startsWith('it is a malformed'), JSON.stringify(wrong).slice(0, 80))
  }
})
