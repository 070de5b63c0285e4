import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { anonymous } from '../../src/access/caller.ts'
import { Authorizer } from '../../src/access/rules/authorizer.ts'
import type { FamilyReads } from '../../src/ports/reads.ts'
import { globalManagementId } from '../../src/state/acl/model.ts'
import type { AclReader } from '../../src/state/acl/reader.ts'
import { TokenBook } from '../../src/tokens/token-book.ts'
import type { TokenOptions } from '../../src/tokens/token-book.ts'
import { aclId, MemoryAcl, policyDefinition, roleDefinition } from '../helpers/acl.ts'

const options: TokenOptions = { isEnabled: true, defaultPolicy: 'deny', defaultSecret: undefined }

/** Tokens over a state in memory, with a clock that stands still. */
class Rig {
  readonly acl = new MemoryAcl()
  readonly lines: string[] = []
  reads = 0
  waits = 0
  version = 0
  nowMs = 1000
  wake = (): void => {}
  readonly book: TokenBook

  constructor(given: Partial<TokenOptions> = {}) {
    const note = (fields: object, message: string): void => {
      this.lines.push(`${message} ${JSON.stringify(fields)}`)
    }
    const state: Pick<FamilyReads<AclReader>, 'read' | 'version' | 'waitForChange'> = {
      read: (query) => {
        this.reads++
        return query(this.acl.reader)
      },
      version: () => this.version,
      waitForChange: () => {
        this.waits++
        const ended = new Promise<void>((resolve) => (this.wake = resolve))
        return { ended, end: () => this.wake() }
      },
    }
    this.book = new TokenBook(
      { ...options, ...given },
      {
        state,
        datacenter: 'dc1',
        nodeName: 'n1',
        clock: { wallMs: () => this.nowMs },
        logger: { debug: note, info: note, warn: note, error: note },
      },
    )
  }

  /** After a change of the state. */
  changed(): void {
    this.version++
  }
}

const readWeb = 'service "web" { policy = "read" }'

t.test('while access control is off, everybody may do everything', async (t) => {
  const { book } = new Rig({ isEnabled: false })
  t.strictSame(book.requester('whatever'), { caller: anonymous, accessorId: '' })
  t.equal(book.defaultPolicy, 'allow')
})

t.test('tokens with the same rules have one caller, over changes of others', async (t) => {
  const rig = new Rig()
  rig.acl.policy(1, policyDefinition('p', { rules: readWeb }))
  rig.acl.role(1, roleDefinition('r', { policies: [aclId(1)] }))
  rig.acl.token(1, { policies: [aclId(1)] })
  rig.acl.token(2, { roles: [aclId(1)], policies: [aclId(1)] })
  rig.acl.token(3)
  const callerOf = (number: number) => rig.book.requester(`secret-${number}`).caller
  const caller = callerOf(1)
  t.equal(caller, callerOf(2), 'by a role or directly')
  t.not(caller, callerOf(3))
  t.equal(callerOf(3), rig.book.requester(undefined).caller, 'without rules it may do what all may')
  t.equal(caller.rights.allows('service', 'web', 'read'), true)
  t.equal(caller.rights.allows('service', 'web', 'write'), false)
  rig.acl.policy(2, policyDefinition('other'))
  rig.changed()
  t.equal(callerOf(1), caller)
  rig.acl.policy(
    1,
    policyDefinition('p', { rules: 'service "web" { policy = "write" }' }),
    'update',
  )
  rig.changed()
  t.not(callerOf(1), caller)
  t.equal(callerOf(1).rights.allows('service', 'web', 'write'), true)
  t.ok(callerOf(1).rights instanceof Authorizer)
})

t.test('who sends the recovery secret may change this agent and read nodes, only', async (t) => {
  const recoverySecret = 'recover-me'
  const rig = new Rig({ defaultPolicy: 'allow', recoverySecret })
  const { caller, accessorId } = rig.book.requester(recoverySecret)
  t.equal(rig.reads, 0, 'the tokens may be lost')
  t.equal(accessorId, 'agent-recovery')
  for (const [resource, name, access, isAllowed] of [
    ['agent', 'n1', 'write', true],
    ['agent', 'n2', 'read', false],
    ['node', 'n2', 'read', true],
    ['node', 'n1', 'write', false],
    ['service', 'web', 'read', false],
    ['key', 'a', 'read', false],
    ['acl', '', 'read', false],
    ['operator', '', 'read', false],
  ] as const) {
    t.equal(
      caller.rights.allows(resource, name, access),
      isAllowed,
      `${resource} ${name} ${access}`,
    )
  }
  t.equal(rig.book.isSecret(recoverySecret), true, 'it is hidden in texts')
  rig.book.setOptions({ isEnabled: true, defaultPolicy: 'deny', defaultSecret: undefined })
  t.throws(() => rig.book.requester(recoverySecret), { code: 'acl-not-found' })
  rig.book.setOptions({ ...options, recoverySecret: '' })
  t.not(rig.book.requester('').accessorId, 'agent-recovery', 'an empty one is none')
})

