import type { Command } from 'commander'
import type { RaftServer } from '../client/rows.ts'
import { svcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'
import { addOutputOptions, printList, type Column, type OutputOptions } from './output.ts'
import { toneOf } from './paint.ts'

interface PeerOptions extends ClientOptions, OutputOptions {
  readonly id?: string
  readonly address?: string
  readonly stale?: boolean
}

export function listPeersCommand(io: Io): Command {
  const command = newCommand(
    'operator raft list-peers',
    'List the servers of the Raft configuration, and which of them is the leader.',
    io,
  )
    .option('--stale', "Read this agent's local copy; works without a leader.")
    .action(async (options: PeerOptions) => {
      const client = await agentClient(options, io)
      const servers = await client.raftServers({ stale: options.stale === true })
      return printList(io, options, {
        data: servers,
        rows: servers,
        columns: peerColumns,
        nameOf: ({ Node }) => Node,
      })
    })
  addClientOptions(command)
  addOutputOptions(command)
  return addExamples(command, ['svcd operator raft list-peers'])
}

const peerColumns: readonly Column<RaftServer>[] = [
  { header: 'Node', cell: ({ Node }) => Node },
  { header: 'ID', cell: ({ ID }) => ID },
  { header: 'Address', cell: ({ Address }) => Address },
  {
    header: 'State',
    cell: ({ Leader }) => (Leader ? { text: 'leader', tone: toneOf('leader') } : 'follower'),
  },
  { header: 'Voter', cell: ({ Voter }) => String(Voter) },
  { header: 'RaftProtocol', cell: ({ ProtocolVersion }) => ProtocolVersion },
]

export function transferLeaderCommand(io: Io): Command {
  const command = newCommand(
    'operator raft transfer-leader',
    'Transfer leadership to another server, for example before maintenance on the leader. Writes wait for ' +
      'about one network round trip.',
    io,
  )
    .option(
      '--id <uuid>',
      'The ID of the new leader. (default: the server with the most complete log)',
    )
    .action(async (options: PeerOptions) => {
      const client = await agentClient(options, io)
      await client.transferLeader(options.id)
      done(io, options, 'Success')
    })
  addClientOptions(command)
  return addExamples(command, ['svcd operator raft transfer-leader'])
}

export function addPeerCommand(io: Io): Command {
  const command = newCommand(
    'operator raft add-peer',
    'Add a server that cannot join automatically. It becomes a voter as soon as it has caught up.',
    io,
  )
    .option('--id <uuid>', 'The ID of the server, from the file node-id in its data directory.')
    .option('--address <address>', 'The address on which it listens for other servers: host:port.')
    .action(async (options: PeerOptions) => {
      const { id, address } = options
      if (id === undefined || address === undefined) throw usage('Use both --id and --address.')
      const client = await agentClient(options, io)
      await client.addPeer({ id, address })
      done(io, options, `Added peer with id "${id}"`)
    })
  addClientOptions(command)
  return addExamples(command, [
    'svcd operator raft add-peer -address 10.0.0.4:8300 \\\n      -id 0f8b3a52-6d0c-4b1e-9a67-1f2d3c4b5a69',
  ])
}

export function removePeerCommand(io: Io): Command {
  const command = newCommand(
    'operator raft remove-peer',
    'Remove a failed server from the Raft configuration. Its services and checks stay in the catalog: ' +
      '`svcd force-leave` removes them, too. To remove a running server, use `svcd leave` on it.',
    io,
  )
    .option('--id <uuid>', 'The ID of the server, as `svcd operator raft list-peers` shows it.')
    .option('--address <address>', 'The address of the server, host:port, instead of its ID.')
    .action(async (options: PeerOptions) => {
      const { id, address } = options
      if ((id === undefined) === (address === undefined)) {
        throw usage('Use either --id or --address; `svcd operator raft list-peers` shows both.')
      }
      const [what, server] =
        id === undefined
          ? ([`address "${address ?? ''}"`, { address: address ?? '' }] as const)
          : ([`id "${id}"`, { id }] as const)
      const client = await agentClient(options, io)
      await client.removePeer(server)
      done(io, options, `Removed peer with ${what}`)
    })
  addClientOptions(command)
  return addExamples(command, ['svcd operator raft remove-peer -address 10.0.0.3:8300'])
}

function done(io: Io, options: ClientOptions, text: string): void {
  if (options.json === true) printJson(io, { success: true })
  else io.out(`${text}\n`)
}

function usage(reason: string): Error {
  return svcdError('usage', { reason })
}
