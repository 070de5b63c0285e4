import type { Command } from 'commander'
import { reasonOf, svcdError } from '../../base/errors.ts'
import { visible } from '../../base/invisible.ts'
import { QueryClient } from '../../client/query.ts'
import type { QueryEntry } from '../../client/rows.ts'
import { agentClient } from '../agent-client.ts'
import type { Io } from '../io.ts'
import type { ClientOptions } from '../new-command.ts'

export interface QueryCommandOptions extends ClientOptions {
  readonly datacenter?: string
  readonly stale?: boolean
}

export async function queryClient(options: QueryCommandOptions, io: Io): Promise<QueryClient> {
  return new QueryClient(await agentClient(options, io))
}

export function addDatacenter(command: Command): Command {
  return command.option(
    '--datacenter <name>',
    'The datacenter to ask. (default: the datacenter of the agent)',
  )
}

export function addQueryReadOptions(command: Command): Command {
  return addDatacenter(command).option(
    '--stale',
    "Read this agent's local copy; works without a leader.",
  )
}

/** A definition from a file, or from standard input as `-`. Throws `definition-unreadable`. */
export async function definitionFrom(path: string, io: Io): Promise<string> {
  try {
    return await io.readText(path)
  } catch (error) {
    const source = path === '-' ? 'standard input' : path
    throw svcdError('definition-unreadable', { source, reason: reasonOf(error) }, error)
  }
}

/** How a message calls a query. */
export function shownName({ ID, Name }: Pick<QueryEntry, 'ID' | 'Name'>): string {
  return Name === '' ? ID : `${visible(Name)} (${ID})`
}
