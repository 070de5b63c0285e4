import { Option, type Command } from 'commander'
import type { CheckEntry } from '../client/rows.ts'
import type { Client } from '../client/client.ts'
import { svcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import { outputOf } from './instance-health.ts'
import type { Io } from './io.ts'
import {
  addExamples,
  addReadOptions,
  listOptions,
  newCommand,
  type ReadOptions,
} from './new-command.ts'
import { addOutputOptions, outputFormat, printList, type Column } from './output.ts'
import type { OutputOptions } from './output.ts'
import { toneOf } from './paint.ts'
import { sinceOf, type Since } from './since.ts'

interface ChecksOptions extends ReadOptions, OutputOptions {
  readonly node?: string
  readonly state?: string
}

const states = ['any', 'passing', 'warning', 'critical']

export function checksCommand(io: Io): Command {
  const command = newCommand('checks', 'List health checks with their latest output.', io)
    .argument('[service]', 'List only the checks of this service.')
    .option('--node <name>', 'List only the checks of this node and its services.')
    .addOption(
      new Option(
        '--state <state>',
        'List only checks in this state: passing, warning or critical.',
      ),
    )
    .action(async (service: string | undefined, options: ChecksOptions) => {
      const client = await agentClient(options, io)
      const checks = await chosenChecks(client, service, options)
      const format = outputFormat(options)
      if (checks.length === 0 && (format === 'table' || format === 'wide')) {
        return io.err('No checks match the given query - try expanding your search.\n')
      }
      const since = format === 'wide' ? await sinceOf(client, checks) : () => ''
      return printList(io, options, {
        data: checks,
        rows: checks,
        columns: columnsOf(since),
        nameOf: ({ CheckID }) => CheckID,
      })
    })
  addReadOptions(command, `'Status == critical'`)
  addOutputOptions(command)
  return addExamples(command, [
    'svcd checks',
    'svcd checks web',
    'svcd checks --node n1 --state critical',
  ])
}

async function chosenChecks(
  client: Client,
  service: string | undefined,
  options: ChecksOptions,
): Promise<readonly CheckEntry[]> {
  const { node, state = 'any' } = options
  if (!states.includes(state)) {
    const reason = `"${state}" is not a valid state; use ${states.join(', ')}`
    throw svcdError('invalid-option', { option: '--state', reason })
  }
  const of = service !== undefined ? { service } : node !== undefined ? { node } : { state }
  const checks = await client.checks(of, listOptions(options))
  return checks
    .filter(({ Status }) => state === 'any' || Status === state)
    .filter(({ Node }) => node === undefined || Node.toLowerCase() === node.toLowerCase())
}

function columnsOf(since: Since): readonly Column<CheckEntry>[] {
  return [
    { header: 'Node', cell: ({ Node }) => Node },
    { header: 'CheckID', cell: ({ CheckID }) => CheckID },
    { header: 'Service', cell: ({ ServiceName }) => (ServiceName === '' ? '-' : ServiceName) },
    { header: 'Status', cell: ({ Status }) => ({ text: Status, tone: toneOf(Status) }) },
    { header: 'Type', cell: ({ Type }) => (Type === '' ? '-' : Type), isWide: true },
    { header: 'Interval', cell: ({ Interval }) => Interval || '-', isWide: true },
    { header: 'Evidence', cell: ({ Evidence = '-' }) => Evidence, isWide: true },
    { header: 'Since', cell: (check) => since(check) || '-', isWide: true },
    { header: 'Name', cell: ({ Name }) => Name, isWide: true },
    { header: 'Output', cell: outputOf },
  ]
}
