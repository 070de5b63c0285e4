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
 * Throws `permission-denied` unless the caller may write the service, the one that it replaces, and for a proxy the
 * service that it stands for: who asks for that in the mesh finds the proxy.
 */
export function mayRegisterService(
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
    // A check may have the ID of one that is there already.
    const { checkId } = definition.check
    const holder = agent.serviceIdOfCheck(checkId)
    if (holder === undefined) mayChangePast(context, request, checkId)
    else if (holder !== service.id) writeHolder(context, request, holder)
    mayMirror(context, request, definition)
  }
}

/** Throws `permission-denied` unless the caller may write the service with this ID. Without one there is nothing to change. */
export function mayChangeService(context: Context, request: FastifyRequest, id: string): Caller {
  const { caller } = context.requesterOf(request)
  if (writesAll(caller.rights)) return caller
  const service = context.agent.service(id) ?? lostService(context, id)
  if (service !== undefined) writeService(context, request, service.name)
  return caller
}

/** Throws `permission-denied` unless the caller may write the check, and the one that it replaces. */
export function mayRegisterCheck(
  context: Context,
  request: FastifyRequest,
  definition: AgentCheckDefinition,
): void {
  const { checkId, serviceId } = definition.check
  const { rights } = mayChangeCheck(context, request, checkId)
  if (writesAll(rights)) return
  writeHolder(context, request, serviceId)
  mayMirror(context, request, definition)
}

/** Throws `permission-denied` unless the caller may write the check of this node that the catalog has under an ID. */
function mayChangePast(context: Context, request: FastifyRequest, id: string): void {
  const { catalog, identity } = context
  const known = catalog.read((reader) => reader.check(identity.nodeName, id))
  if (known === undefined) return
  if (known.serviceName !== '') writeService(context, request, known.serviceName)
  else writeHolder(context, request, '')
}

/** Throws `permission-denied` unless the caller may read what the check has its status from. */
function mayMirror(
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
  // Of one that is not there yet only the ID is known, which is mostly its name.
  const name = (isOwn ? agent.service(serviceId)?.name : undefined) ?? service ?? serviceId
  mustAllow(requester, { resource: 'service', name, access: 'read' })
}

/** Throws `permission-denied` unless the caller may write what the check with this ID belongs to. */
export function mayChangeCheck(context: Context, request: FastifyRequest, id: string): Caller {
  const { caller } = context.requesterOf(request)
  if (writesAll(caller.rights)) return caller
  const holder = context.agent.serviceIdOfCheck(id)
  if (holder === undefined) mayChangePast(context, request, id)
  else writeHolder(context, request, holder)
  return caller
}

/** A service of this agent that only the catalog knows any more. The agent removes it when it is asked to. */
function lostService({ catalog, identity }: Context, id: string): Service | undefined {
  const service = catalog.read((reader) => reader.service(identity.nodeName, id))
  return service !== undefined && isOfAgent(service) ? service : undefined
}

/** A check of a service belongs to that, and one of no service, or of an unknown one, to the node. */
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
