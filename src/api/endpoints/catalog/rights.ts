import type { FastifyRequest } from 'fastify'
import type { Rights } from '../../../access/rights.ts'
import { destinationOf } from '../../../definition/proxy-destination.ts'
import { mustAllow } from '../../../http/requesters.ts'
import type { DeregisterCommand, RegisterCommand } from '../../../state/catalog/commands.ts'
import type { Node, NodeDefinition } from '../../../state/catalog/model.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import type { ApiContext } from '../../context.ts'

// What may be registered in the catalog, as in Consul. Names are looked up in this server's own copy.

type Context = Pick<ApiContext, 'catalog' | 'requesterOf'>
type Write = (resource: 'node' | 'service', name: string) => void

/**
 * Throws `permission-denied` unless the caller may write the node (if the command changes the node or its checks), the
 * service, the service that it replaces, and the services whose checks it changes.
 */
export function mustAllowRegister(
  context: Context,
  request: FastifyRequest,
  { nodeName, node, isNodeKept, service, checks }: RegisterCommand,
): void {
  if (writesAll(context.requesterOf(request).caller.rights)) return
  const write = writer(context, request)
  context.catalog.read((reader) => {
    const known = reader.node(nodeName)
    const isChanged = known === undefined || (isNodeKept !== true && changes(node, known))
    if (isChanged) write('node', known?.name ?? nodeName)
    if (service !== undefined) {
      write('service', service.name)
      const replaced = reader.service(nodeName, service.id)
      if (replaced !== undefined) write('service', replaced.name)
      const destination = destinationOf(service)
      if (destination !== undefined) write('service', destination)
    }
    for (const { checkId, serviceId } of checks) {
      writeHolder(write, reader, nodeName, serviceId, service)
      const replaced = reader.check(nodeName, checkId)
      if (replaced !== undefined) writeHolder(write, reader, nodeName, replaced.serviceId, service)
    }
    // A node that takes the ID of another one is that node under a new name.
    const renamed = node === undefined || node.id === '' ? undefined : reader.nodeById(node.id)
    if (isChanged && renamed !== undefined) write('node', renamed.name)
  })
}

/** Throws `permission-denied` unless the caller may write the node, or what is removed from it. */
export function mustAllowDeregister(
  context: Context,
  request: FastifyRequest,
  { nodeName, serviceId, checkId }: DeregisterCommand,
): void {
  const { rights } = context.requesterOf(request).caller
  if (writesAll(rights)) return
  const write = writer(context, request)
  context.catalog.read((reader) => {
    const node = reader.node(nodeName)?.name ?? nodeName
    // So an agent whose token may no longer write a service can still remove it.
    if (rights.allows('node', node, 'write')) return
    const service = serviceId === undefined ? undefined : reader.service(nodeName, serviceId)
    const check = checkId === undefined ? undefined : reader.check(nodeName, checkId)
    if (service !== undefined) write('service', service.name)
    else if (check !== undefined && check.serviceName !== '') write('service', check.serviceName)
    else write('node', node)
  })
}

/** Asks for the right to write what a check belongs to: a service, or the node if there is no such service. */
export function writeHolder(
  write: Write,
  reader: CatalogReader,
  node: string,
  serviceId: string,
  registered?: { readonly id: string; readonly name: string },
): void {
  if (serviceId !== '' && serviceId === registered?.id) return write('service', registered.name)
  const service = serviceId === '' ? undefined : reader.service(node, serviceId)
  if (service === undefined) write('node', reader.node(node)?.name ?? node)
  else write('service', service.name)
}

/** Whether there is nothing to look up: every node and every service may be written. */
export function writesAll(rights: Rights): boolean {
  return rights.allowsAll('node', 'write') && rights.allowsAll('service', 'write')
}

function writer(context: Context, request: FastifyRequest): Write {
  const requester = context.requesterOf(request)
  return (resource, name) => mustAllow(requester, { resource, name, access: 'write' })
}

/** Whether the definition differs from the known node. */
export function changes(node: NodeDefinition | undefined, known: Node): boolean {
  if (node === undefined) return false
  const { name, id, address } = node
  return (
    name !== known.name ||
    // Without an ID in the definition, the node keeps its ID.
    (id !== '' && id !== known.id) ||
    address !== known.address ||
    !isSameMap(node.taggedAddresses, known.taggedAddresses) ||
    !isSameMap(node.meta, known.meta)
  )
}

function isSameMap(one: StringMap, other: StringMap): boolean {
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && one[key] === other[key])
  )
}

type StringMap = Readonly<Record<string, string>>
