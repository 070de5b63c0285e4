import { assert } from '../../../base/assert.ts'
import { svcdError } from '../../../base/errors.ts'
import type { CatalogCommand, RegisterCommand } from '../../../state/catalog/commands.ts'
import type { Outcome } from '../../../state/machine/command.ts'
import { nameHolder } from '../../../state/catalog/name-holder.ts'
import { catalogRegistration } from '../../../definition/catalog-registration.ts'
import { catalogDeregisterShape, catalogRegisterShape } from '../../../definition/shapes.ts'
import type { Origin } from '../../../ports/writes.ts'
import { endpoint } from '../../context.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { json } from '../../../http/body.ts'
import { originOf } from '../../../http/origin.ts'
import { checkDatacenter, parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import { nodeAndService } from '../../../http/permissions.ts'
import * as query from '../../../http/query-docs.ts'
import { reads } from '../../../http/read.ts'
import { sendJson } from '../../../http/reply.ts'
import { nodeRow, nodeServiceRow, serviceNodeRow } from '../../../http/row-schemas.ts'
import { list, map, object, orNull, texts } from '../../../http/schemas.ts'
import { meshOfCatalog } from './mesh.ts'
import { mustAllowDeregister, mustAllowRegister } from './rights.ts'
import { overServerFault } from './over-server.ts'
import {
  allNodes,
  allServices,
  named,
  nodeServices,
  nodeWithServices,
  serviceNodes,
} from './questions.ts'

const done = { type: 'boolean', enum: [true] }

/** catalog/*: the registrations of the datacenter. */
export const catalogEndpoints: readonly ApiEndpoint[] = [
  endpoint({
    method: 'PUT',
    path: '/v1/catalog/register',
    permission: nodeAndService.write,
    summary: 'Register a node, a service or checks that another program maintains',
    query: query.dc,
    body: json(catalogRegisterShape),
    answer: done,
    errors: [404, 413, 503],
    async handle(context, request, reply) {
      const { identity } = context
      const { body } = request
      checkDatacenter(body.Datacenter ?? datacenterParameter(request.query), identity)
      const command = catalogRegistration(body)
      context.denials.watch(request, `register ${shownOf(command)}`, () =>
        mustAllowRegister(context, request, command),
      )
      const fault = overServerFault(context, command.nodeName, command.service?.id ?? '')
      if (fault !== undefined) throw fault
      refuseTakenName(context, command)
      const what = command.service === undefined ? '' : ` ${command.service.id}`
      const origin = originOf(request, `catalog/register ${command.nodeName}${what}`)
      await propose(context, command, origin)
      return sendJson(request, reply, true)
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/catalog/deregister',
    permission: nodeAndService.write,
    summary: 'Deregister a node, a service or a check',
    query: query.dc,
    body: json(catalogDeregisterShape),
    answer: done,
    errors: [503],
    async handle(context, request, reply) {
      const { identity, writes } = context
      const { body } = request
      checkDatacenter(body.Datacenter ?? datacenterParameter(request.query), identity)
      const nodeName = body.Node ?? ''
      if (nodeName === '') throw svcdError('missing-node', {})
      const serviceId = body.ServiceID === '' ? undefined : body.ServiceID
      // With both given Consul removes the service, its checks included.
      const checkId = serviceId !== undefined || body.CheckID === '' ? undefined : body.CheckID
      const cause = `catalog/deregister ${nodeName} ${serviceId ?? checkId ?? ''}`.trimEnd()
      const command = { kind: 'deregister', nodeName, serviceId, checkId } as const
      const held = serviceId === undefined ? checkId && `check ${checkId}` : `service ${serviceId}`
      const shown = held === undefined ? `node ${nodeName}` : `${held} of node ${nodeName}`
      context.denials.watch(request, `deregister ${shown}`, () =>
        mustAllowDeregister(context, request, command),
      )
      await writes.propose(command, originOf(request, cause))
      // An entry that does not exist counts as deregistered.
      return sendJson(request, reply, true)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/catalog/datacenters',
    permission: { none: 'the names of datacenters are in every answer' },
    summary: 'List the datacenters',
    query: query.pretty,
    answer: texts,
    handle: async ({ identity }, request, reply) => sendJson(request, reply, [identity.datacenter]),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/catalog/nodes',
    permission: { filteredBy: [{ resource: 'node', access: 'read' }] },
    summary: 'List all nodes',
    query: { ...query.listQuery, ...query.near },
    answer: list(nodeRow),
    handle: reads((context, parameters) => allNodes(parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/catalog/services',
    permission: { filteredBy: [{ resource: 'service', access: 'read' }] },
    summary: 'List the names of all services with their tags',
    query: query.listQuery,
    answer: map(texts),
    handle: reads((context, parameters) => allServices(parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/catalog/service/{service}',
    permission: nodeAndService.read,
    summary: 'List the instances of a service, whatever their health',
    query: { ...query.tag, ...query.listQuery, ...query.near },
    answer: list(serviceNodeRow),
    handle: reads((context, parameters, name) => serviceNodes(named(name), parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/catalog/node/{node}',
    permission: nodeAndService.read,
    summary: 'Read a node with a map of its services',
    query: { ...query.filter, ...query.readQuery },
    answer: orNull(object({ Node: nodeRow, Services: map(nodeServiceRow) })),
    handle: reads((context, parameters, name) => nodeWithServices(name, parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/catalog/node-services/{node}',
    permission: nodeAndService.read,
    summary: 'Read a node with a list of its services',
    query: { ...query.filter, ...query.readQuery },
    answer: object({ Node: orNull(nodeRow), Services: orNull(list(nodeServiceRow)) }),
    handle: reads((context, parameters, name) => nodeServices(name, parameters, context)),
  }),
  ...meshOfCatalog,
]

/** The registered service, check or node in a log line: `service web of node n1`. */
function shownOf({ nodeName, service, checks }: RegisterCommand): string {
  if (service !== undefined) return `service ${service.name} of node ${nodeName}`
  const [check] = checks
  return check === undefined ? `node ${nodeName}` : `check ${check.checkId} of node ${nodeName}`
}

function datacenterParameter(parameters: Parameters): string | undefined {
  return parameter(parameters, 'dc') ?? parameter(parameters, 'datacenter')
}

/** Proposes a command; a refusal by the catalog becomes its error. */
async function propose(
  { writes }: Pick<ApiContext, 'writes'>,
  body: CatalogCommand,
  origin: Origin,
): Promise<void> {
  const outcome: Outcome = await writes.propose(body, origin)
  if (outcome.ok) return
  switch (outcome.error) {
    case 'unknown-node':
      throw svcdError('unknown-node', { node: outcome.subject })
    case 'unknown-service':
      throw svcdError('missing-service-registration', {
        node: body.nodeName,
        id: outcome.subject,
      })
    case 'unknown-check':
      throw svcdError('unknown-check-id', { id: outcome.subject })
    case 'critical-check':
    case 'unknown-session':
      assert(false, 'the catalog knows no sessions')
  }
}

/** A node whose agent lives keeps its name: under another id it would lose all that is registered on it. */
function refuseTakenName(
  { catalog }: Pick<ApiContext, 'catalog'>,
  { node, isNodeKept }: RegisterCommand,
): void {
  // A node without an id replaces none, and one that is there is kept.
  if (node === undefined || node.id === '' || isNodeKept === true) return
  const { name, id } = node
  const holder = catalog.read((reader) => nameHolder(reader, name, id))
  if (holder === undefined) return
  throw svcdError('node-name-taken', { name, id: holder.id, address: holder.address })
}
