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

export function joinCommand(io: Io): Command {
  const command = newCommand(
    'join',
    'Join the agent to an existing cluster. The agent must not belong to a cluster yet.',
    io,
  )
    .argument(
      '<address...>',
      'The address of a server of the cluster: host or host:port. (default port: 8300)',
    )
    .action(async (addresses: readonly string[], options: ClientOptions) => {
      const client = await agentClient(options, io)
      for (const address of addresses) await client.join(address)
      if (options.json === true) printJson(io, { joined: addresses })
      // In Consul's words.
      else io.out(`Successfully joined cluster by contacting ${addresses.length} nodes.\n`)
    })
  addClientOptions(command)
  return addExamples(command, ['svcd join 10.0.0.1', 'svcd join 10.0.0.1:8300 10.0.0.2:8300'])
}
