import type { Command } from 'commander'
import { visible } from '../base/invisible.ts'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  addReadOptions,
  newCommand,
  printJson,
  type ClientOptions,
  type ReadOptions,
} from './new-command.ts'
import { nodesCommand } from './nodes.ts'
import { servicesWithTags } from './services.ts'

// Consul's own commands, for scripts that read what they print.

interface CatalogOptions extends ReadOptions {
  readonly node?: string
  readonly tags?: boolean
}

/** Consul lays this one list out with six spaces. */
const gap = 6

export function catalogServicesCommand(io: Io): Command {
  const command = newCommand('catalog services', 'List service names, as Consul prints them.', io)
    .option('--node <name>', 'Only services of this node.')
    .option('--tags', 'Show the tags of each.')
    .action(async (options: CatalogOptions) => {
      const services = await servicesWithTags(await agentClient(options, io), options)
      if (options.json === true) return printJson(io, services)
      const names = Object.keys(services).toSorted()
      const width = Math.max(0, ...names.map((name) => name.length)) + gap
      const tagsOf = (name: string): string => (services[name] ?? []).toSorted().join(',')
      if (names.length === 0) {
        return io.err('No services match the given query - try expanding your search.\n')
      }
      for (const name of names) {
        const line = options.tags === true ? `${name.padEnd(width)}${tagsOf(name)}` : name
        io.out(`${visible(line)}\n`)
      }
    })
  addReadOptions(command)
  return addExamples(command, ['svcd catalog services', 'svcd catalog services -node n1 -tags'])
}

export function catalogNodesCommand(io: Io): Command {
  return nodesCommand(io, 'catalog nodes')
}

export function catalogDatacentersCommand(io: Io): Command {
  const command = newCommand('catalog datacenters', 'List datacenters.', io).action(
    async (options: ClientOptions) => {
      const names = await (await agentClient(options, io)).datacenters()
      if (options.json === true) printJson(io, names)
      else io.out(names.map((name) => `${visible(name)}\n`).join(''))
    },
  )
  addClientOptions(command)
  return addExamples(command, ['svcd catalog datacenters'])
}
