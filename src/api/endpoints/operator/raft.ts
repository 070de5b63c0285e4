import { svcdError } from '../../../base/errors.ts'
import { isUuid } from '../../../base/uuid.ts'
import { endpoint } from '../../context.ts'
import { parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { sendDone, sendJson } from '../../../http/reply.ts'
import { flag, list, object, schemaNamed, text, whole } from '../../../http/schemas.ts'
import { nameOf } from '../agent/members.ts'
import type { ServerMember } from '../agent/members.ts'
import { membersFor } from './members-for.ts'
import type { Cluster } from '../../../ports/cluster.ts'

const configuration = schemaNamed(
  'RaftConfiguration',
  object({
    Servers: list(object({ ID: text, Node: text, Address: text, Leader: flag, Voter: flag })),
    Index: whole,
  }),
)

const id = { id: { type: 'string', description: 'The ID of a server' } }
const address = { address: { type: 'string', description: 'The host:port of a server' } }

/** operator/raft: the servers of the cluster, and operations on them. */
export const raftEndpoints = [
  endpoint({
    method: 'GET',
    path: '/v1/operator/raft/configuration',
    permission: { resource: 'operator', access: 'read' },
    summary: 'List the servers in the Raft configuration',
    query: { ...query.consistency, ...query.pretty },
    answer: configuration,
    async handle(context, request, reply) {
      const members = await membersFor(context, request)
      const { index } = context.cluster.cluster()
      return sendJson(request, reply, { Servers: members.map(raftServerJson), Index: index })
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/v1/operator/raft/peer',
    permission: { resource: 'operator', access: 'write' },
    audited: { parameters: ['id', 'address'] },
    summary: 'Remove a server from Raft',
    query: { ...id, ...address },
    async handle({ cluster }, request, reply) {
      const { id, ...place } = peerToRemove(cluster, request.query)
      await cluster.operate({ kind: 'change', change: { kind: 'remove', id }, ...place })
      return sendDone(reply)
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/operator/raft/peer',
    permission: { resource: 'operator', access: 'write' },
    audited: { parameters: ['id', 'address'] },
    summary: 'Add a server to Raft',
    query: { ...id, ...address },
    async handle({ cluster }, request, reply) {
      const change = { kind: 'add-learner', ...peerToAdd(request.query) } as const
      await cluster.operate({ kind: 'change', change })
      return sendDone(reply)
    },
  }),
  endpoint({
    method: ['POST', 'PUT'],
    path: '/v1/operator/raft/transfer-leader',
    permission: { resource: 'operator', access: 'write' },
    audited: { parameters: ['id'] },
    summary: 'Transfer leadership to another server',
    query: id,
    answer: object({ Success: flag }),
    async handle({ cluster }, request, reply) {
      const id = parameter(request.query, 'id')
      const to = id === '' ? undefined : id
      if (to !== undefined) mustKnow(cluster, 'id', to)
      await cluster.operate({ kind: 'transfer', to })
      return sendJson(request, reply, { Success: true })
    },
  }),
]

function raftServerJson(member: ServerMember) {
  const { id, address, isLeader, isVoter, lastIndex } = member.server
  return {
    ID: id,
    Node: nameOf(member),
    Address: address,
    Leader: isLeader,
    ProtocolVersion: '3',
    Voter: isVoter,
    LastIndex: lastIndex,
  }
}

interface PeerToRemove {
  readonly id: string
  /** The address, if the request named the server by it. */
  readonly onlyAt?: string
}

function peerToRemove(cluster: Cluster, parameters: Parameters): PeerToRemove {
  const id = parameter(parameters, 'id') ?? ''
  const address = parameter(parameters, 'address') ?? ''
  if (id === '' && address === '') throw svcdError('peer-not-named', {})
  if (id !== '' && address !== '') throw svcdError('peer-named-twice', {})
  if (id !== '') return { id: mustKnow(cluster, 'id', id) }
  return { id: mustKnow(cluster, 'address', address), onlyAt: address }
}

/** The ID of the server with this ID or address. Throws if none or several match. */
function mustKnow(cluster: Cluster, what: 'id' | 'address', value: string): string {
  const found = cluster.cluster().servers.filter((candidate) => candidate[what] === value)
  const [server] = found
  if (server === undefined) throw svcdError('unknown-peer', { what, value })
  // One failed, and another has taken its address under a new ID.
  const servers = found.map(({ id }) => id).join(' and ')
  if (found.length > 1) throw svcdError('ambiguous-peer', { what, value, servers })
  return server.id
}

function peerToAdd(parameters: Parameters): { readonly id: string; readonly address: string } {
  const id = parameter(parameters, 'id') ?? ''
  const address = parameter(parameters, 'address') ?? ''
  if (!isUuid(id)) {
    throw svcdError('peer-id-malformed', { value: JSON.stringify(id) })
  }
  const [, port = '0'] = /^(?:\[[\da-f:.]+\]|[^:\s[\]]+):(\d{1,5})$/i.exec(address) ?? []
  if (Number(port) < 1 || Number(port) > 65_535) {
    throw svcdError('peer-address-malformed', { value: JSON.stringify(address) })
  }
  return { id: id.toLowerCase(), address }
}
