import type { Command } from 'commander'
import type { NodeEntry } from '../client/rows.ts'
import { agentClient } from './agent-client.ts'
import { pairs } from './columns.ts'
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

interface NodesOptions extends ReadOptions, OutputOptions {
  readonly detailed?: boolean
  readonly service?: string
}

export function nodesCommand(io: Io, name = 'nodes'): Command {
  const command = newCommand(
    name,
    'List the nodes of the catalog, with their IDs and addresses.',
    io,
  )
    .option('--service <name>', 'List only nodes with an instance of this service.')
    .option('--detailed', 'Show full IDs, tagged addresses and metadata.')
    .action(async (options: NodesOptions) => {
      const nodes = await chosenNodes(options, io)
      const format = outputFormat(options)
      // In Consul's words, and no error as there.
      if (nodes.length === 0 && (format === 'table' || format === 'wide')) {
        return io.err('No nodes match the given query - try expanding your search.\n')
      }
      const columns = options.detailed === true ? detailedColumns : nodeColumns
      return printList(io, options, { data: nodes, rows: nodes, columns, nameOf: (n) => n.Node })
    })
  addReadOptions(command, `'Node matches "^db-"'`)
  addOutputOptions(command)
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

const tagged: Column<NodeEntry> = {
  header: 'TaggedAddresses',
  cell: (n) => pairs(n.TaggedAddresses),
}
const meta: Column<NodeEntry> = { header: 'Meta', cell: (n) => pairs(n.Meta) }

const nodeColumns: readonly Column<NodeEntry>[] = [
  { header: 'Node', cell: (n) => n.Node },
  { header: 'ID', cell: (n) => n.ID.slice(0, 8) },
  { header: 'Address', cell: (n) => n.Address },
  { header: 'DC', cell: (n) => n.Datacenter },
  { ...tagged, isWide: true },
  { ...meta, isWide: true },
]

const detailedColumns: readonly Column<NodeEntry>[] = nodeColumns.map(({ header, cell }) => ({
  header,
  cell: header === 'ID' ? ({ ID }) => ID : cell,
}))
