import type { Command } from 'commander'
import type { NodeEntry } from '../api/client-rows.ts'
import { agentClient } from './agent-client.ts'
import { columns } from './columns.ts'
import type { Io } from './io.ts'
import {
  addExamples,
  addReadOptions,
  listOptions,
  newCommand,
  printJson,
  type ReadOptions,
} from './new-command.ts'

interface NodesOptions extends ReadOptions {
  readonly detailed?: boolean
  readonly service?: string
}

export function nodesCommand(io: Io, name = 'nodes'): Command {
  const command = newCommand(name, 'List the nodes of the catalog.', io)
    .option('--service <name>', 'Only nodes with an instance of this service.')
    .option('--detailed', 'Show whole ids, tagged addresses and metadata.')
    .action(async (options: NodesOptions) => {
      const nodes = await chosenNodes(options, io)
      if (options.json === true) printJson(io, nodes)
      else if (nodes.length > 0) io.out(options.detailed === true ? detailed(nodes) : table(nodes))
      // In Consul's words, and no error as there.
      else io.err('No nodes match the given query - try expanding your search.\n')
    })
  addReadOptions(command)
  return addExamples(command, [
    `svcd ${name}`,
    `svcd ${name} --service web --node-meta rack=7`,
    `svcd ${name} --detailed`,
  ])
}

async function chosenNodes(options: NodesOptions, io: Io): Promise<readonly NodeEntry[]> {
  const client = await agentClient(options, io)
  const { datacenter, stale } = options
  const nodes = await client.nodes(listOptions(options))
  if (options.service === undefined) return nodes
  const names = await client.nodesOfService(options.service, { datacenter, stale })
  return nodes.filter(({ Node }) => names.has(Node))
}

function table(nodes: readonly NodeEntry[]): string {
  const rows = nodes.map((n) => [n.Node, n.ID.slice(0, 8), n.Address, n.Datacenter])
  return columns(['Node', 'ID', 'Address', 'DC'], rows)
}

function detailed(nodes: readonly NodeEntry[]): string {
  return columns(
    ['Node', 'ID', 'Address', 'DC', 'TaggedAddresses', 'Meta'],
    nodes.map((n) => [
      n.Node,
      n.ID,
      n.Address,
      n.Datacenter,
      pairs(n.TaggedAddresses),
      pairs(n.Meta),
    ]),
  )
}

// A node that was registered without them has null here.
function pairs(values: Readonly<Record<string, string>> | null): string {
  return Object.entries(values ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(', ')
}
