import type { Command } from 'commander'
import type { Member } from '../client/rows.ts'
import { reasonOf, svcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import { pairs } from './columns.ts'
import { hostPort } from './endpoint.ts'
import type { Io } from './io.ts'
import { addClientOptions, addExamples, newCommand, type ClientOptions } from './new-command.ts'
import { addOutputOptions, printList, type Column, type OutputOptions } from './output.ts'
import { toneOf } from './paint.ts'

interface MembersOptions extends ClientOptions, OutputOptions {
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
  const command = newCommand(
    'members',
    'List the servers of the cluster, with their addresses and status.',
    io,
  )
    .option('--detailed', 'Show the tags of each server.')
    .option('--status <regex>', 'List only servers whose status matches: alive, failed or none.')
    .action(async (options: MembersOptions) => {
      const client = await agentClient(options, io)
      const wanted = pattern(options.status)
      const members = (await client.members()).filter((member) => wanted.test(statusOf(member)))
      if (members.length === 0) {
        throw svcdError('no-such-member', { what: `-status ${options.status ?? ''}` })
      }
      const columns = options.detailed === true ? detailedColumns : memberColumns
      return printList(io, options, {
        data: members,
        rows: members,
        columns,
        nameOf: ({ Name }) => Name,
      })
    })
  addClientOptions(command)
  addOutputOptions(command)
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

export function statusOf({ Status }: Member): string {
  return statuses[Status] ?? 'none'
}

const node: Column<Member> = { header: 'Node', cell: ({ Name }) => Name }
const address: Column<Member> = {
  header: 'Address',
  cell: ({ Addr, Port }) => hostPort({ address: Addr, port: Port }),
}
const status: Column<Member> = {
  header: 'Status',
  cell: (member) => ({ text: statusOf(member), tone: toneOf(statusOf(member)) }),
}

const memberColumns: readonly Column<Member>[] = [
  node,
  address,
  status,
  { header: 'Type', cell: ({ Tags }) => (Tags['role'] === 'consul' ? 'server' : 'client') },
  // `1.21.4:svcd-0.1.0`: the API's version, and svcd's own.
  { header: 'Build', cell: ({ Tags }) => (Tags['build'] ?? '').replace(/^.*:svcd-/, '') },
  { header: 'Protocol', cell: ({ Tags }) => Tags['vsn'] ?? '' },
  { header: 'DC', cell: ({ Tags }) => Tags['dc'] ?? '' },
  { header: 'Segment', cell: () => '<all>' },
  { header: 'ID', cell: ({ Tags }) => Tags['id'] ?? '', isWide: true },
]

const detailedColumns: readonly Column<Member>[] = [
  node,
  address,
  status,
  { header: 'Tags', cell: ({ Tags }) => pairs(Tags, ',') },
]
