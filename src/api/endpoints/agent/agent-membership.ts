import type { FastifyReply, FastifyRequest } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import { nodeCheckId } from '../../../state/catalog/model.ts'
import { subject } from '../../../state/catalog/subjects.ts'
import type { JoinResult } from '../../../ports/cluster.ts'
import { endpoint } from '../../context.ts'
import { untilFound } from '../../../http/blocking.ts'
import { originOf } from '../../../http/origin.ts'
import { flagParameter } from '../../../http/parameters.ts'
import { sendDone, warn } from '../../../http/reply.ts'
import { nameOf, serverMembers } from './members.ts'
import type { MembersContext, ServerMember } from './members.ts'
import type { ApiContext } from '../../context.ts'

/** agent/leave, join and force-leave. */
export const membershipEndpoints = [
  endpoint({
    method: 'PUT',
    path: '/v1/agent/leave',
    permission: { resource: 'agent', access: 'write', name: 'own-node' },
    audited: {},
    summary: 'Leave the cluster and stop the agent',
    async handle({ cluster }, _request, reply) {
      await cluster.operate({ kind: 'leave' })
      return sendDone(reply)
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/agent/join/{address}',
    permission: { resource: 'agent', access: 'write', name: 'own-node' },
    audited: {},
    summary: 'Look for a cluster at an address',
    async handle(context, request, reply) {
      if (flagParameter(request.query, 'wan')) throw svcdError('no-wan', {})
      const address = request.params
      if (!/^(?:\[[\da-f:.]+\]|[^\s:/[\]]+)(?::\d{1,5})?$/i.test(address)) {
        throw svcdError('join-address-malformed', { value: JSON.stringify(address) })
      }
      const result = await context.cluster.operate({ kind: 'join', address })
      if (result === ('joined' satisfies JoinResult)) await untilAllNamed(context, reply)
      return sendDone(reply)
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/agent/force-leave/{node}',
    permission: { resource: 'operator', access: 'write' },
    audited: {},
    summary: 'Remove a failed server from the cluster',
    async handle(context, request, reply) {
      warn(reply, await forceLeave(context, request, request.params))
      return sendDone(reply)
    },
  }),
]

/**
 * How long the names may take to arrive. After that the answer is 200 nevertheless, because the
 * server has joined.
 */
const namesMs = 5000
/** How often to look: there is no subject to wait on for the servers of the cluster. */
const lookMs = 100

/**
 * A member has its name when its registration is applied here. A later request then shows all of
 * them.
 */
async function untilAllNamed(context: ApiContext, reply: FastifyReply): Promise<void> {
  const { catalog: state } = context
  const wait = { state, subject: subject.nodes, limitMs: () => namesMs, stepMs: lookMs }
  await untilFound(context, reply, wait, (_since, isLast) =>
    isLast || isAllNamed(context) ? true : undefined,
  )
}

function isAllNamed(context: MembersContext): boolean {
  const { catalog, cluster, identity } = context
  const { nodeId } = identity
  if (catalog.read((reader) => reader.nodeById(nodeId)) === undefined) return false
  if (!cluster.cluster().servers.some(({ id }) => id === nodeId)) return false
  return serverMembers(context).every(({ name }) => name !== '')
}

/** Undefined if no member has this name. Throws if the name may also mean an earlier server. */
function memberToRemove(context: MembersContext, name: string): ServerMember | undefined {
  const members = serverMembers(context)
  const byId = members.find(({ server }) => server.id === name)
  if (byId !== undefined) return byId
  const nameless = members.filter((one) => one.name === '')
  const named = members.find((one) => one.name !== '' && one.name === name)
  const isNone = name === nameOf({ name: '' }) && nameless.length > 0
  // If another server has taken the name and address of a failed one, only the ID tells them apart.
  const ghosts = nameless.filter(({ server }) => server.address === named?.server.address)
  const meant = isNone ? nameless : named?.status === 'alive' ? [] : ghosts
  if (meant.length === 0) return named
  const servers = [...(named === undefined ? [] : [named]), ...meant].map(describeMember)
  throw svcdError('ambiguous-peer', { what: 'Node', value: name, servers: servers.join(', ') })
}

function describeMember(member: ServerMember): string {
  const { server, status } = member
  const state = status === 'none' ? 'not in the catalog' : status
  return `${nameOf(member)} ${server.id} at ${server.address} (${state})`
}

/**
 * Throws `member-alive-namesake` if a client that removes a live server may mean an earlier server of that name. A live
 * server stays, and Consul answers 200 then.
 */
function mustBeMeant(
  name: string,
  member: ServerMember | undefined,
  context: MembersContext,
): void {
  const nameless = serverMembers(context).filter((one) => one.name === '')
  if (member === undefined || nameless.length === 0) return
  const others = nameless.map(({ server }) => `${server.id} at ${server.address}`).join(', ')
  throw svcdError('member-alive-namesake', { name, id: member.server.id, others })
}

/**
 * Takes a failed server out of the cluster, and its registrations out of the catalog. Repeated
 * after a failure, it does the rest. A live server stays: unlike in Consul, it could not rejoin, because an ID is
 * never used again. Returns what the client is to be told.
 */
async function forceLeave(
  context: ApiContext,
  request: FastifyRequest,
  name: string,
): Promise<readonly string[]> {
  const { catalog, cluster, writes } = context
  const member = memberToRemove(context, name)
  // A server that failed before it had registered itself has an ID only.
  const nodeName = member?.name ?? name
  const [node, check] = catalog.read((reader) => [
    reader.node(nodeName),
    reader.check(nodeName, nodeCheckId),
  ])
  // A node without an agent exists only in the catalog and is not a member.
  if (member === undefined && (node === undefined || check === undefined)) {
    throw svcdError('unknown-member', { name })
  }
  if (member?.status === 'alive' || (member === undefined && check?.status !== 'critical')) {
    mustBeMeant(name, member, context)
    return [svcdError('member-alive', { name }).message]
  }
  if (member !== undefined) {
    await cluster.operate({ kind: 'change', change: { kind: 'remove', id: member.server.id } })
  }
  if (node === undefined) return []
  await writes.propose(
    { kind: 'deregister', nodeName: node.name },
    originOf(request, `agent/force-leave ${name}`),
  )
  return []
}
