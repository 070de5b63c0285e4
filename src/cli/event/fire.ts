import type { Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { EventClient } from '../../client/event.ts'
import { agentClient } from '../agent-client.ts'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, newCommand, printJson } from '../new-command.ts'
import type { ClientOptions } from '../new-command.ts'

interface FireOptions extends ClientOptions {
  readonly name?: string
  readonly node?: string
  readonly service?: string
  readonly tag?: string
  readonly datacenter?: string
}

export function eventCommand(io: Io): Command {
  const command = newCommand(
    'event',
    'Fire a user event. Watches on all agents see it once, and all see events in the same order. Filters are regular ' +
      'expressions. With a filter, the event is only for agents that match when you fire it.',
    io,
  )
    .argument('[payload]', 'A text of at most 4 KiB that the event carries. (default: empty)')
    .option('--name <name>', 'The name of the event. Required.')
    .option('--node <regexp>', 'Only for agents whose node name matches.')
    .option('--service <regexp>', 'Only for agents that have a service whose name matches.')
    .option('--tag <regexp>', 'With --service: the service must have a tag that matches.')
    .option(
      '--datacenter <name>',
      'The datacenter to fire in. (default: the datacenter of the agent)',
    )
    .action(async (payload: string | undefined, options: FireOptions) => {
      const { name = '', node, service, tag, datacenter } = options
      if (name === '') throw usage('Event name must be specified: use --name.')
      const hasTagOnly = (tag ?? '') !== '' && (service ?? '') === ''
      if (hasTagOnly) throw usage('Cannot provide tag filter without service filter.')
      const events = new EventClient(await agentClient(options, io))
      const bytes = payload === undefined ? undefined : Buffer.from(payload)
      const event = await events.fire({ name, node, service, tag, datacenter, payload: bytes })
      if (options.json === true) printJson(io, event)
      else io.out(`Event ID: ${event.ID}\n`)
    })
  addClientOptions(command)
  return addExamples(command, [
    'svcd event -name deploy v42',
    'svcd event -name reload -service ^web$',
    "svcd event -name drain -node '^n[12]$'",
  ])
}

function usage(reason: string): Error {
  return svcdError('usage', { reason: `${reason} See \`svcd event --help\`.` })
}
