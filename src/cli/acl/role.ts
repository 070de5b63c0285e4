import type { Command } from 'commander'
import type { RoleEntry } from '../../client/acl-rows.ts'
import type { Io } from '../io.ts'
import { addExamples, newCommand } from '../new-command.ts'
import { aclClient, addAclOptions, namedEntry, required } from './acl-options.ts'
import type { NamedOptions } from './acl-options.ts'
import { roleColumns, roleText } from './acl-text.ts'
import { addGrantsOptions, grantsOf, mergedIdentities, mergedLinks } from './grants-options.ts'
import type { GrantsOptions } from './grants-options.ts'
import { NamedCommands } from './named-commands.ts'

const roles = new NamedCommands({
  kind: 'role',
  columns: roleColumns,
  textOf: roleText,
  list: { summary: 'List the roles.', examples: ['svcd acl role list'] },
  read: { summary: 'Show a role.', examples: ['svcd acl role read -name web-team'] },
  delete: {
    summary: 'Delete a role. Its tokens lose what it granted.',
    examples: ['svcd acl role delete -name web-team'],
  },
})

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
      await roles.print(io, options, await (await aclClient(options, io)).create('role', fields))
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
      await roles.print(io, options, await client.update('role', role.ID, fields))
    })
  addGrantsOptions(command)
  addAclOptions(command)
  return addExamples(command, ['svcd acl role update -name web-team -policy-name kv-web'])
}

export const roleListCommand = (io: Io): Command => roles.list(io)
export const roleReadCommand = (io: Io): Command => roles.read(io)
export const roleDeleteCommand = (io: Io): Command => roles.delete(io)
