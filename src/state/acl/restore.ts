import { isDeepStrictEqual } from 'node:util'
import type { AclCommand } from './commands.ts'
import type {
  AclPolicy,
  AclRole,
  AclToken,
  PolicyDefinition,
  RoleDefinition,
  TokenDefinition,
} from './model.ts'
import type { AclReader } from './reader.ts'

type Step = readonly AclCommand[] | undefined

/**
 * The commands that turn the present tokens, policies and roles into the archived ones. Objects with another name or
 * secret go first, so that it is free for the one that had it.
 */
export function* restoreAcl(archived: AclReader, present: AclReader): Generator<Step> {
  yield* policies(archived, present)
  yield* roles(archived, present)
  yield* tokens(archived, present)
  const resetIndex = archived.resetIndex()
  const isSame = resetIndex === present.resetIndex()
  yield isSame ? undefined : [{ kind: 'acl-bootstrap-restore', resetIndex }]
}

function* policies(archived: AclReader, present: AclReader): Generator<Step> {
  for (const { id, name } of present.policies()) {
    const isKept = archived.policy(id)?.name === name
    yield isKept ? undefined : [{ kind: 'acl-policy-delete', id }]
  }
  for (const row of archived.policies()) {
    const { id } = row
    const policy = policyDefinition(row)
    const before = present.policy(id)
    const isSame = before !== undefined && isDeepStrictEqual(policyDefinition(before), policy)
    yield isSame ? undefined : [{ kind: 'acl-policy-put', id, mode: 'any', policy }]
  }
}

function* roles(archived: AclReader, present: AclReader): Generator<Step> {
  for (const { id, name } of present.roles()) {
    const isKept = archived.role(id)?.name === name
    yield isKept ? undefined : [{ kind: 'acl-role-delete', id }]
  }
  for (const row of archived.roles()) {
    const { id } = row
    const role = roleDefinition(row)
    const before = present.role(id)
    const isSame = before !== undefined && isDeepStrictEqual(roleDefinition(before), role)
    yield isSame ? undefined : [{ kind: 'acl-role-put', id, mode: 'any', role }]
  }
}

function* tokens(archived: AclReader, present: AclReader): Generator<Step> {
  for (const { accessorId, secretHash } of present.storedTokens()) {
    const isKept = archived.storedToken(accessorId)?.secretHash === secretHash
    yield isKept ? undefined : [{ kind: 'acl-token-delete', accessorId }]
  }
  for (const row of archived.storedTokens()) {
    const { accessorId, secretHash } = row
    const token = tokenDefinition(row)
    const before = present.storedToken(accessorId)
    const isSame = before !== undefined && isDeepStrictEqual(tokenDefinition(before), token)
    yield isSame
      ? undefined
      : [{ kind: 'acl-token-put', mode: 'any', accessorId, secretHash, token }]
  }
}

function policyDefinition({ id: _i, createIndex: _c, modifyIndex: _m, ...rest }: AclPolicy) {
  return rest satisfies PolicyDefinition
}

function roleDefinition({ id: _i, createIndex: _c, modifyIndex: _m, ...rest }: AclRole) {
  return rest satisfies RoleDefinition
}

function tokenDefinition(row: AclToken) {
  const { accessorId: _a, secretHash: _s, createIndex: _c, modifyIndex: _m, ...rest } = row
  return rest satisfies TokenDefinition
}
