import { Option, type Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import type { Io } from '../io.ts'
import { addDatacenter } from '../kv/kv-options.ts'
import { addClientOptions, addExamples, collect, newCommand, printJson } from '../new-command.ts'
import { sessionClient, type SessionCommandOptions } from './session-options.ts'

interface CreateOptions extends SessionCommandOptions {
  readonly name?: string
  readonly node?: string
  readonly ttl?: string
  readonly lockDelay?: string
  readonly behavior?: string
  readonly nodeCheck?: readonly string[]
  readonly serviceCheck?: readonly string[]
  readonly checks?: boolean
}

export function sessionCreateCommand(io: Io): Command {
  const command = newCommand(
    'session create',
    'Create a session, and print its ID. With a TTL, renew it before the TTL has passed, or it ends.',
    io,
  )
    .option('--name <text>', 'A name for people.')
    .option('--node <name>', 'The node of the session. (default: the node of the agent)')
    .option(
      '--ttl <duration>',
      'How long the session lasts without a renewal, from 10s to 24h. (default: no limit)',
    )
    .option(
      '--lock-delay <duration>',
      'How long no other session gets its locks after it has ended, from 0s to 60s. (default: 15s)',
    )
    .addOption(
      new Option(
        '--behavior <what>',
        'What happens to its keys when it ends. (default: release)',
      ).choices(['release', 'delete']),
    )
    .addOption(
      new Option(
        '--node-check <id>',
        'A check of the node. The session ends when it is critical. Repeatable. (default: serfHealth)',
      ).argParser(collect),
    )
    .addOption(
      new Option(
        '--service-check <id>',
        'A check of a service on the node. The session ends when it is critical. Repeatable.',
      ).argParser(collect),
    )
    .option('--no-checks', 'Use no check of the node, so that only the TTL ends the session.')
    .action(async (options: CreateOptions) => create(options, io))
  addDatacenter(command)
  addClientOptions(command)
  return addExamples(command, [
    'svcd session create --name deploy --ttl 30s --no-checks',
    'svcd session create --behavior delete --lock-delay 0s',
  ])
}

async function create(options: CreateOptions, io: Io): Promise<void> {
  const { checks, nodeCheck, serviceCheck } = options
  if (checks === false && nodeCheck !== undefined) {
    throw svcdError('usage', { reason: 'Use either --node-check or --no-checks, not both.' })
  }
  const session = {
    ...options,
    nodeChecks: checks === false ? [] : nodeCheck,
    serviceChecks: serviceCheck,
  }
  const id = await (await sessionClient(options, io)).create(session, options)
  if (options.json === true) printJson(io, { ID: id })
  else io.out(`${id}\n`)
}
