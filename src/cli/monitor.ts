import type { Command } from 'commander'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import { addClientOptions, addExamples, newCommand, type ClientOptions } from './new-command.ts'

const ended = 'svcd: The agent closed the log stream. It has stopped or crashed.\n'

interface MonitorOptions extends ClientOptions {
  readonly logLevel?: string
  readonly logJson?: boolean
}

export function monitorCommand(io: Io): Command {
  const command = newCommand(
    'monitor',
    'Stream the log of a running agent, until you press Ctrl-C or the agent stops. You can choose a more detailed ' +
      'level than the agent itself logs.',
    io,
  )
    .option(
      '--log-level <level>',
      'The least severe level to print: trace, debug, info, warn or error. (default: info)',
    )
    .option('--log-json', 'Print one JSON object per line.')
    .action(async (options: MonitorOptions) => monitor(options, io))
  addClientOptions(command)
  return addExamples(command, [
    'svcd monitor',
    'svcd monitor -log-level debug',
    'svcd monitor -log-json -http-addr 10.0.0.2:8500',
  ])
}

/** Resolves when the user or the agent has ended the stream; rejects if no agent answers. */
async function monitor(options: MonitorOptions, io: Io): Promise<void> {
  const { logLevel: level, logJson, json } = options
  const interrupted = new AbortController()
  io.onInterrupt?.(() => interrupted.abort())
  const client = await agentClient(options, io)
  const asked = { ...(level === undefined ? {} : { level }), json: (logJson ?? json) === true }
  try {
    for await (const lines of client.monitor(asked, interrupted.signal)) io.out(lines)
    if (!interrupted.signal.aborted) io.err(ended)
  } catch (error) {
    if (!interrupted.signal.aborted) throw error
  }
}
