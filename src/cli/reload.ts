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

export function reloadCommand(io: Io): Command {
  const command = newCommand(
    'reload',
    'Have the agent read its configuration again: service files, check files and zone files, and\n' +
      'the options that may change while it runs. SIGHUP does the same.',
    io,
  ).action(async (options: ClientOptions) => {
    await (await agentClient(options, io)).reload()
    if (options.json === true) printJson(io, { reloaded: true })
    else io.out('Configuration reload triggered\n')
  })
  addClientOptions(command)
  return addExamples(command, ['svcd reload', 'svcd reload -http-addr 10.0.0.3:8500'])
}
