import type { Command } from 'commander'
import type { RaftServer } from '../api/client-rows.ts'
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
  const command = newCommand('operator raft list-peers', 'List the servers as Raft knows them.', io)
    .option('--stale', 'Ask this agent alone: answers also when there is no leader.')
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
    'Hand the lead over to another server; writes wait for about a round trip.',
    io,
  )
    .option('--id <uuid>', 'The server that is to lead. (default: the one that holds the most)')
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
    'Let a server in that is not configured to join. It votes as soon as it has caught up.',
    io,
  )
    .option('--id <uuid>', 'The id of the server: the file node-id in its data directory.')
    .option('--address <address>', 'Where it listens for other servers, host:port.')
    .action(async (options: PeerOptions) => {
      const { id, address } = options
      if (id === undefined || address === undefined) throw usage('Give both --id and --address.')
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
    'Take a server out that will not come back. One that runs is asked with `svcd leave` instead.',
    io,
  )
    .option('--id <uuid>', 'The id of the server, as list-peers shows it.')
    .option('--address <address>', 'Or its address, host:port.')
    .action(async (options: PeerOptions) => {
      const { id, address } = options
      if ((id === undefined) === (address === undefined)) {
        throw usage('Give either --id or --address; `svcd operator raft list-peers` shows both.')
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
