import type { Command } from 'commander'
import type { Member } from '../api/client-rows.ts'
import { reasonOf, svcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import { columns } from './columns.ts'
import { hostPort } from './endpoint.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'

interface MembersOptions extends ClientOptions {
  readonly detailed?: boolean
  readonly status?: string
}

// Serf's numbers, in Consul's words.
const statuses: Readonly<Record<number, string>> = {
  1: 'alive',
  2: 'leaving',
  3: 'left',
  4: 'failed',
}

export function membersCommand(io: Io): Command {
  const command = newCommand('members', 'List the servers of the cluster.', io)
    .option('--detailed', 'Show the tags of each.')
    .option('--status <regex>', 'Only those whose status matches: alive, failed, none.')
    .action(async (options: MembersOptions) => {
      const client = await agentClient(options, io)
      const wanted = pattern(options.status)
      const members = (await client.members()).filter((member) => wanted.test(statusOf(member)))
      if (members.length === 0) {
        throw svcdError('no-such-member', { what: `-status ${options.status ?? ''}` })
      }
      if (options.json === true) printJson(io, members)
      else io.out(options.detailed === true ? detailedTable(members) : table(members))
    })
  addClientOptions(command)
  return addExamples(command, [
    'svcd members',
    'svcd members -status failed',
    'svcd members -detailed',
  ])
}

function pattern(text: string | undefined): RegExp {
  try {
    return new RegExp(`^(?:${text ?? '.*'})$`)
  } catch (error) {
    throw svcdError('invalid-option', { option: '-status', reason: reasonOf(error) })
  }
}

function statusOf({ Status }: Member): string {
  return statuses[Status] ?? 'none'
}

function table(members: readonly Member[]): string {
  return columns(
    ['Node', 'Address', 'Status', 'Type', 'Build', 'Protocol', 'DC', 'Segment'],
    members.map((member) => [
      member.Name,
      hostPort({ address: member.Addr, port: member.Port }),
      statusOf(member),
      member.Tags['role'] === 'consul' ? 'server' : 'client',
      // `1.21.4:svcd-0.1.0`: the API's version, and svcd's own.
      (member.Tags['build'] ?? '').replace(/^.*:svcd-/, ''),
      member.Tags['vsn'] ?? '',
      member.Tags['dc'] ?? '',
      '<all>',
    ]),
  )
}

function detailedTable(members: readonly Member[]): string {
  return columns(
    ['Node', 'Address', 'Status', 'Tags'],
    members.map((member) => [
      member.Name,
      hostPort({ address: member.Addr, port: member.Port }),
      statusOf(member),
      Object.entries(member.Tags)
        .map(([key, value]) => `${key}=${value}`)
        .toSorted()
        .join(','),
    ]),
  )
}