t.test('a known secret is looked up once, and a wrong one is not remembered', async (t) => {
  const rig = new Rig()
  rig.acl.token(1)
  rig.book.requester('secret-1')
  rig.book.requester('secret-1')
  t.equal(rig.reads, 1)
  for (let n = 0; n < 3; n++) {
    t.throws(() => rig.book.requester('wrong'), { code: 'acl-not-found' })
  }
  t.equal(rig.reads, 4)
  t.throws(() => rig.book.requester('x'.repeat(513)), { code: 'acl-not-found' })
  t.equal(rig.reads, 4, 'a long one is not even hashed')
  rig.acl.apply({ kind: 'acl-token-delete', accessorId: aclId(1) })
  rig.changed()
  t.throws(() => rig.book.requester('secret-1'), { code: 'acl-not-found' })
})

t.test('requests without a secret have the default token, else the anonymous one', async (t) => {
  const rig = new Rig({ defaultSecret: 'secret-1' })
  rig.acl.token(1, { policies: [globalManagementId] })
  t.equal(rig.book.requester(undefined).accessorId, aclId(1))
  t.equal(rig.book.requester('').accessorId, aclId(1))
  rig.book.setOptions(options)
  t.equal(rig.book.requester(undefined).accessorId, '00000000-0000-0000-0000-000000000002')
})

t.test('a token counts until it expires', async (t) => {
  const rig = new Rig()
  rig.acl.token(1, { expirationTimeMs: 2000 })
  t.equal(rig.book.requester('secret-1').accessorId, aclId(1))
  rig.nowMs = 2000
  t.throws(() => rig.book.requester('secret-1'), { code: 'acl-not-found' })
})

t.test('policies and identities of other datacenters do not count', async (t) => {
  const rig = new Rig()
  const rules = 'key_prefix "" { policy = "read" }'
  rig.acl.policy(1, policyDefinition('there', { rules, datacenters: ['dc2'] }))
  rig.acl.token(1, {
    policies: [aclId(1)],
    serviceIdentities: [{ serviceName: 'web', datacenters: ['dc1'] }],
    nodeIdentities: [{ nodeName: 'n1', datacenter: 'dc2' }],
  })
  const { rights } = rig.book.requester('secret-1').caller
  t.equal(rights.allows('key', 'a', 'read'), false)
  t.equal(rights.allows('service', 'web', 'write'), true)
  t.equal(rights.allows('node', 'n1', 'write'), false)
})

t.test('a policy that cannot be parsed denies everything, and is logged once', async (t) => {
  const rig = new Rig({ defaultPolicy: 'allow' })
  rig.acl.policy(1, policyDefinition('broken', { rules: 'nonsense {' }))
  rig.acl.token(1, { policies: [aclId(1)] })
  rig.acl.token(2, { policies: [aclId(1), globalManagementId] })
  for (const secret of ['secret-1', 'secret-2', 'secret-1']) {
    const { rights } = rig.book.requester(secret).caller
    t.equal(rights.allows('service', 'web', 'read'), false)
    t.equal(rights.allows('acl', '', 'write'), false)
  }
  t.equal(rig.lines.length, 1)
  t.match(rig.lines[0], /"policy":"broken"/)
})

t.test('listeners hear of changes, of expiries and of options', async (t) => {
  const rig = new Rig()
  rig.acl.token(1, { expirationTimeMs: 2000 })
  let heard = 0
  const stop = rig.book.onChange(() => heard++)
  await turn()
  rig.changed()
  rig.wake()
  await turn()
  t.equal(heard, 1)
  rig.wake()
  await turn()
  t.equal(heard, 1, 'nothing has changed')
  rig.nowMs = 2000
  rig.wake()
  await turn()
  t.equal(heard, 2, 'a token has expired')
  rig.book.setOptions({ ...options, defaultPolicy: 'allow' })
  t.equal(heard, 3)
  stop()
  await rig.book.stop()
})

t.test('all listeners share one wait, which ends with the book', async (t) => {
  const rig = new Rig()
  const stops = [1, 2, 3].map(() => rig.book.onChange(() => {}))
  await turn()
  t.equal(rig.waits, 1)
  for (const stop of stops) stop()
  rig.book.onChange(() => {})
  await turn()
  t.equal(rig.waits, 1, 'the wait of those before is still open')
  await rig.book.stop()
  rig.changed()
  await turn()
  t.equal(rig.waits, 1, 'nothing waits any more')
})
