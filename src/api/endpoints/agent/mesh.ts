import type { FastifyInstance } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import type { Instance, Service } from '../../../state/catalog/model.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { subject } from '../../../state/catalog/subjects.ts'
import { named, serviceNodes } from '../catalog/questions.ts'
import type { Source } from '../catalog/questions.ts'
import { answerRead } from '../../http/read.ts'
import type { ReadContext } from '../../http/read.ts'
import { serviceHealth } from '../health/questions.ts'
import { parametersOf } from '../../http/parameters.ts'
import { addRoute, tailOf } from '../../http/route.ts'

const paths = {
  catalogConnect: '/v1/catalog/connect/',
  gatewayServices: '/v1/catalog/gateway-services/',
  healthConnect: '/v1/health/connect/',
  ingress: '/v1/health/ingress/',
}

/**
 * What the catalog knows of Consul's service mesh: the proxies and the mesh-capable instances that somebody
 * registered. Which gateway is for which service is said by configuration entries, which svcd has not.
 */
export function addMeshRoutes(app: FastifyInstance, context: ReadContext): void {
  const { backend } = context

  addRoute(app, 'GET', `${paths.catalogConnect}*`, (request, reply) => {
    const source = connectable(tailOf(request, paths.catalogConnect))
    const question = serviceNodes(source, parametersOf(request), backend)
    return answerRead(context, request, reply, question)
  })

  addRoute(app, 'GET', `${paths.healthConnect}*`, (request, reply) => {
    const source = connectable(tailOf(request, paths.healthConnect))
    const question = serviceHealth(source, parametersOf(request), backend)
    return answerRead(context, request, reply, question)
  })

  for (const path of [paths.ingress, paths.gatewayServices]) {
    addRoute(app, 'GET', `${path}*`, (request, reply) => {
      const source = none(tailOf(request, path), path)
      const question = serviceHealth(source, parametersOf(request), backend)
      return answerRead(context, request, reply, question)
    })
  }
}

/** Through what a service is reached in the mesh: itself where it can speak for itself, and its proxies. */
function connectable(name: string): Source {
  const own = named(name)
  return {
    // A proxy has a name of its own, and nothing says beforehand which.
    subject: subject.anything,
    instances: (catalog) => meshInstances(catalog, name.toLowerCase(), own.instances(catalog)),
  }
}

function* meshInstances(
  catalog: CatalogReader,
  name: string,
  own: Iterable<Instance | undefined>,
): Generator<Instance | undefined, void> {
  for (const instance of own) {
    yield instance !== undefined && isNative(instance.service) ? instance : undefined
  }
  for (const instance of catalog.pages.proxies()) {
    const isIts = instance !== undefined && destinationOf(instance.service) === name
    yield isIts ? instance : undefined
  }
}

function isNative({ extra }: Service): boolean {
  return (extra['Connect'] as { Native?: unknown } | undefined)?.Native === true
}

function destinationOf({ extra }: Service): string | undefined {
  const proxy = extra['Proxy'] as { DestinationServiceName?: unknown } | undefined
  const destination = proxy?.DestinationServiceName
  return typeof destination === 'string' ? destination.toLowerCase() : undefined
}

function none(name: string, path: string): Source {
  if (name === '' && path === paths.gatewayServices) {
    throw svcdError('missing-name', { what: 'gateway name' })
  }
  return { subject: named(name).subject, instances: () => [] }
}
