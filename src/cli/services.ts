import { Option, type Command } from 'commander'
import type { HealthEntry } from '../api/client-rows.ts'
import type { Client } from '../api/client.ts'
import { svcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import { columns, worstStatus } from './columns.ts'
import type { Io } from './io.ts'
import {
  addExamples,
  addReadOptions,
  collect,
  listOptions,
  newCommand,
  printJson,
  type ReadOptions,
} from './new-command.ts'

interface ServicesOptions extends ReadOptions {
  readonly passing?: boolean
  readonly node?: string
  readonly tag?: readonly string[]
}

export function servicesCommand(io: Io): Command {
  const command = newCommand('services', 'List services, or the instances of one.', io)
    .argument('[name]', 'The service whose instances are shown.')
    .option('--passing', 'Of one service, only the healthy instances.')
    .addOption(new Option('--tag <tag>', 'Only with this tag. Repeatable.').argParser(collect))
    .option('--node <name>', 'Only on this node.')
    .action(async (name: string | undefined, options: ServicesOptions) => {
      const client = await agentClient(options, io)
      if (name === undefined) await listServices(client, options, io)
      else await listInstances(client, name, options, io)
    })
  addReadOptions(command)
  return addExamples(command, [
    'svcd services',
    'svcd services --tag v1 --node-meta rack=7',
    'svcd services web',
    'svcd services web --passing',
  ])
}

type TagsOf = Readonly<Record<string, readonly string[]>>

async function listServices(client: Client, options: ServicesOptions, io: Io): Promise<void> {
  if (options.passing === true) {
    throw svcdError('usage', {
      reason: '--passing chooses instances; name the service: svcd services NAME --passing.',
    })
  }
  const wanted = (options.tag ?? []).map((tag) => tag.toLowerCase())
  const kept = Object.entries(await servicesWithTags(client, options))
    .filter(([, tags]) => {
      const own = tags.map((tag) => tag.toLowerCase())
      return wanted.every((tag) => own.includes(tag))
    })
    .toSorted(([a], [b]) => compare(a, b))
  if (options.json === true) return printJson(io, Object.fromEntries(kept))
  const rows = kept.map(([name, tags]) => [name, tags.toSorted().join(',')])
  io.out(columns(['Service', 'Tags'], rows))
}

/** The services of the datacenter, or those of one node, each with its tags. */
export async function servicesWithTags(
  client: Client,
  options: ReadOptions & { readonly node?: string },
): Promise<TagsOf> {
  if (options.node === undefined) return client.services(listOptions(options))
  const services = await client.servicesOfNode(options.node, listOptions(options))
  const tagsOf = new Map<string, Set<string>>()
  for (const { Service, Tags } of Object.values(services ?? {})) {
    const tags = tagsOf.get(Service) ?? new Set()
    for (const tag of Tags) tags.add(tag)
    tagsOf.set(Service, tags)
  }
  return Object.fromEntries([...tagsOf].map(([name, tags]) => [name, [...tags]]))
}

async function listInstances(
  client: Client,
  name: string,
  options: ServicesOptions,
  io: Io,
): Promise<void> {
  const { passing, tag: tags, node } = options
  const found = await client.health(name, { ...listOptions(options), passing, tags })
  const instances = found.filter(
    ({ Node }) => node === undefined || Node.Node.toLowerCase() === node.toLowerCase(),
  )
  if (options.json === true) printJson(io, instances)
  else if (instances.length > 0) io.out(instanceTable(instances))
  if (instances.length > 0) return
  const { nodeMeta, filter } = options
  const chosen = [passing, tags, node, nodeMeta, filter].some((choice) => choice !== undefined)
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
    worstStatus(Checks.map((check) => check.Status)),
    Service.Tags.toSorted().join(','),
  ])
  return columns(['ID', 'Node', 'Address', 'Port', 'Status', 'Tags'], rows)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
