import type { Command } from 'commander'
import { Client } from '../api/client.ts'
import { svcdError } from '../base/errors.ts'
import { httpAddress } from './http-address.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'

interface DeregisterOptions extends ClientOptions {
  readonly node?: string
}

export function deregisterCommand(io: Io): Command {
  const command = newCommand('deregister', 'Remove a service, or a node of the catalog.', io)
    .argument('[id]', 'The id of the service instance; the name, where it was given no id.')
    .option(
      '--node <name>',
      'Remove it from this node of the catalog; without an id, the whole node.',
    )
    .action(async (id: string | undefined, options: DeregisterOptions) => {
      const client = new Client({ address: httpAddress(options.httpAddr, io.env) })
      const removed = await deregister(client, id, options.node)
      if (options.json === true) printJson(io, removed)
      else
        io.out(
          `Deregistered ${'id' in removed ? `service: ${removed.id}` : `node: ${removed.node}`}\n`,
        )
    })
  addClientOptions(command)
  return addExamples(command, [
    'svcd deregister web-1',
    'svcd deregister --node old-host',
    'svcd deregister --node old-host web-7',
  ])
}

type Removed = { readonly id: string; readonly node?: string } | { readonly node: string }

async function deregister(
  client: Client,
  id: string | undefined,
  node: string | undefined,
): Promise<Removed> {
  if (node !== undefined) {
    await client.deregisterFromCatalog(node, id)
    return id === undefined ? { node } : { id, node }
  }
  if (id === undefined) {
    throw svcdError('usage', {
      reason: 'Name the id of the service, or a node with --node. See `svcd deregister --help`.',
    })
  }
  await client.deregisterService(id)
  return { id }
}
