import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import type { Backend } from '../../../ports/backend.ts'
import type { ReadContext } from '../../http/read.ts'
import { reach } from '../../http/consistency.ts'
import { nameOf, serverMembers } from '../agent/members.ts'
import type { ServerMember } from '../agent/members.ts'
import { parameter, parametersOf, readOptions } from '../../http/parameters.ts'
import { sendDone, sendJson } from '../../http/reply.ts'
import { addRoute, addRoutes } from '../../http/route.ts'

/** operator/*: the servers of the cluster, and operations on them. */
export function addOperatorRoutes(app: FastifyInstance, context: ReadContext): void {
  const { backend } = context

  addRoute(app, 'GET', '/v1/operator/raft/configuration', async (request, reply) => {
    const members = await membersFor(context, request)
    const { index } = backend.cluster()
    return sendJson(request, reply, { Servers: members.map(raftServerJson), Index: index })
  })

  addRoutes(app, '/v1/operator/raft/peer', {
    DELETE: async (request, reply) => {
      const { id, ...place } = peerToRemove(backend, request)
      await backend.operate({ kind: 'change', change: { kind: 'remove', id }, ...place })
      return sendDone(reply)
    },
    PUT: async (request, reply) => {
      const change = { kind: 'add-learner', ...peerToAdd(request) } as const
      await backend.operate({ kind: 'change', change })
      return sendDone(reply)
    },
  })

  const transfer = async (request: FastifyRequest, reply: FastifyReply) => {
    const id = parameter(parametersOf(request), 'id')
    const to = id === '' ? undefined : id
    if (to !== undefined) mustKnow(backend, 'id', to)
    await backend.operate({ kind: 'transfer', to })
    return sendJson(request, reply, { Success: true })
  }
  addRoutes(app, '/v1/operator/raft/transfer-leader', { POST: transfer, PUT: transfer })
}

/** The servers, with the consistency that the request asks for. */
export async function membersFor(
  context: ReadContext,
  request: FastifyRequest,
): Promise<readonly ServerMember[]> {
  const { backend } = context
  await reach(context, readOptions(parametersOf(request), backend.identity).consistency)
  return serverMembers({ backend })
}

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

function peerToRemove(backend: Backend, request: FastifyRequest): PeerToRemove {
  const parameters = parametersOf(request)
  const id = parameter(parameters, 'id') ?? ''
  const address = parameter(parameters, 'address') ?? ''
  if ((id === '') === (address === '')) {
    const reason =
      id === ''
        ? "Must specify either ?id with the server's ID or ?address with IP:port of peer to remove"
        : 'Must specify only one of ?id or ?address'
    throw svcdError('invalid-request', { reason })
  }
  if (id !== '') return { id: mustKnow(backend, 'id', id) }
  return { id: mustKnow(backend, 'address', address), onlyAt: address }
}

/** The ID of the server with this ID or address. Throws if none or several match. */
function mustKnow(backend: Backend, what: 'id' | 'address', value: string): string {
  const found = backend.cluster().servers.filter((candidate) => candidate[what] === value)
  const [server] = found
  if (server === undefined) throw svcdError('unknown-peer', { what, value })
  // One failed, and another has taken its address under a new ID.
  const servers = found.map(({ id }) => id).join(' and ')
  if (found.length > 1) throw svcdError('ambiguous-peer', { what, value, servers })
  return server.id
}

function peerToAdd(request: FastifyRequest): { readonly id: string; readonly address: string } {
  const parameters = parametersOf(request)
  const id = parameter(parameters, 'id') ?? ''
  const address = parameter(parameters, 'address') ?? ''
  if (!/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)) {
    const reason = `${JSON.stringify(id)} is not a UUID; the ID of the server is in the file node-id in its data directory`
    throw svcdError('invalid-parameter', { name: 'id', reason })
  }
  const [, port = '0'] = /^(?:\[[\da-f:.]+\]|[^:\s[\]]+):(\d{1,5})$/i.exec(address) ?? []
  if (Number(port) < 1 || Number(port) > 65_535) {
    const reason = `${JSON.stringify(address)} is not host:port`
    throw svcdError('invalid-parameter', { name: 'address', reason })
  }
  return { id: id.toLowerCase(), address }
}
