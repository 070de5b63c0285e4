import type { FastifyInstance, FastifyRequest } from 'fastify'
import { svcdError } from '../base/errors.ts'
import type { CommandBody, Outcome } from '../catalog/command.ts'
import type { Node, Service } from '../catalog/model.ts'
import type { CatalogReader } from '../catalog/query.ts'
import { subject } from '../catalog/versions.ts'
import type { Backend, Origin } from './backend.ts'
import { answerRead } from './catalog-read.ts'
import type { Question, ReadContext } from './catalog-read.ts'
import { catalogRegistration } from './catalog-registration.ts'
import { decodeBody } from './decode.ts'
import { nodeJson, nodeServiceJson, serviceNodeJson } from './encode.ts'
import { filtered, filterOf, nodeFields, serviceFields, serviceNodeFields } from './filters.ts'
import {
  checkDatacenter,
  nodeMetaFilter,
  parameter,
  parametersOf,
  tagFilter,
} from './parameters.ts'
import type { Parameters } from './parameters.ts'
import { sendJson } from './reply.ts'
import { addRoute, tailOf } from './route.ts'
import { catalogDeregisterShape, catalogRegisterShape } from './shapes.ts'

/** catalog/*: what is registered in the datacenter. */
export function addCatalogRoutes(app: FastifyInstance, context: ReadContext): void {
  addWrites(app, context.backend)
  addLists(app, context)
  addServiceAndNode(app, context)
}

function addWrites(app: FastifyInstance, backend: Backend): void {
  addRoute(app, 'PUT', '/v1/catalog/register', async (request, reply) => {
    const body = decodeBody(request.body, catalogRegisterShape)
    checkDatacenter(body.Datacenter ?? datacenterParameter(request), backend.identity)
    const command = catalogRegistration(body, (name) =>
      backend.read((catalog) => catalog.node(name) !== undefined),
    )
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
    if (nodeName === '') throw svcdError('missing-name', { what: 'node: Must provide node' })
    const serviceId = body.ServiceID === '' ? undefined : body.ServiceID
    // With both given Consul removes the service, its checks included.
    const checkId = serviceId !== undefined || body.CheckID === '' ? undefined : body.CheckID
    const cause = `catalog/deregister ${nodeName} ${serviceId ?? checkId ?? ''}`.trimEnd()
    await backend.propose(
      { kind: 'deregister', nodeName, serviceId, checkId },
      originOf(request, cause),
    )
    // What is not there is as deregistered as can be.
    return sendJson(request, reply, true)
  })
}

function datacenterParameter(request: FastifyRequest): string | undefined {
  const parameters = parametersOf(request)
  return parameter(parameters, 'dc') ?? parameter(parameters, 'datacenter')
}

/** Who asks, and with which request. */
export function originOf(request: FastifyRequest, cause: string): Origin {
  return { actor: `http ${request.ip}`, cause }
}

