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

export function leaveCommand(io: Io): Command {
  const command = newCommand(
    'leave',
    'Remove the agent from its cluster permanently, with all services and checks that are registered on it, and ' +
      'stop the agent. To restart an agent, stop it instead: a stopped server stays a member.',
    io,
  ).action(async (options: ClientOptions) => {
    await (await agentClient(options, io)).leave()
    if (options.json === true) printJson(io, { left: true })
    else io.out('Graceful leave complete\n')
  })
  addClientOptions(command)
  return addExamples(command, ['svcd leave', 'svcd leave -http-addr 10.0.0.3:8500'])
}
