import type { Command } from 'commander'
import { svcdError } from '../base/errors.ts'
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
    'Remove a failed server from the cluster, with all services and checks that are registered on it.',
    io,
  )
    .argument(
      '<node>',
      'The name of the server, as `svcd members` shows it, or its ID. Use the ID if the name shows as (unknown).',
    )
    // For compatibility with Consul. svcd has no list of servers that left.
    .option('--prune', 'Accepted for compatibility with Consul; has no effect.')
    .action(async (node: string, options: ClientOptions) => {
      const refusals = await (await agentClient(options, io)).forceLeave(node)
      // No error for the programs that Consul answers 200. Who types it wants it removed.
      if (refusals.length > 0) throw svcdError('member-alive', { name: node })
      if (options.json === true) printJson(io, { left: node })
      else io.out(`Removed ${node}\n`)
    })
  addClientOptions(command)
  return addExamples(command, [
    'svcd force-leave n3',
    'svcd force-leave 0f8b3a52-6d0c-4b1e-9a67-1f2d3c4b5a69',
  ])
}
