import { svcdError } from '../../../base/errors.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { endpoint } from '../../context.ts'
import type { ApiEndpoint } from '../../context.ts'
import { parameter } from '../../http/parameters.ts'
import type { Parameters } from '../../http/parameters.ts'
import { nodeAndService } from '../../http/permissions.ts'
import * as query from '../../http/query-docs.ts'
import type { Question } from '../../http/renderer.ts'
import { eventStream, text } from '../../http/schemas.ts'
import { watches } from '../../streams/watches.ts'
import { allNodes, allServices, named, nodeWithServices } from '../catalog/questions.ts'
import type { CatalogContext } from '../catalog/questions.ts'
import { checksInState, nodeChecks, serviceChecks, serviceHealth } from '../health/questions.ts'

/**
 * watch/*: reads of the catalog as server-sent events. They take the parameters of the reads whose
 * answers they stream.
 */
export const watchEndpoints: readonly ApiEndpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/watch/service/{service}',
    permission: nodeAndService.read,
    summary: 'Stream health/service as events',
    query: { ...query.passing, ...query.tag, ...query.nodeMeta, ...query.watchQuery },
    media: eventStream,
    handle: watches((context, parameters, name) => serviceHealth(named(name), parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/node/{node}',
    permission: nodeAndService.read,
    summary: 'Stream catalog/node as events',
    query: query.watchQuery,
    media: eventStream,
    handle: watches((context, parameters, name) => nodeWithServices(name, parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/services',
    permission: { resource: 'service', access: 'read' },
    summary: 'Stream catalog/services as events',
    query: { ...query.nodeMeta, ...query.watchQuery },
    media: eventStream,
    handle: watches((context, parameters) => allServices(parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/nodes',
    permission: { resource: 'node', access: 'read' },
    summary: 'Stream catalog/nodes as events',
    query: { ...query.nodeMeta, ...query.watchQuery },
    media: eventStream,
    handle: watches((context, parameters) => allNodes(parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/checks',
    permission: nodeAndService.read,
    summary: 'Stream checks as events',
    query: {
      service: { ...text, description: 'Return only the checks of this service' },
      node: { ...text, description: 'Return only entries of this node' },
      state: { ...text, description: 'Return only checks in this state' },
      ...query.nodeMeta,
      ...query.watchQuery,
    },
    media: eventStream,
    handle: watches((context, parameters) => checksQuestion(parameters, context)),
  }),
]

/** The checks of a service, of a node, or of one state; all of them when nothing is named. */
function checksQuestion(parameters: Parameters, context: CatalogContext): Question<CatalogReader> {
  const given = ['service', 'node', 'state'].filter((name) => parameters[name] !== undefined)
  const [a, b] = given
  if (a !== undefined && b !== undefined) throw svcdError('conflicting-parameters', { a, b })
  const value = parameter(parameters, a ?? '') ?? ''
  if (a === 'service') return serviceChecks(value, parameters, context)
  if (a === 'node') return nodeChecks(value, parameters, context)
  return checksInState(a === 'state' ? value : 'any', parameters, context)
}
