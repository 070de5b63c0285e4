import type {
  AclPolicy,
  AclRole,
  AclToken,
  Grants,
  PolicyDefinition,
  RoleDefinition,
  TokenDefinition,
} from './model.ts'
import type { PolicyRow, RoleRow, TokenRow } from './tables.ts'

interface Indexes {
  readonly create: number
  readonly modify: number
}

type TokenGrants = Grants & Pick<TokenDefinition, 'roles'>

export function tokenRow(
  ids: Pick<AclToken, 'accessorId' | 'secretHash'>,
  token: TokenDefinition,
  indexes: Indexes,
): TokenRow {
  const { policies, roles, serviceIdentities, nodeIdentities } = token
  const grants: TokenGrants = { policies, roles, serviceIdentities, nodeIdentities }
  return {
    accessor_id: ids.accessorId,
    secret_hash: ids.secretHash,
    description: token.description,
    grants: JSON.stringify(grants),
    is_local: token.isLocal ? 1 : 0,
    create_time_ms: token.createTimeMs,
    expiration_time_ms: token.expirationTimeMs,
    create_index: indexes.create,
    modify_index: indexes.modify,
  }
}

export function tokenOf(row: TokenRow): AclToken {
  return {
    accessorId: row.accessor_id,
    secretHash: row.secret_hash,
    description: row.description,
    ...(JSON.parse(row.grants) as TokenGrants),
    isLocal: row.is_local === 1,
    createTimeMs: row.create_time_ms,
    expirationTimeMs: row.expiration_time_ms,
    createIndex: row.create_index,
    modifyIndex: row.modify_index,
  }
}

export function policyRow(id: string, policy: PolicyDefinition, indexes: Indexes): PolicyRow {
  return {
    id,
    name: policy.name,
    description: policy.description,
    rules: policy.rules,
    datacenters: JSON.stringify(policy.datacenters),
    create_index: indexes.create,
    modify_index: indexes.modify,
  }
}

export function policyOf(row: PolicyRow): AclPolicy {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    rules: row.rules,
    datacenters: JSON.parse(row.datacenters) as string[],
    createIndex: row.create_index,
    modifyIndex: row.modify_index,
  }
}

export function roleRow(id: string, role: RoleDefinition, indexes: Indexes): RoleRow {
  const { policies, serviceIdentities, nodeIdentities } = role
  const grants: Grants = { policies, serviceIdentities, nodeIdentities }
  return {
    id,
    name: role.name,
    description: role.description,
    grants: JSON.stringify(grants),
    create_index: indexes.create,
    modify_index: indexes.modify,
  }
}

export function roleOf(row: RoleRow): AclRole {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    ...(JSON.parse(row.grants) as Grants),
    createIndex: row.create_index,
    modifyIndex: row.modify_index,
  }
}
