import type { Command } from 'commander'
import type { RoleEntry } from '../../client/acl.ts'
import type { Io } from '../io.ts'
import { addExamples, newCommand } from '../new-command.ts'
import {
  aclClient,
  addAclOptions,
  namedEntry,
  printAll,
  printDeleted,
  printOne,
  required,
} from './acl-options.ts'
import type { AclOptions, NamedOptions } from './acl-options.ts'
import { roleColumns, roleText } from './acl-text.ts'
import { addGrantsOptions, grantsOf, mergedIdentities, mergedLinks } from './grants-options.ts'
import type { GrantsOptions } from './grants-options.ts'

interface WriteOptions extends NamedOptions, GrantsOptions {
  readonly description?: string
}

export function roleCreateCommand(io: Io): Command {
  const command = newCommand(
    'acl role create',
    'Create a role: a name for policies and identities that tokens can have.',
    io,
  )
    .option('--name <name>', 'The name: letters, digits, - and _.')
    .option('--description <text>', 'What the role is for.')
    .action(async (options: WriteOptions) => {
      const fields = {
        Name: required(options.name, 'Name the role: -name NAME.'),
        Description: options.description ?? '',
        ...grantsOf(options),
      }
      await printRole(io, options, await (await aclClient(options, io)).create('role', fields))
    })
  addGrantsOptions(command)
  addAclOptions(command)
  return addExamples(command, ['svcd acl role create -name web-team -service-identity web'])
}

interface UpdateOptions extends WriteOptions {
  /** False with --no-merge. */
  readonly merge: boolean
}

export function roleUpdateCommand(io: Io): Command {
  const command = newCommand(
    'acl role update',
    'Change a role. Policies and identities that you give are added to the present ones.',
    io,
  )
    .option('--id <id>', 'The ID of the role, or its first characters.')
    .option('--name <name>', 'The role of this name; with --id: its new name.')
    .option('--description <text>', 'What the role is for.')
    .option('--no-merge', 'The role has only what you give.')
    .action(async (options: UpdateOptions) => {
      const { id, name, description, merge } = options
      const client = await aclClient(options, io)
      const role = await namedEntry(client, 'role', options)
      const kept: Partial<RoleEntry> = merge ? role : {}
      const given = grantsOf(options)
      const fields = {
        ID: role.ID,
        Name: (id === undefined ? undefined : name) ?? role.Name,
        Description: description ?? kept.Description ?? '',
        Policies: mergedLinks(kept.Policies, given.Policies),
        ServiceIdentities: mergedIdentities(kept.ServiceIdentities, given.ServiceIdentities),
        NodeIdentities: mergedIdentities(kept.NodeIdentities, given.NodeIdentities),
      }
      await printRole(io, options, await client.update('role', role.ID, fields))
    })
  addGrantsOptions(command)
  addAclOptions(command)
  return addExamples(command, ['svcd acl role update -name web-team -policy-name kv-web'])
}

export function roleReadCommand(io: Io): Command {
  const command = newCommand('acl role read', 'Show a role.', io).action(
    async (options: NamedOptions) => {
      const client = await aclClient(options, io)
      await printRole(io, options, await namedEntry(client, 'role', options))
    },
  )
  addRoleName(command)
  addAclOptions(command)
  return addExamples(command, ['svcd acl role read -name web-team'])
}

export function roleDeleteCommand(io: Io): Command {
  const command = newCommand(
    'acl role delete',
    'Delete a role. Its tokens lose what it granted.',
    io,
  ).action(async (options: NamedOptions) => {
    const client = await aclClient(options, io)
    const { ID: id, Name } = await namedEntry(client, 'role', options)
    await client.delete('role', id)
    await printDeleted(io, options, { kind: 'role', id, shown: `${Name} (${id})` })
  })
  addRoleName(command)
  addAclOptions(command)
  return addExamples(command, ['svcd acl role delete -name web-team'])
}

function addRoleName(command: Command): Command {
  return command
    .option('--id <id>', 'The ID of the role, or its first characters.')
    .option('--name <name>', 'The name of the role.')
}

const listed = {
  columns: roleColumns,
  nameOf: ({ Name }: RoleEntry): string => Name,
}

export function roleListCommand(io: Io): Command {
  const command = newCommand('acl role list', 'List the roles.', io).action(
    async (options: AclOptions) => printAll(io, options, 'role', listed),
  )
  addAclOptions(command)
  return addExamples(command, ['svcd acl role list'])
}

function printRole(io: Io, options: AclOptions, role: RoleEntry): Promise<void> {
  const text = roleText(role, options.meta)
  return printOne(io, options, { data: role, name: role.Name, text })
}
