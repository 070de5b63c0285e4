import { defineTable } from '../machine/table.ts'
import type { RowOf } from '../machine/table.ts'

const tokenColumns = {
  accessor_id: 'text',
  /** SHA-256 in hex; no two tokens have the same. */
  secret_hash: 'text',
  description: 'text',
  /** Policies, roles and identities, as JSON. */
  grants: 'text',
  is_local: 'integer',
  create_time_ms: 'integer',
  /** 0 for none. */
  expiration_time_ms: 'integer',
  create_index: 'integer',
  modify_index: 'integer',
} as const

export type TokenRow = RowOf<typeof tokenColumns>

export const tokensTable = defineTable('acl_tokens', ['accessor_id'], tokenColumns)

const policyColumns = {
  id: 'text',
  name: 'text',
  description: 'text',
  rules: 'text',
  /** As JSON. */
  datacenters: 'text',
  create_index: 'integer',
  modify_index: 'integer',
} as const

export type PolicyRow = RowOf<typeof policyColumns>

export const policiesTable = defineTable('acl_policies', ['id'], policyColumns)

const roleColumns = {
  id: 'text',
  name: 'text',
  description: 'text',
  /** Policies and identities, as JSON. */
  grants: 'text',
  create_index: 'integer',
  modify_index: 'integer',
} as const

export type RoleRow = RowOf<typeof roleColumns>

export const rolesTable = defineTable('acl_roles', ['id'], roleColumns)

const bootstrapColumns = { name: 'text', reset_index: 'integer' } as const

export type BootstrapRow = RowOf<typeof bootstrapColumns>

/** One row once the first token was made: an operator who writes its number into a file may make one again. */
export const bootstrapTable = defineTable('acl_bootstrap', ['name'], bootstrapColumns)
