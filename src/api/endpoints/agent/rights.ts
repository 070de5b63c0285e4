import type { FastifyRequest } from 'fastify'
import type { Caller } from '../../../access/caller.ts'
import { destinationOf } from '../../../definition/proxy-destination.ts'
import { mustAllow } from '../../../http/requesters.ts'
import type {
  AgentCheckDefinition,
  AgentServiceDefinition,
} from '../../../definition/agent-definition.ts'
import { isOfAgent } from '../../../state/catalog/model.ts'
import type { Service } from '../../../state/catalog/model.ts'
import type { ApiContext } from '../../context.ts'
import { writesAll } from '../catalog/rights.ts'

// What may be done to the services and checks of this agent, as in Consul.

type Context = Pick<ApiContext, 'agent' | 'catalog' | 'identity' | 'requesterOf'>

/**
 * Throws `permission-denied` unless the caller may write the service, the service that it replaces, and for a proxy
 * its destination, because clients of the destination find the proxy.
 */
export function mustAllowService(
  context: Context,
  request: FastifyRequest,
  { service, checks }: AgentServiceDefinition,
): void {
  if (writesAll(context.requesterOf(request).caller.rights)) return
  const { agent, catalog, identity } = context
  const replaced = agent.service(service.id)?.name
  // Somebody may have registered one on this node past the agent.
  const past = catalog.read((reader) => reader.service(identity.nodeName, service.id)?.name)
  const names = new Set([service.name, replaced, past, destinationOf(service)])
  for (const name of names) if (name !== undefined) writeService(context, request, name)
  for (const definition of checks) {
    // A check may have the ID of an existing check of another service.
    const { checkId } = definition.check
    const holder = agent.serviceIdOfCheck(checkId)
    if (holder === undefined) mustAllowPast(context, request, checkId)
    else if (holder !== service.id) writeHolder(context, request, holder)
    mustAllowMirror(context, request, definition)
  }
}

/** Throws `permission-denied` unless the caller may write the service with this ID. Without one there is nothing to change. */
export function mustAllowServiceChange(
  context: Context,
  request: FastifyRequest,
  id: string,
): Caller {
  const { caller } = context.requesterOf(request)
  if (writesAll(caller.rights)) return caller
  const service = context.agent.service(id) ?? lostService(context, id)
  if (service !== undefined) writeService(context, request, service.name)
  return caller
}

/** Throws `permission-denied` unless the caller may write the check, and the check that it replaces. */
export function mustAllowCheck(
  context: Context,
  request: FastifyRequest,
  definition: AgentCheckDefinition,
): void {
  const { checkId, serviceId } = definition.check
  const { rights } = mustAllowCheckChange(context, request, checkId)
  if (writesAll(rights)) return
  writeHolder(context, request, serviceId)
  mustAllowMirror(context, request, definition)
}

/** Throws `permission-denied` unless the caller may write the check of this node that the catalog has under an ID. */
function mustAllowPast(context: Context, request: FastifyRequest, id: string): void {
  const { catalog, identity } = context
  const known = catalog.read((reader) => reader.check(identity.nodeName, id))
  if (known === undefined) return
  if (known.serviceName !== '') writeService(context, request, known.serviceName)
  else writeHolder(context, request, '')
}

/** Throws `permission-denied` unless the caller may read what the check has its status from. */
function mustAllowMirror(
  context: Context,
  request: FastifyRequest,
  { plan }: AgentCheckDefinition,
): void {
  if (plan.kind !== 'alias') return
  const { agent, catalog, identity } = context
  const { serviceId } = plan
  const asked = plan.node === '' ? identity.nodeName : plan.node
  const [node, service] = catalog.read((reader) => [
    reader.node(asked)?.name ?? asked,
    reader.service(asked, serviceId)?.name,
  ])
  const isOwn = node.toLowerCase() === identity.nodeName.toLowerCase()
  const requester = context.requesterOf(request)
  if (!isOwn || serviceId === '')
    mustAllow(requester, { resource: 'node', name: node, access: 'read' })
  if (serviceId === '') return
  // Only the ID of a service that does not exist yet is known, and most often it is the name, too.
  const name = (isOwn ? agent.service(serviceId)?.name : undefined) ?? service ?? serviceId
  mustAllow(requester, { resource: 'service', name, access: 'read' })
}

/** Throws `permission-denied` unless the caller may write what the check with this ID belongs to. */
export function mustAllowCheckChange(
  context: Context,
  request: FastifyRequest,
  id: string,
): Caller {
  const { caller } = context.requesterOf(request)
  if (writesAll(caller.rights)) return caller
  const holder = context.agent.serviceIdOfCheck(id)
  if (holder === undefined) mustAllowPast(context, request, id)
  else writeHolder(context, request, holder)
  return caller
}

/** A service of this agent that is only in the catalog by now. The agent removes it on request. */
function lostService({ catalog, identity }: Context, id: string): Service | undefined {
  const service = catalog.read((reader) => reader.service(identity.nodeName, id))
  return service !== undefined && isOfAgent(service) ? service : undefined
}

/** A check of a known service belongs to the service, and any other check belongs to the node. */
function writeHolder(context: Context, request: FastifyRequest, serviceId: string): void {
  const service = serviceId === '' ? undefined : context.agent.service(serviceId)
  if (service !== undefined) {
    writeService(context, request, service.name)
    return
  }
  const { nodeName: name } = context.identity
  mustAllow(context.requesterOf(request), { resource: 'node', name, access: 'write' })
}

function writeService(context: Context, request: FastifyRequest, name: string): void {
  mustAllow(context.requesterOf(request), { resource: 'service', name, access: 'write' })
}
