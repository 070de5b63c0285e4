import type { Migration } from '../machine/family.ts'
import { createTable } from '../machine/table.ts'
import { bootstrapTable, policiesTable, rolesTable, tokensTable } from './tables.ts'

/** The first format that has tokens, policies and roles. */
export const aclFormat = 12

export const aclMigrations: readonly Migration[] = [
  {
    format: aclFormat,
    sql: `
      ${createTable(tokensTable)}
      ${createTable(policiesTable)}
      ${createTable(rolesTable)}
      ${createTable(bootstrapTable)}
      CREATE UNIQUE INDEX acl_tokens_by_secret ON acl_tokens (secret_hash);
      CREATE INDEX acl_tokens_by_expiration ON acl_tokens (expiration_time_ms)
        WHERE expiration_time_ms > 0;
      CREATE UNIQUE INDEX acl_policies_by_name ON acl_policies (name);
      CREATE UNIQUE INDEX acl_roles_by_name ON acl_roles (name);
    `,
  },
]
