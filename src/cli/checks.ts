import { Option, type Command } from 'commander'
import type { CheckEntry } from '../api/client-rows.ts'
import { svcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import { columns, firstLine } from './columns.ts'
import type { Io } from './io.ts'
import {
  addExamples,
  addReadOptions,
  listOptions,
  newCommand,
  printJson,
  type ReadOptions,
} from './new-command.ts'

interface ChecksOptions extends ReadOptions {
  readonly node?: string
  readonly state?: string
}

const states = ['any', 'passing', 'warning', 'critical']

export function checksCommand(io: Io): Command {
  const command = newCommand('checks', 'List health checks, with what they said last.', io)
    .argument('[service]', 'Only the checks of this service.')
    .option('--node <name>', 'Only the checks of this node, and of what is on it.')
    .addOption(
      new Option('--state <state>', 'Only checks in this state: passing, warning, critical.'),
    )
    .action(async (service: string | undefined, options: ChecksOptions) => {
      const checks = await chosenChecks(service, options, io)
      if (options.json === true) printJson(io, checks)
      else if (checks.length > 0) io.out(table(checks))
      else io.err('No checks match the given query - try expanding your search.\n')
    })
  addReadOptions(command)
  return addExamples(command, [
    'svcd checks',
    'svcd checks web',
    'svcd checks --node n1 --state critical',
  ])
}

async function chosenChecks(
  service: string | undefined,
  options: ChecksOptions,
  io: Io,
): Promise<readonly CheckEntry[]> {
  const { node, state = 'any' } = options
  if (!states.includes(state)) {
    const reason = `"${state}" is no state; use ${states.join(', ')}`
    throw svcdError('invalid-option', { option: '--state', reason })
  }
  const client = await agentClient(options, io)
  const of = service !== undefined ? { service } : node !== undefined ? { node } : { state }
  const checks = await client.checks(of, listOptions(options))
  return checks
    .filter(({ Status }) => state === 'any' || Status === state)
    .filter(({ Node }) => node === undefined || Node.toLowerCase() === node.toLowerCase())
}

function table(checks: readonly CheckEntry[]): string {
  return columns(
    ['Node', 'CheckID', 'Service', 'Status', 'Output'],
    checks.map(({ Node, CheckID, ServiceName, Status, Output, Notes }) => [
      Node,
      CheckID,
      ServiceName === '' ? '-' : ServiceName,
      Status,
      firstLine(Output === '' ? Notes : Output),
    ]),
  )
}
