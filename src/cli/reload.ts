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

export function reloadCommand(io: Io): Command {
  const command = newCommand(
    'reload',
    'Let the agent read its files of services, checks, zones and certificates again, and show what changed. Options ' +
      'of access control and of TLS between servers are applied, all others when you restart the agent. SIGHUP does ' +
      'the same as this command.',
    io,
  ).action(async (options: ClientOptions) => {
    const report = await (await agentClient(options, io)).reload()
    const { Taken, LeftOut, HeldBack, RestartNeeded } = report
    if (options.json === true) printJson(io, { reloaded: true, ...report })
    else {
      io.out('Configuration reload triggered\n')
      if ([Taken, LeftOut, HeldBack, RestartNeeded].every(({ length }) => length === 0)) {
        io.out(
          'Nothing has changed. The agent reads the files that its -config-file, -config-dir and -zones name.\n',
        )
      }
      for (const line of Taken) io.out(`${line}\n`)
      for (const line of LeftOut) io.err(`svcd: skipped: ${line}\n`)
      for (const line of HeldBack) io.err(`svcd: kept: ${line}\n`)
      for (const key of RestartNeeded) {
        io.err(`svcd: ${key} changed; restart the agent to apply it\n`)
      }
    }
    if (LeftOut.length + HeldBack.length === 0) return
    throw svcdError('reload-incomplete', { leftOut: LeftOut.length, heldBack: HeldBack.length })
  })
  addClientOptions(command)
  return addExamples(command, ['svcd reload', 'svcd reload -http-addr 10.0.0.3:8500'])
}
