import type { Command } from 'commander'
import type { CheckEntry } from '../client/rows.ts'
import type { Client } from '../client/client.ts'
import { svcdError } from '../base/errors.ts'
import { visible } from '../base/invisible.ts'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'
import { addOutputOptions, print, type OutputOptions } from './output.ts'

interface MaintOptions extends ClientOptions, OutputOptions {
  readonly enable?: boolean
  readonly disable?: boolean
  readonly service?: string
  readonly reason?: string
}

export function maintCommand(io: Io): Command {
  const command = newCommand(
    'maint',
    'Enable or disable maintenance mode for a service of the agent or for the whole node. DNS answers and ' +
      'queries for healthy instances leave out instances in maintenance mode. Without options: show what ' +
      'is in maintenance mode, and why.',
    io,
  )
    .option('--enable', 'Enable maintenance mode.')
    .option('--disable', 'Disable maintenance mode.')
    .option('--service <id>', 'The ID of the service. (default: the whole node)')
    .option(
      '--reason <text>',
      'The reason for the maintenance, which `svcd maint` and the check show.',
    )
    .action(async (options: MaintOptions) => {
      checkOptions(options)
      const client = await agentClient(options, io)
      if (options.enable === true || options.disable === true) await change(client, options, io)
      else await list(client, options, io)
    })
  addClientOptions(command)
  addOutputOptions(command)
  return addExamples(command, [
    'svcd maint -enable -reason "kernel upgrade"',
    'svcd maint -enable -service web-1',
    'svcd maint -disable -service web-1',
    'svcd maint',
  ])
}

function checkOptions({ enable, disable, service, reason }: MaintOptions): void {
  if (enable === true && disable === true)
    throw usage('Use either --enable or --disable, not both.')
  if (service !== undefined && enable !== true && disable !== true) {
    throw usage('Use --service with --enable or --disable.')
  }
  if (reason !== undefined && enable !== true) throw usage('Use --reason only with --enable.')
}

function usage(reason: string): Error {
  return svcdError('usage', { reason: `${reason} See \`svcd maint --help\`.` })
}

async function change(client: Client, options: MaintOptions, io: Io): Promise<void> {
  const { service: serviceId, reason, enable = false } = options
  await client.setMaintenance(enable, { serviceId, reason })
  const now = `is now ${enable ? 'enabled' : 'disabled'}`
  if (options.json === true) printJson(io, { service: serviceId ?? null, enabled: enable })
  else if (serviceId === undefined) io.out(`Node maintenance ${now}\n`)
  else io.out(`Service maintenance ${now} for ${JSON.stringify(serviceId)}\n`)
}

const nodeCheck = '_node_maintenance'
const serviceCheck = '_service_maintenance:'

async function list(client: Client, options: MaintOptions, io: Io): Promise<void> {
  const checks = Object.values(await client.agentChecks()).filter(
    ({ CheckID }) => CheckID === nodeCheck || CheckID.startsWith(serviceCheck),
  )
  const names = checks.map(({ CheckID }) => CheckID).toSorted()
  const text = (): string => checks.toSorted(nodesFirst).map(block).join('')
  await print(io, options, { data: checks, names, text })
}

function nodesFirst(a: CheckEntry, b: CheckEntry): number {
  return orderOf(a) < orderOf(b) ? -1 : 1
}

function orderOf({ CheckID }: CheckEntry): string {
  return CheckID === nodeCheck ? '' : CheckID
}

function block({ CheckID, Node, ServiceID, Notes }: CheckEntry): string {
  const who =
    CheckID === nodeCheck ? `Node:\n  Name:   ${Node}` : `Service:\n  ID:     ${ServiceID}`
  return `${who.split('\n').map(visible).join('\n')}\n  Reason: ${visible(Notes)}\n\n`
}
