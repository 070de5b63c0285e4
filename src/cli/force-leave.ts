import type { Command } from 'commander'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'

export function forceLeaveCommand(io: Io): Command {
  const command = newCommand(
    'force-leave',
    'Take a dead server out of the cluster, with all that is registered on it.',
    io,
  )
    .argument(
      '<node>',
      'Its name, as `svcd members` shows it, or its ID. Use the ID if the name shows as (unknown).',
    )
    // As Consul has it; there is no list of those that left.
    .option('--prune', 'Accepted; a server that left is always removed from the list.')
    .action(async (node: string, options: ClientOptions) => {
      await (await agentClient(options, io)).forceLeave(node)
      if (options.json === true) printJson(io, { left: node })
      else io.out(`Removed ${node}\n`)
    })
  addClientOptions(command)
  return addExamples(command, [
    'svcd force-leave n3',
    'svcd force-leave 0f8b3a52-6d0c-4b1e-9a67-1f2d3c4b5a69',
  ])
}
