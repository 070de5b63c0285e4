import { svcdError } from '../../../base/errors.ts'
import { destinationOf } from '../../../definition/proxy-destination.ts'
import type { Instance, Service } from '../../../state/catalog/model.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { subject } from '../../../state/catalog/subjects.ts'
import { endpoint } from '../../context.ts'
import { nodeAndService } from '../../../http/permissions.ts'
import * as query from '../../../http/query-docs.ts'
import { reads } from '../../../http/read.ts'
import { instanceRow, serviceNodeRow } from '../../../http/row-schemas.ts'
import { list } from '../../../http/schemas.ts'
import { serviceHealth } from '../health/questions.ts'
import { named, serviceNodes } from './questions.ts'
import type { Source } from './questions.ts'

// What the catalog knows of Consul's service mesh: the proxies and the mesh-capable instances that somebody
// registered. Which gateway is for which service is said by configuration entries, which svcd has not.

/** The endpoints of the mesh in catalog/. */
export const meshOfCatalog = [
  endpoint({
    method: 'GET',
    path: '/v1/catalog/connect/{service}',
    permission: nodeAndService.read,
    summary: 'List the instances that connect to a service in a mesh',
    query: { ...query.tag, ...query.listQuery, ...query.near },
    answer: list(serviceNodeRow),
    handle: reads((context, parameters, name) =>
      serviceNodes(connectable(name), parameters, context),
    ),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/catalog/gateway-services/{gateway}',
    permission: { filteredBy: [{ resource: 'service', access: 'read' }] },
    summary: 'List the services of a gateway (always none)',
    query: query.readQuery,
    answer: list(instanceRow),
    handle: reads((context, parameters, name) => {
      if (name === '') throw svcdError('missing-name', { what: 'gateway name' })
      return serviceHealth(none(name), parameters, context)
    }),
  }),
]

/** The endpoints of the mesh in health/. */
export const meshOfHealth = [
  endpoint({
    method: 'GET',
    path: '/v1/health/connect/{service}',
    permission: nodeAndService.read,
    summary: 'List the instances that connect to a service in a mesh, with their checks',
    query: { ...query.passing, ...query.tag, ...query.listQuery, ...query.near },
    answer: list(instanceRow),
    handle: reads((context, parameters, name) =>
      serviceHealth(connectable(name), parameters, context),
    ),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/health/ingress/{service}',
    permission: nodeAndService.read,
    summary: 'List the ingress gateways of a service (always none)',
    query: { ...query.passing, ...query.listQuery, ...query.near },
    answer: list(instanceRow),
    handle: reads((context, parameters, name) => serviceHealth(none(name), parameters, context)),
  }),
]

/** Through what a service is reached in the mesh: itself where it can speak for itself, and its proxies. */
function connectable(name: string): Source {
  const own = named(name)
  return {
    about: own.about,
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
    const isIts = instance !== undefined && destinationOf(instance.service)?.toLowerCase() === name
    yield isIts ? instance : undefined
  }
}

function isNative({ extra }: Service): boolean {
  return (extra['Connect'] as { Native?: unknown } | undefined)?.Native === true
}

/** No instances: of a gateway that nothing configures. */
function none(name: string): Source {
  const { subject, about } = named(name)
  return { subject, about, instances: () => [] }
}
