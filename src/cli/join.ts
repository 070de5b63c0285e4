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
    'Have an agent without a cluster join the one that a server at an address is in.',
    io,
  )
    .argument('<address...>', 'Where others may be found, host or host:port (of servers: 8300).')
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
