import fc from 'fast-check'
import type { AclCommand } from '../../../src/state/acl/commands.ts'
import { anonymousToken, globalManagementId } from '../../../src/state/acl/model.ts'
import {
  aclId,
  policyDefinition,
  roleDefinition,
  secretHash,
  tokenDefinition,
} from '../../helpers/acl.ts'

const id = fc.nat(3).map(aclId)
const accessorId = fc.oneof({ weight: 4, arbitrary: id }, fc.constant(anonymousToken.accessorId))
const hash = fc.constantFrom('a', 'b', 'c', 'd', 'anonymous').map(secretHash)
const mode = fc.constantFrom('create', 'update', 'any')
const name = fc.constantFrom('a', 'b', 'c')
const description = fc.constantFrom('', 'x')
const policies = fc.array(fc.oneof(id, fc.constant(globalManagementId)), { maxLength: 2 })
const grants = {
  description,
  policies,
  serviceIdentities: fc.constantFrom([], [{ serviceName: 'web', datacenters: ['dc1'] }]),
  nodeIdentities: fc.constantFrom([], [{ nodeName: 'n1', datacenter: 'dc1' }]),
}
const token = fc
  .record({
    ...grants,
    roles: fc.array(id, { maxLength: 2 }),
    isLocal: fc.boolean(),
    expirationTimeMs: fc.constantFrom(0, 5, 10),
  })
  .map((text) => tokenDefinition(text))
const policy = fc
  .record({ name, description, rules: fc.constantFrom('', 'acl = "read"') })
  .map(({ name: of, ...text }) => policyDefinition(of, text))
const role = fc.record({ name, ...grants }).map(({ name: of, ...text }) => roleDefinition(of, text))

export const command: fc.Arbitrary<AclCommand> = fc.oneof(
  fc
    .record({ mode, accessorId, secretHash: hash, token })
    .map((rest): AclCommand => ({ kind: 'acl-token-put', ...rest })),
  fc.record({ mode, id, policy }).map((rest): AclCommand => ({ kind: 'acl-policy-put', ...rest })),
  fc.record({ mode, id, role }).map((rest): AclCommand => ({ kind: 'acl-role-put', ...rest })),
  fc
    .record({
      accessorId: id,
      secretHash: hash,
      token,
      resetIndex: fc.nat(5),
      isInitial: fc.boolean(),
    })
    .map((rest): AclCommand => ({ kind: 'acl-bootstrap', ...rest })),
  fc.nat(3).map((resetIndex): AclCommand => ({ kind: 'acl-bootstrap-restore', resetIndex })),
  accessorId.map((of): AclCommand => ({ kind: 'acl-token-delete', accessorId: of })),
  id.map((of): AclCommand => ({ kind: 'acl-policy-delete', id: of })),
  id.map((of): AclCommand => ({ kind: 'acl-role-delete', id: of })),
  fc.constantFrom(4, 7).map((untilMs): AclCommand => ({ kind: 'acl-tokens-expire', untilMs })),
)
