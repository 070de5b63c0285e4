import type { Command } from 'commander'
import { Client, type NodeEntry } from '../api/client.ts'
import { columns } from './columns.ts'
import { httpAddress } from './http-address.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'

interface NodesOptions extends ClientOptions {
  readonly detailed?: boolean
}

export function nodesCommand(io: Io): Command {
  const command = newCommand('nodes', 'List the nodes of the catalog.', io)
    .option('--detailed', 'Show whole ids, tagged addresses and metadata.')
    .action(async (options: NodesOptions) => {
      const nodes = await new Client({ address: httpAddress(options.httpAddr, io.env) }).nodes()
      if (options.json === true) printJson(io, nodes)
      else io.out(options.detailed === true ? detailedTable(nodes) : table(nodes))
    })
  addClientOptions(command)
  return addExamples(command, ['svcd nodes', 'svcd nodes --detailed'])
}

function table(nodes: readonly NodeEntry[]): string {
  const rows = nodes.map((n) => [n.Node, n.ID.slice(0, 8), n.Address, n.Datacenter])
  return columns(['Node', 'ID', 'Address', 'DC'], rows)
}

function detailedTable(nodes: readonly NodeEntry[]): string {
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
