import { Option, type Command } from 'commander'
import { Client, type HealthEntry } from '../api/client.ts'
import { svcdError } from '../base/errors.ts'
import { columns } from './columns.ts'
import { httpAddress } from './http-address.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  collect,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'

interface ServicesOptions extends ClientOptions {
  readonly passing?: boolean
  readonly tag?: readonly string[]
}

export function servicesCommand(io: Io): Command {
  const command = newCommand('services', 'List services, or the instances of one.', io)
    .argument('[name]', 'The service whose instances are shown.')
    .option('--passing', 'Of one service, only the healthy instances.')
    .addOption(
      new Option(
        '--tag <tag>',
        'Of one service, only instances with this tag. Repeatable.',
      ).argParser(collect),
    )
    .action(async (name: string | undefined, options: ServicesOptions) => {
      const client = new Client({ address: httpAddress(options.httpAddr, io.env) })
      if (name === undefined) await listServices(client, options, io)
      else await listInstances(client, name, options, io)
    })
  addClientOptions(command)
  return addExamples(command, ['svcd services', 'svcd services web', 'svcd services web --passing'])
}

async function listServices(client: Client, options: ServicesOptions, io: Io): Promise<void> {
  if (options.passing === true || options.tag !== undefined) {
    throw svcdError('usage', {
      reason:
        '--passing and --tag choose instances; name the service: svcd services NAME --passing.',
    })
  }
  const services = await client.services()
  if (options.json === true) return printJson(io, services)
  const rows = Object.entries(services)
    .map(([name, tags]) => [name, tags.toSorted().join(',')])
    .toSorted(([a = ''], [b = '']) => compare(a, b))
  io.out(columns(['Service', 'Tags'], rows))
}

async function listInstances(
  client: Client,
  name: string,
  options: ServicesOptions,
  io: Io,
): Promise<void> {
  const passing = options.passing === true
  const instances = await client.health(name, { passing, tags: options.tag ?? [] })
  if (options.json === true) printJson(io, instances)
  else if (instances.length > 0) io.out(instanceTable(instances))
  if (instances.length > 0) return
  const chosen = passing || options.tag !== undefined
  throw svcdError('no-such-service', {
    what: `${chosen ? 'instance of service' : 'service'} "${name}"${chosen ? ' matches' : ''}`,
  })
}

function instanceTable(instances: readonly HealthEntry[]): string {
  const rows = instances.map(({ Node, Service, Checks }) => [
    Service.ID,
    Node.Node,
    Service.Address === '' ? Node.Address : Service.Address,
    String(Service.Port),
    worst(Checks.map((check) => check.Status)),
    Service.Tags.toSorted().join(','),
  ])
  return columns(['ID', 'Node', 'Address', 'Port', 'Status', 'Tags'], rows)
}

function worst(statuses: readonly string[]): string {
  return ['critical', 'warning'].find((status) => statuses.includes(status)) ?? 'passing'
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
