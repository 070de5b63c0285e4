import type { Command } from 'commander'
import { formatDuration } from '../../base/duration.ts'
import { svcdError } from '../../base/errors.ts'
import { visible } from '../../base/invisible.ts'
import type { SessionEntry } from '../../client/rows.ts'
import type { Io } from '../io.ts'
import { addKvReadOptions } from '../kv/kv-options.ts'
import { addClientOptions, addExamples, newCommand, printJson } from '../new-command.ts'
import {
  addOutputOptions,
  outputFormat,
  printList,
  type Column,
  type OutputOptions,
} from '../output.ts'
import { sessionClient, type SessionCommandOptions } from './session-options.ts'

interface ReadOptions extends SessionCommandOptions, OutputOptions {
  readonly stale?: boolean
  readonly node?: string
}

const columns: readonly Column<SessionEntry>[] = [
  { header: 'ID', cell: ({ ID }) => ID },
  { header: 'Name', cell: ({ Name }) => Name },
  { header: 'Node', cell: ({ Node }) => Node },
  { header: 'TTL', cell: ({ TTL }) => (TTL === '' ? '-' : TTL) },
  { header: 'Behavior', cell: ({ Behavior }) => Behavior },
  { header: 'LockDelay', cell: lockDelayOf, isWide: true },
  { header: 'Checks', cell: (session) => checksOf(session).join(', '), isWide: true },
]

export function sessionListCommand(io: Io): Command {
  const command = newCommand('session list', 'List sessions, with their nodes and TTLs.', io)
    .option('--node <name>', 'Only the sessions of this node.')
    .action(async (options: ReadOptions) => {
      // A wrong format is known without an agent.
      outputFormat(options)
      const rows = await (await sessionClient(options, io)).list(options)
      await printList(io, options, { data: rows, rows, columns, nameOf: ({ ID }) => ID })
    })
  addKvReadOptions(command)
  addOutputOptions(command)
  addClientOptions(command)
  return addExamples(command, ['svcd session list', 'svcd session list --node n1 -o wide'])
}

export function sessionInfoCommand(io: Io): Command {
  const command = newCommand('session info', 'Show one session.', io)
    .argument('<id>', 'The ID of the session.')
    .action(async (id: string, options: ReadOptions) => {
      const session = await (await sessionClient(options, io)).info(id, options)
      if (session === undefined) throw svcdError('no-such-session', { id })
      if (options.json === true) return printJson(io, session)
      io.out(infoText(session))
    })
  addKvReadOptions(command)
  addClientOptions(command)
  return addExamples(command, ['svcd session info 5d3a1d0e-8f2b-4c1c-9a56-0d6c0c7f9b11'])
}

/** Names in a column of 17 characters, as `kv get -detailed` has them. */
function infoText(session: SessionEntry): string {
  const { ID, Name, Node, TTL, Behavior, CreateIndex } = session
  const fields: readonly (readonly [string, string])[] = [
    ['ID', ID],
    ['Name', Name === '' ? '-' : Name],
    ['Node', Node],
    ['TTL', TTL === '' ? '-' : TTL],
    ['Behavior', Behavior],
    ['LockDelay', lockDelayOf(session)],
    ['Checks', checksOf(session).join(', ') || '-'],
    ['CreateIndex', String(CreateIndex)],
  ]
  return fields.map(([name, value]) => `${name.padEnd(17)}${visible(value)}\n`).join('')
}

function lockDelayOf({ LockDelay }: SessionEntry): string {
  return formatDuration(LockDelay / 1e6)
}

function checksOf({ NodeChecks, ServiceChecks }: SessionEntry): readonly string[] {
  return [...(NodeChecks ?? []), ...(ServiceChecks ?? []).map(({ ID }) => ID)]
}
