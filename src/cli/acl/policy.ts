import type { Command } from 'commander'
import { collect, addExamples, newCommand } from '../new-command.ts'
import type { PolicyEntry } from '../../client/acl-rows.ts'
import type { Io } from '../io.ts'
import { aclClient, addAclOptions, namedEntry, required } from './acl-options.ts'
import type { NamedOptions } from './acl-options.ts'
import { policyColumns, policyText } from './acl-text.ts'
import { NamedCommands } from './named-commands.ts'
import { rulesFrom } from './text-argument.ts'

const policies = new NamedCommands({
  kind: 'policy',
  columns: policyColumns,
  textOf: policyText,
  list: {
    summary: 'List the policies.',
    examples: ['svcd acl policy list', 'svcd acl policy list -o json'],
  },
  read: {
    summary: 'Show a policy with its rules.',
    examples: ['svcd acl policy read -name global-management'],
  },
  delete: {
    summary: 'Delete a policy. Its tokens and roles lose what it granted.',
    examples: ['svcd acl policy delete -name web-write'],
  },
})

interface WriteOptions extends NamedOptions {
  readonly description?: string
  readonly rules?: string
  readonly validDatacenter?: readonly string[]
}

export function policyCreateCommand(io: Io): Command {
  const command = newCommand(
    'acl policy create',
    'Create a policy: a name for rules that tokens and roles can have.',
    io,
  )
    .option('--name <name>', 'The name: letters, digits, - and _.')
    .action(async (options: WriteOptions) => {
      const { description = '', rules = '', validDatacenter } = options
      const fields = {
        Name: required(options.name, 'Name the policy: -name NAME.'),
        Description: description,
        Rules: await rulesFrom(rules, io),
        ...(validDatacenter !== undefined && { Datacenters: validDatacenter }),
      }
      await policies.print(
        io,
        options,
        await (await aclClient(options, io)).create('policy', fields),
      )
    })
  addWriteOptions(command)
  addAclOptions(command)
  return addExamples(command, [
    `svcd acl policy create -name web -rules 'service "web" { policy = "write" }'`,
    'svcd acl policy create -name web-write -rules @web-write.hcl',
  ])
}

function addWriteOptions(command: Command): Command {
  return command
    .option('--description <text>', 'What the policy is for.')
    .option(
      '--rules <rules>',
      'The rules: their text in HCL or JSON, @file for the content of a file, or - for standard input.',
    )
    .option(
      '--valid-datacenter <name>',
      'The policy counts only in this datacenter. Repeatable. (default: all)',
      collect,
    )
}

interface UpdateOptions extends WriteOptions {
  /** False with --no-merge. */
  readonly merge: boolean
}

export function policyUpdateCommand(io: Io): Command {
  const command = newCommand(
    'acl policy update',
    'Change a policy. It counts for all its tokens immediately. What you do not give stays as it is.',
    io,
  )
    .option('--id <id>', 'The ID of the policy, or its first characters.')
    .option('--name <name>', 'The policy of this name; with --id: its new name.')
    .option('--no-merge', 'What you do not give becomes empty.')
    .action(async (options: UpdateOptions) => {
      const { id, name, description, rules, validDatacenter, merge } = options
      const client = await aclClient(options, io)
      const text = rules === undefined ? undefined : await rulesFrom(rules, io)
      const policy = await namedEntry(client, 'policy', options)
      const kept: Partial<PolicyEntry> = merge ? policy : {}
      const fields = {
        ID: policy.ID,
        Name: (id === undefined ? undefined : name) ?? policy.Name,
        Description: description ?? kept.Description ?? '',
        Rules: text ?? kept.Rules ?? '',
        Datacenters: validDatacenter ?? kept.Datacenters ?? [],
      }
      await policies.print(io, options, await client.update('policy', policy.ID, fields))
    })
  addWriteOptions(command)
  addAclOptions(command)
  return addExamples(command, ['svcd acl policy update -name web-write -rules @web-write.hcl'])
}

export const policyListCommand = (io: Io): Command => policies.list(io)
export const policyReadCommand = (io: Io): Command => policies.read(io)
export const policyDeleteCommand = (io: Io): Command => policies.delete(io)
