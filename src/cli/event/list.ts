import type { Command } from 'commander'
import { EventClient, payloadText } from '../../client/event.ts'
import type { EventEntry } from '../../client/rows.ts'
import { agentClient } from '../agent-client.ts'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, newCommand } from '../new-command.ts'
import type { ClientOptions } from '../new-command.ts'
import { addOutputOptions, printList } from '../output.ts'
import type { Column, OutputOptions } from '../output.ts'

interface ListOptions extends ClientOptions, OutputOptions {
  readonly name?: string
  readonly node?: string
  readonly datacenter?: string
}

const columns: readonly Column<EventEntry>[] = [
  { header: 'LTime', cell: ({ LTime }) => String(LTime) },
  { header: 'Name', cell: ({ Name }) => Name },
  { header: 'Payload', cell: payloadText },
  { header: 'For', cell: filtersOf },
  { header: 'ID', cell: ({ ID }) => ID, isWide: true },
]

export function eventListCommand(io: Io): Command {
  const command = newCommand(
    'event list',
    'List the last 256 user events for the agent, the oldest first.',
    io,
  )
    .option('--name <name>', 'List only events of this name.')
    .option(
      '--node <regexp>',
      'List the events for agents whose node name matches. (default: the events for the agent that you ask)',
    )
    .option('--datacenter <name>', 'The datacenter to ask. (default: the datacenter of the agent)')
    .action(async (options: ListOptions) => {
      const { name, node, datacenter } = options
      const events = new EventClient(await agentClient(options, io))
      const rows = await events.list({ name, node, datacenter })
      await printList(io, options, { data: rows, rows, columns, nameOf: ({ Name }) => Name })
    })
  addOutputOptions(command)
  addClientOptions(command)
  return addExamples(command, ['svcd event list', 'svcd event list -name deploy -o wide'])
}

/** The filters that it was fired with. */
function filtersOf({ NodeFilter, ServiceFilter, TagFilter }: EventEntry): string {
  const filters = { node: NodeFilter, service: ServiceFilter, tag: TagFilter }
  return Object.entries(filters)
    .flatMap(([kind, filter]) => (filter === '' ? [] : [`${kind} ${filter}`]))
    .join(', ')
}
