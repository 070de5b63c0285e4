import type { Family } from '../machine/family.ts'
import { openAcl } from './apply.ts'
import { aclCommands } from './commands.ts'
import type { AclCommand } from './commands.ts'
import { AclReader } from './reader.ts'
import { restoreAcl } from './restore.ts'
import { aclMigrations } from './schema.ts'
import { bootstrapTable, policiesTable, rolesTable, tokensTable } from './tables.ts'

/** Tokens, policies and roles of access control. */
export const aclFamily: Family<AclCommand, AclReader> = {
  name: 'acl',
  migrations: aclMigrations,
  tables: [tokensTable, policiesTable, rolesTable, bootstrapTable],
  commands: aclCommands,
  keepsIndexes: true,
  open: openAcl,
  reader: (db) => new AclReader(db),
  restore: restoreAcl,
}
