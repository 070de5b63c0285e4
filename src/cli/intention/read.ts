import type { Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { visible } from '../../base/invisible.ts'
import type { IntentionCheck, IntentionEntry } from '../../client/intention.ts'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, newCommand } from '../new-command.ts'
import { addOutputOptions, outputFormat, print, printList } from '../output.ts'
import { addQueryReadOptions } from '../query/query-options.ts'
import {
  destinationOf,
  intentionClient,
  intentionColumns,
  lineOf,
  named,
  onlyOne,
  sourceOf,
  sourceOrId,
} from './intention-options.ts'
import type { IntentionCommandOptions } from './intention-options.ts'

export function intentionListCommand(io: Io): Command {
  const command = newCommand(
    'intention list',
    'List the intentions: which service may call which. The intentions that decide first come first.',
    io,
  ).action(async (options: IntentionCommandOptions) => {
    const rows = await (await intentionClient(options, io)).list(options)
    await printRows(io, options, rows, 'There are no intentions.\n')
  })
  addReadOptions(command)
  return addExamples(command, ['svcd intention list', 'svcd intention list --wide'])
}

export function intentionMatchCommand(io: Io): Command {
  const command = newCommand(
    'intention match',
    'List the intentions about a service, in the order in which they decide.',
    io,
  )
    .argument('<service>', 'The name of a service, or * for all services.')
    .option('--source', 'List the intentions that say whom the service may call.')
    .option('--destination', 'List the intentions that say who may call the service. (default)')
    .action(
      async (
        name: string,
        options: IntentionCommandOptions & { source?: boolean; destination?: boolean },
      ) => {
        onlyOne('-source', options.source, '-destination', options.destination)
        const by = options.source === true ? 'source' : 'destination'
        const rows = await (await intentionClient(options, io)).match(by, name, options)
        await printRows(io, options, rows, `No intention is about "${visible(name)}" as ${by}.\n`)
      },
    )
  addReadOptions(command)
  return addExamples(command, ['svcd intention match db', 'svcd intention match -source web'])
}

function printRows(
  io: Io,
  options: IntentionCommandOptions,
  rows: readonly IntentionEntry[],
  empty: string,
): void | Promise<void> {
  const format = outputFormat(options)
  if (rows.length === 0 && (format === 'table' || format === 'wide')) return io.err(empty)
  return printList(io, options, { data: rows, rows, columns: intentionColumns, nameOf })
}

function nameOf({ ID }: IntentionEntry): string {
  return ID
}

export function intentionGetCommand(io: Io): Command {
  const command = newCommand('intention get', 'Print an intention.', io)
    .argument('<source>', sourceOrId)
    .argument('[destination]', 'The destination: a service, or * for all services.')
    .action(
      async (source: string, destination: string | undefined, options: IntentionCommandOptions) => {
        const entry = await named(await intentionClient(options, io), source, destination, options)
        await print(io, options, {
          data: entry,
          names: [entry.ID],
          text: () => textOf(entry),
        })
      },
    )
  addReadOptions(command)
  return addExamples(command, ['svcd intention get web db', 'svcd intention get web db --json'])
}

function textOf(entry: IntentionEntry): string {
  const lines = [
    ['Source', sourceOf(entry)],
    ['Destination', destinationOf(entry)],
    ['Action', entry.Action],
    ['ID', entry.ID],
    ...(entry.Description === '' ? [] : [['Description', entry.Description]]),
    ...Object.entries(entry.Meta)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [`Meta[${key}]`, value]),
    ['Precedence', String(entry.Precedence)],
    ['Created At', entry.CreatedAt],
    ['Updated At', entry.UpdatedAt],
  ].map(([name = '', value = '']) => [`${visible(name)}:`, visible(value)] as const)
  const width = Math.max(...lines.map(([name]) => name.length))
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')
}

export function intentionCheckCommand(io: Io): Command {
  const command = newCommand(
    'intention check',
    'Tell whether one service may call another, and which intention says so. Exits with 1 if it may not.',
    io,
  )
    .argument('<source>', 'The name of the service that calls.')
    .argument('<destination>', 'The name of the service that is called.')
    .action(async (source: string, destination: string, options: IntentionCommandOptions) => {
      const client = await intentionClient(options, io)
      const found = await client.check(source, destination, options)
      const answer = found.Allowed ? 'Allowed' : 'Denied'
      await print(io, options, {
        data: found,
        names: [answer],
        text: () => `${answer}\n`,
      })
      const by = decider(found)
      if (!found.Allowed) throw svcdError('intention-denied', { source, destination, by })
    })
  addReadOptions(command)
  return addExamples(command, ['svcd intention check web db'])
}

function decider({ DecidedBy, Intention }: IntentionCheck): string {
  if (Intention !== null) return `the intention ${lineOf(Intention)} decides`
  if (DecidedBy === 'default') return 'no intention is about them, and the default policy is deny'
  return 'the token may not read the intention that decides'
}

function addReadOptions(command: Command): void {
  addQueryReadOptions(command)
  addClientOptions(command)
  addOutputOptions(command)
}
