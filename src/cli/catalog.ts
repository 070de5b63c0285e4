import type { Command } from 'commander'
import { visible } from '../base/invisible.ts'
import { agentClient } from './agent-client.ts'
import { columns } from './columns.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  addReadOptions,
  newCommand,
  type ClientOptions,
  type ReadOptions,
} from './new-command.ts'
import { nodesCommand } from './nodes.ts'
import {
  addOutputOptions,
  outputFormat,
  print,
  tableTerminal,
  type OutputOptions,
} from './output.ts'
import { servicesWithTags } from './services.ts'

// Consul's own commands, for scripts that parse their output.

interface CatalogOptions extends ReadOptions, OutputOptions {
  readonly node?: string
  readonly tags?: boolean
}

/** Consul separates the columns of this list by six spaces. */
const gap = 6

export function catalogServicesCommand(io: Io): Command {
  const command = newCommand(
    'catalog services',
    "List service names in the format of Consul's command.",
    io,
  )
    .option('--node <name>', 'List only services of this node.')
    .option('--tags', 'Show the tags of each service.')
    .action(async (options: CatalogOptions) => {
      const services = await servicesWithTags(await agentClient(options, io), options)
      const names = Object.keys(services).toSorted()
      const tagsOf = (name: string): string => (services[name] ?? []).toSorted().join(',')
      const format = outputFormat(options)
      if (names.length === 0 && (format === 'table' || format === 'wide')) {
        return io.err('No services match the given query - try expanding your search.\n')
      }
      const rows = names.map((name) => (options.tags === true ? [name, tagsOf(name)] : [name]))
      const headers = options.tags === true ? ['Service', 'Tags'] : ['Service']
      const text = (isWide: boolean): string =>
        columns(headers, rows, tableTerminal(io, isWide), { gap, isHeaded: false })
      return print(io, options, { data: services, names, text })
    })
  addReadOptions(command, `'ServicePort == 8080'`)
  addOutputOptions(command)
  return addExamples(command, ['svcd catalog services', 'svcd catalog services -node n1 -tags'])
}

export function catalogNodesCommand(io: Io): Command {
  return nodesCommand(io, 'catalog nodes')
}

export function catalogDatacentersCommand(io: Io): Command {
  const command = newCommand(
    'catalog datacenters',
    'List the datacenters that the agent knows.',
    io,
  ).action(async (options: ClientOptions & OutputOptions) => {
    const names = await (await agentClient(options, io)).datacenters()
    const text = (): string => names.map((name) => `${visible(name)}\n`).join('')
    return print(io, options, { data: names, names, text })
  })
  addClientOptions(command)
  addOutputOptions(command)
  return addExamples(command, ['svcd catalog datacenters'])
}
