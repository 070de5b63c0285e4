import type { FastifyInstance, FastifyRequest } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import { unmappedIp } from '../../../base/ip.ts'
import type { RegisterCommand } from '../../../state/catalog/commands.ts'
import type { CatalogCommand } from '../../../state/catalog/commands.ts'
import type { Outcome } from '../../../state/machine/command.ts'
import { nameHolder } from '../../../state/catalog/name-holder.ts'
import type { Backend, Origin } from '../../../ports/backend.ts'
import { answerRead } from '../../http/read.ts'
import type { ReadContext } from '../../http/read.ts'
import {
  allNodes,
  allServices,
  named,
  nodeServices,
  nodeWithServices,
  serviceNodes,
} from './questions.ts'
import { catalogRegistration } from '../../../definition/catalog-registration.ts'
import { decodeBody } from '../../../definition/decode.ts'
import { checkDatacenter, parameter, parametersOf } from '../../http/parameters.ts'
import { sendJson } from '../../http/reply.ts'
import { addRoute, tailOf } from '../../http/route.ts'
import { catalogDeregisterShape, catalogRegisterShape } from '../../../definition/shapes.ts'
import { refuseServerId } from '../../../definition/validate.ts'

/** catalog/*: the registrations of the datacenter. */
export function addCatalogRoutes(app: FastifyInstance, context: ReadContext): void {
  addWrites(app, context.backend)
  addLists(app, context)
  addServiceAndNode(app, context)
}

function addWrites(app: FastifyInstance, backend: Backend): void {
  addRoute(app, 'PUT', '/v1/catalog/register', async (request, reply) => {
    const body = decodeBody(request.body, catalogRegisterShape)
    checkDatacenter(body.Datacenter ?? datacenterParameter(request), backend.identity)
    const command = catalogRegistration(body)
    refuseOverServer(backend, command)
    refuseTakenName(backend, command)
    const what = command.service === undefined ? '' : ` ${command.service.id}`
    await propose(
      backend,
      command,
      originOf(request, `catalog/register ${command.nodeName}${what}`),
    )
    return sendJson(request, reply, true)
  })

  addRoute(app, 'PUT', '/v1/catalog/deregister', async (request, reply) => {
    const body = decodeBody(request.body, catalogDeregisterShape)
    checkDatacenter(body.Datacenter ?? datacenterParameter(request), backend.identity)
    const nodeName = body.Node ?? ''
    if (nodeName === '') throw svcdError('missing-node', {})
    const serviceId = body.ServiceID === '' ? undefined : body.ServiceID
    // With both given Consul removes the service, its checks included.
    const checkId = serviceId !== undefined || body.CheckID === '' ? undefined : body.CheckID
    const cause = `catalog/deregister ${nodeName} ${serviceId ?? checkId ?? ''}`.trimEnd()
    await backend.propose(
      { kind: 'deregister', nodeName, serviceId, checkId },
      originOf(request, cause),
    )
    // An entry that does not exist counts as deregistered.
    return sendJson(request, reply, true)
  })
}

function datacenterParameter(request: FastifyRequest): string | undefined {
  const parameters = parametersOf(request)
  return parameter(parameters, 'dc') ?? parameter(parameters, 'datacenter')
}

/** Who asks, and with which request. */
export function originOf(request: FastifyRequest, cause: string): Origin {
  const client = request.headers['user-agent']
  const actor = `http ${unmappedIp(request.ip)}`
  return client === undefined ? { actor, cause } : { actor, cause, client: cutClient(client) }
}

/** Browsers continue for lines. */
function cutClient(name: string): string {
  return name.length <= 60 ? name : `${name.slice(0, 59)}…`
}

/** Proposes a command; a refusal by the catalog becomes its error. */
async function propose(backend: Backend, body: CatalogCommand, origin: Origin): Promise<void> {
  const outcome: Outcome = await backend.propose(body, origin)
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
  }
}

function addLists(app: FastifyInstance, context: ReadContext): void {
  const { datacenter } = context.backend.identity

  addRoute(app, 'GET', '/v1/catalog/datacenters', async (request, reply) =>
    sendJson(request, reply, [datacenter]),
  )

  addRoute(app, 'GET', '/v1/catalog/nodes', (request, reply) =>
    answerRead(context, request, reply, allNodes(parametersOf(request), context.backend)),
  )

  addRoute(app, 'GET', '/v1/catalog/services', (request, reply) =>
    answerRead(context, request, reply, allServices(parametersOf(request), context.backend)),
  )
}

const paths = {
  service: '/v1/catalog/service/',
  node: '/v1/catalog/node/',
  nodeServices: '/v1/catalog/node-services/',
}

function addServiceAndNode(app: FastifyInstance, context: ReadContext): void {
  const { backend } = context

  addRoute(app, 'GET', `${paths.service}*`, (request, reply) => {
    const name = tailOf(request, paths.service)
    const question = serviceNodes(named(name), parametersOf(request), backend)
    return answerRead(context, request, reply, question)
  })

  addRoute(app, 'GET', `${paths.node}*`, (request, reply) => {
    const asked = tailOf(request, paths.node)
    const question = nodeWithServices(asked, parametersOf(request), backend)
    return answerRead(context, request, reply, question)
  })

  addRoute(app, 'GET', `${paths.nodeServices}*`, (request, reply) => {
    const asked = tailOf(request, paths.nodeServices)
    const question = nodeServices(asked, parametersOf(request), backend)
    return answerRead(context, request, reply, question)
  })
}

/** A node whose agent lives keeps its name: under another id it would lose all that is registered on it. */
function refuseTakenName(backend: Backend, { node, isNodeKept }: RegisterCommand): void {
  // A node without an id replaces none, and one that is there is kept.
  if (node === undefined || node.id === '' || isNodeKept === true) return
  const { name, id } = node
  const holder = backend.read((catalog) => nameHolder(catalog, name, id))
  if (holder === undefined) return
  throw svcdError('node-name-taken', { name, id: holder.id, address: holder.address })
}

/** Only a server of the cluster may register its own entry. */
function refuseOverServer(backend: Backend, { nodeName, service }: RegisterCommand): void {
  if (service === undefined) return
  const id = backend.read((catalog) => catalog.node(nodeName))?.id
  const isServer = backend.cluster().servers.some((server) => server.id === id)
  if (isServer) refuseServerId(service.id)
}
