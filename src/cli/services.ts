import { Option, type Command } from 'commander'
import type { HealthEntry, ServiceSummary } from '../client/rows.ts'
import type { Client, ListOptions } from '../client/client.ts'
import { svcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import { pairs, type Cell } from './columns.ts'
import { instanceHealth, reasonFor, type InstanceHealth } from './instance-health.ts'
import type { Io } from './io.ts'
import {
  addExamples,
  addReadOptions,
  collect,
  listOptions,
  newCommand,
  type ReadOptions,
} from './new-command.ts'
import {
  addOutputOptions,
  outputFormat,
  printList,
  type Column,
  type OutputOptions,
} from './output.ts'
import { toneOf, type Tone } from './paint.ts'
import { isUnknownQuestion, sinceCell, sinceOf, type Since } from './since.ts'

interface ServicesOptions extends ReadOptions, OutputOptions {
  readonly passing?: boolean
  readonly node?: string
  readonly tag?: readonly string[]
}

export function servicesCommand(io: Io, name = 'services'): Command {
  const command = newCommand(
    name,
    'List all services with the health of their instances, or the instances of one service.',
    io,
  )
    .argument('[name]', 'The service whose instances to list.')
    .option('--passing', 'List only instances of the service whose checks all pass.')
    .addOption(
      new Option(
        '--tag <tag>',
        'List only services or instances with this tag. Repeatable.',
      ).argParser(collect),
    )
    .option('--node <name>', 'List only services or instances on this node.')
    .action(async (service: string | undefined, options: ServicesOptions) => {
      const client = await agentClient(options, io)
      if (service === undefined) await listServices(client, options, io)
      else await listInstances(client, service, options, io)
    })
  addReadOptions(command, `'ServicePort == 8080', or with a service 'Service.Port == 8080'`)
  addOutputOptions(command)
  return addExamples(command, [
    `svcd ${name}`,
    `svcd ${name} --tag v1 --node-meta rack=7`,
    `svcd ${name} web`,
    `svcd ${name} web --passing -o json`,
  ])
}

export function lsCommand(io: Io): Command {
  return servicesCommand(io, 'ls')
}

async function listServices(client: Client, options: ServicesOptions, io: Io): Promise<void> {
  if (options.passing === true) {
    throw svcdError('usage', {
      reason: '--passing selects instances of one service: svcd services NAME --passing.',
    })
  }
  const { node, tag: tags } = options
  const found = await summaryOf(client, { ...listOptions(options), node, tags })
  const rows = found.toSorted((a, b) => compare(a.Name, b.Name))
  const data = Object.fromEntries(rows.map(({ Name, Tags }) => [Name, Tags]))
  await printList(io, options, { data, rows, columns: serviceColumns, nameOf: ({ Name }) => Name })
}

/** A row; an older agent, or Consul's, reports only the name and the tags. */
type SummaryRow = Pick<ServiceSummary, 'Name' | 'Tags'> & Partial<ServiceSummary>

async function summaryOf(
  client: Client,
  options: Parameters<Client['summary']>[0] & { readonly node?: string | undefined },
): Promise<readonly SummaryRow[]> {
  try {
    return await client.summary(options)
  } catch (error) {
    if (!isUnknownQuestion(error)) throw error
    const services = await namesWithTags(client, options.node, options)
    const wanted = (options.tags ?? []).map((tag) => tag.toLowerCase())
    return Object.entries(services)
      .map(([Name, Tags]) => ({ Name, Tags }))
      .filter(({ Tags }) => {
        const own = new Set(Tags.map((tag) => tag.toLowerCase()))
        return wanted.every((tag) => own.has(tag))
      })
  }
}

const serviceColumns: readonly Column<SummaryRow>[] = [
  { header: 'Service', cell: ({ Name }) => Name },
  { header: 'Passing', cell: ({ Passing }) => count(Passing, 'good') },
  { header: 'Warning', cell: ({ Warning }) => count(Warning, 'warning') },
  { header: 'Critical', cell: ({ Critical }) => count(Critical, 'bad') },
  { header: 'Maintenance', cell: ({ Maintenance }) => count(Maintenance, 'warning') },
  { header: 'Tags', cell: ({ Tags }) => Tags.toSorted().join(',') },
]

function count(number: number | undefined, tone: Tone): Cell {
  if (number === undefined) return '-'
  return { text: String(number), tone: number === 0 ? 'plain' : tone }
}

type TagsOf = Readonly<Record<string, readonly string[]>>

/** The services of the datacenter, or those of one node, each with its tags. */
export async function servicesWithTags(
  client: Client,
  options: ReadOptions & { readonly node?: string },
): Promise<TagsOf> {
  return namesWithTags(client, options.node, listOptions(options))
}

async function namesWithTags(
  client: Client,
  node: string | undefined,
  options: ListOptions,
): Promise<TagsOf> {
  if (node === undefined) return client.services(options)
  const services = await client.servicesOfNode(node, options)
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
  const isData = ['json', 'yaml'].includes(outputFormat(options))
  if (instances.length > 0 || isData) {
    const rows = instances.map((entry) => ({ entry, health: instanceHealth(entry.Checks) }))
    const deciding = rows.flatMap(({ health: { check } }) => check ?? [])
    const since = deciding.length === 0 ? () => '' : await sinceOf(client, deciding)
    const isShort = io.terminal !== undefined && outputFormat(options) === 'table'
    const nowMs = Date.now()
    const shown: Since = (check) => sinceCell(since(check), nowMs, isShort)
    await printList(io, options, {
      data: instances,
      rows,
      columns: instanceColumns(shown, deciding.length > 0),
      nameOf: ({ entry }) => entry.Service.ID,
    })
  }
  if (instances.length > 0) return
  const { nodeMeta, filter } = options
  const chosen = [passing, tags, node, nodeMeta, filter].some((choice) => choice !== undefined)
  throw svcdError('no-such-service', {
    what: chosen ? `No instance of service "${name}" matches` : `There is no service "${name}"`,
  })
}

interface InstanceRow {
  readonly entry: HealthEntry
  readonly health: InstanceHealth
}

/** The reason and the time are shown if an instance does not pass, after the columns that are always shown. */
function instanceColumns(since: Since, hasTrouble: boolean): readonly Column<InstanceRow>[] {
  const isWide = !hasTrouble
  return [
    { header: 'ID', cell: ({ entry }) => entry.Service.ID },
    { header: 'Node', cell: ({ entry }) => entry.Node.Node },
    {
      header: 'Address',
      cell: ({ entry: { Service, Node } }) =>
        Service.Address === '' ? Node.Address : Service.Address,
    },
    { header: 'Port', cell: ({ entry }) => String(entry.Service.Port) },
    {
      header: 'Status',
      cell: ({ health: { status } }) => ({ text: status, tone: toneOf(status) }),
    },
    { header: 'Tags', cell: ({ entry }) => entry.Service.Tags.toSorted().join(',') },
    { header: 'Weights', cell: ({ entry }) => weights(entry), isWide: true },
    { header: 'Meta', cell: ({ entry }) => pairs(entry.Service.Meta), isWide: true },
    {
      header: 'Since',
      cell: ({ health: { check } }) => (check === undefined ? '' : since(check)),
      isWide,
    },
    { header: 'Reason', cell: ({ health }) => reasonFor(health), isWide },
  ]
}

function weights({ Service: { Weights } }: HealthEntry): string {
  return `${Weights.Passing},${Weights.Warning}`
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
