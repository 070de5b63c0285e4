import type { FastifyRequest } from 'fastify'
import type { Caller } from '../../../access/caller.ts'
import { destinationOf } from '../../../definition/proxy-destination.ts'
import { mustAllow } from '../../../http/requesters.ts'
import type { AgentServiceDefinition } from '../../../definition/agent-definition.ts'
import type { CheckDefinition } from '../../../state/catalog/model.ts'
import type { ApiContext } from '../../context.ts'
import { writesAll } from '../catalog/rights.ts'

// What may be done to the services and checks of this agent, as in Consul.

type Context = Pick<ApiContext, 'agent' | 'identity' | 'requesterOf'>

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
  const replaced = context.agent.service(service.id)?.name
  const names = new Set([service.name, replaced, destinationOf(service)])
  for (const name of names) if (name !== undefined) writeService(context, request, name)
  // A check may have the ID of an existing check of another service.
  for (const { check } of checks) {
    const holder = context.agent.serviceIdOfCheck(check.checkId)
    if (holder !== undefined && holder !== service.id) writeHolder(context, request, holder)
  }
}

/** Throws `permission-denied` unless the caller may write the service with this ID. Without one there is nothing to change. */
export function mustAllowServiceChange(
  context: Context,
  request: FastifyRequest,
  id: string,
): Caller {
  const { caller } = context.requesterOf(request)
  const service = writesAll(caller.rights) ? undefined : context.agent.service(id)
  if (service !== undefined) writeService(context, request, service.name)
  return caller
}

/** Throws `permission-denied` unless the caller may write the check, and the check that it replaces. */
export function mustAllowCheck(
  context: Context,
  request: FastifyRequest,
  { checkId, serviceId }: Pick<CheckDefinition, 'checkId' | 'serviceId'>,
): void {
  mustAllowCheckChange(context, request, checkId)
  writeHolder(context, request, serviceId)
}

/** Throws `permission-denied` unless the caller may write what the check with this ID belongs to. */
export function mustAllowCheckChange(
  context: Context,
  request: FastifyRequest,
  id: string,
): Caller {
  const { caller } = context.requesterOf(request)
  const holder = writesAll(caller.rights) ? undefined : context.agent.serviceIdOfCheck(id)
  if (holder !== undefined) writeHolder(context, request, holder)
  return caller
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
