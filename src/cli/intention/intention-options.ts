import { visible } from '../../base/invisible.ts'
import { IntentionClient } from '../../client/intention.ts'
import type { IntentionEntry } from '../../client/intention.ts'
import { svcdError } from '../../base/errors.ts'
import { agentClient } from '../agent-client.ts'
import type { Io } from '../io.ts'
import type { ClientOptions } from '../new-command.ts'
import type { Column, OutputOptions } from '../output.ts'

export interface IntentionCommandOptions extends ClientOptions, OutputOptions {
  readonly datacenter?: string
  readonly stale?: boolean
}

export async function intentionClient(
  options: IntentionCommandOptions,
  io: Io,
): Promise<IntentionClient> {
  return new IntentionClient(await agentClient(options, io))
}

export const sourceOrId = 'The source: a service, or * for all services; or the ID of an intention.'

/** The intention that the arguments of a command name: its ID, or its source and destination. */
export function named(
  client: IntentionClient,
  source: string,
  destination: string | undefined,
  options: IntentionCommandOptions,
): Promise<IntentionEntry> {
  return destination === undefined
    ? client.read(source, options)
    : client.between(source, destination, options)
}

/** `web`, or `eng/web` in another namespace than the default one. */
export function sourceOf({ SourceNS, SourceName }: IntentionEntry): string {
  return SourceNS === 'default' ? SourceName : `${SourceNS}/${SourceName}`
}

export function destinationOf({ DestinationNS, DestinationName }: IntentionEntry): string {
  return DestinationNS === 'default' ? DestinationName : `${DestinationNS}/${DestinationName}`
}

/** As Consul's commands print an intention on a line. */
export function lineOf(entry: IntentionEntry): string {
  return visible(`${sourceOf(entry)} => ${destinationOf(entry)} (${entry.Action})`)
}

export const intentionColumns: readonly Column<IntentionEntry>[] = [
  { header: 'Source', cell: sourceOf },
  { header: 'Action', cell: ({ Action }) => Action },
  { header: 'Destination', cell: destinationOf },
  { header: 'Precedence', cell: ({ Precedence }) => String(Precedence) },
  { header: 'Description', cell: ({ Description }) => Description },
  { header: 'ID', cell: ({ ID }) => ID, isWide: true },
  {
    header: 'Meta',
    cell: ({ Meta }) =>
      Object.entries(Meta)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    isWide: true,
  },
]

/** Throws `usage` if two options that exclude each other are given. */
export function onlyOne(one: string, isOne = false, other: string, isOther = false): void {
  if (isOne && isOther) {
    throw svcdError('usage', { reason: `Only one of ${one} or ${other} may be specified.` })
  }
}
