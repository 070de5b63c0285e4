import type { Command } from 'commander'
import type { Client } from '../client/client.ts'
import { svcdError, SvcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'
import { isDefinitionFile, readAllIds } from './registration-file.ts'

interface DeregisterOptions extends ClientOptions {
  readonly id?: string
  readonly node?: string
}

export function deregisterCommand(io: Io): Command {
  const command = newCommand(
    'deregister',
    'Remove services from the agent, or a node from the catalog.',
    io,
  )
    .argument(
      '[id...]',
      'The ID of an instance (the name of the service, unless you chose another ID), or a .json file, to remove all services in it.',
    )
    .option('--id <id>', "The ID of an instance, as in Consul's command.")
    .option(
      '--node <name>',
      'Remove the instance from this node of the catalog. Without an ID: remove the whole node.',
    )
    .action(async (args: readonly string[], options: DeregisterOptions) => {
      const ids = await idsOf(args, options, io)
      const client = await agentClient(options, io)
      const targets = targetsOf(ids, options.node)
      const { removed, refused } = await removeAll(client, targets, options, io)
      if (options.json === true) printJson(io, removed.length === 1 ? removed[0] : removed)
      if (refused > 0) {
        throw svcdError('deregistration-incomplete', { failed: refused, count: targets.length })
      }
    })
  addClientOptions(command)
  return addExamples(command, [
    'svcd deregister web-1',
    'svcd deregister web.json',
    'svcd deregister --node old-host',
    'svcd deregister --node old-host web-7',
  ])
}

type Removed = { readonly id: string; readonly node?: string } | { readonly node: string }

/** Continues after a service that does not exist, but not when the agent does not answer. */
async function removeAll(
  client: Client,
  targets: readonly Removed[],
  options: DeregisterOptions,
  io: Io,
): Promise<{ readonly removed: readonly Removed[]; readonly refused: number }> {
  const removed: Removed[] = []
  let refused = 0
  for (const each of targets) {
    try {
      await remove(client, each)
    } catch (error) {
      const isRefused = error instanceof SvcdError && error.code === 'agent-refused'
      if (!isRefused || targets.length === 1) throw error
      refused++
      io.err(`svcd: ${nameOf(each)}: ${error.message}\n`)
      continue
    }
    removed.push(each)
    if (options.json !== true) io.out(`Deregistered ${nameOf(each)}\n`)
  }
  return { removed, refused }
}

async function idsOf(
  args: readonly string[],
  options: DeregisterOptions,
  io: Io,
): Promise<readonly string[]> {
  const fromFiles = await readAllIds(args.filter(isDefinitionFile), io)
  return [
    ...(options.id === undefined ? [] : [options.id]),
    ...args.filter((arg) => !isDefinitionFile(arg)),
    ...fromFiles,
  ]
}

function targetsOf(ids: readonly string[], node: string | undefined): readonly Removed[] {
  if (ids.length > 0) return ids.map((id) => (node === undefined ? { id } : { id, node }))
  if (node !== undefined) return [{ node }]
  throw svcdError('usage', {
    reason:
      'Give the ID of a service, a file with services, or a node with --node. See `svcd deregister --help`.',
  })
}

async function remove(client: Client, target: Removed): Promise<void> {
  if (!('id' in target)) await client.deregisterFromCatalog(target.node)
  else if (target.node === undefined) await client.deregisterService(target.id)
  else await client.deregisterFromCatalog(target.node, target.id)
}

function nameOf(target: Removed): string {
  return 'id' in target ? `service: ${target.id}` : `node: ${target.node}`
}