/** Proposes a command; a refusal by the catalog becomes its error. */
async function propose(backend: Backend, body: CommandBody, origin: Origin): Promise<void> {
  const outcome: Outcome = await backend.propose(body, origin)
  if (outcome.ok) return
  switch (outcome.error) {
    case 'unknown-node':
      throw svcdError('unknown-node', { node: outcome.subject })
    case 'unknown-service':
      throw svcdError('unknown-service-of-check', { id: outcome.subject })
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

/** catalog/nodes. */
export function allNodes(parameters: Parameters, { identity }: Backend): Question {
  const hasMeta = nodeMetaFilter(parameters)
  const filter = filterOf(parameters, nodeFields)
  return {
    subject: subject.nodes,
    query: (catalog) => {
      const nodes = catalog.nodes().filter(({ meta }) => hasMeta?.(meta) ?? true)
      return filtered(
        nodes.map((node) => nodeJson(node, identity.datacenter)),
        filter,
      )
    },
  }
}

/** catalog/services: the names of all services, each with its tags. */
export function allServices(parameters: Parameters, { identity }: Backend): Question {
  const hasMeta = nodeMetaFilter(parameters)
  const filter = filterOf(parameters, serviceNodeFields)
  const isWhole = hasMeta === undefined && filter === undefined
  const keeps = (node: Node, service: Service): boolean =>
    (hasMeta?.(node.meta) ?? true) &&
    (filter?.(serviceNodeJson({ node, service, checks: [] }, identity.datacenter)) ?? true)
  return {
    subject: subject.services,
    query: (catalog) =>
      Object.fromEntries(isWhole ? catalog.serviceNames() : serviceNamesOf(catalog, keeps)),
  }
}

/** The names of the services that `keeps` keeps, with the union of their tags. */
function serviceNamesOf(
  catalog: CatalogReader,
  keeps: (node: Node, service: Service) => boolean,
): ReadonlyMap<string, readonly string[]> {
  const tagsOf = new Map<string, Set<string>>()
  for (const node of catalog.nodes()) {
    for (const service of catalog.servicesOfNode(node.name)) {
      if (!keeps(node, service)) continue
      const { name, tags } = service
      const union = tagsOf.get(name) ?? new Set()
      for (const tag of tags) union.add(tag)
      tagsOf.set(name, union)
    }
  }
  return new Map([...tagsOf].map(([name, tags]) => [name, [...tags].toSorted()]))
}

const paths = {
  service: '/v1/catalog/service/',
  node: '/v1/catalog/node/',
  nodeServices: '/v1/catalog/node-services/',
}

function addServiceAndNode(app: FastifyInstance, context: ReadContext): void {
  const { backend } = context
  const { datacenter } = backend.identity

  addRoute(app, 'GET', `${paths.service}*`, (request, reply) => {
    const name = tailOf(request, paths.service)
    if (name === '') throw svcdError('missing-service-name', {})
    const hasTags = tagFilter(parametersOf(request))
    const hasMeta = nodeMetaFilter(parametersOf(request))
    const filter = filterOf(parametersOf(request), serviceNodeFields)
    return answerRead(context, request, reply, {
      subject: subject.service(name),
      query: (catalog) => {
        const rows = catalog
          .instances(name)
          .filter(({ service }) => hasTags?.(service.tags) ?? true)
          .filter(({ node }) => hasMeta?.(node.meta) ?? true)
          .map((instance) => serviceNodeJson(instance, datacenter))
        return filtered(rows, filter)
      },
    })
  })

  addRoute(app, 'GET', `${paths.node}*`, (request, reply) =>
    answerRead(
      context,
      request,
      reply,
      nodeWithServices(tailOf(request, paths.node), parametersOf(request), backend),
    ),
  )

  addRoute(app, 'GET', `${paths.nodeServices}*`, (request, reply) => {
    const asked = nodeArgument(request, paths.nodeServices)
    const filter = filterOf(parametersOf(request), serviceFields)
    return answerRead(context, request, reply, {
      subject: nodeSubject(backend, asked),
      query: (catalog) => {
        const node = findNode(catalog, asked)
        if (node === undefined) return { Node: null, Services: null }
        const services = filtered(catalog.servicesOfNode(node.name).map(nodeServiceJson), filter)
        return { Node: nodeJson(node, datacenter), Services: services }
      },
    })
  })
}

/** catalog/node: a node with a map of its services; null when there is none. */
export function nodeWithServices(
  asked: string,
  parameters: Parameters,
  backend: Backend,
): Question {
  if (asked === '') throw svcdError('missing-name', { what: 'node name' })
  const filter = filterOf(parameters, serviceFields)
  return {
    subject: nodeSubject(backend, asked),
    query: (catalog) => {
      const node = findNode(catalog, asked)
      if (node === undefined) return null
      const services = filtered(catalog.servicesOfNode(node.name).map(nodeServiceJson), filter)
      return {
        Node: nodeJson(node, backend.identity.datacenter),
        Services: Object.fromEntries(services.map((row) => [row.ID, row])),
      }
    },
  }
}

function nodeArgument(request: FastifyRequest, prefix: string): string {
  const asked = tailOf(request, prefix)
  if (asked === '') throw svcdError('missing-name', { what: 'node name' })
  return asked
}

function nodeSubject(backend: Backend, asked: string): string {
  return backend.read((catalog) => subject.node(findNode(catalog, asked)?.name ?? asked))
}

/** A node by its name, else by its whole ID. */
export function findNode(catalog: CatalogReader, asked: string): Node | undefined {
  const byName = catalog.node(asked)
  if (byName !== undefined || !isUuid(asked)) return byName
  const id = asked.toLowerCase()
  return catalog.nodes().find((node) => node.id === id)
}

function isUuid(text: string): boolean {
  return text.length === 36 && text[8] === '-'
}
