import { svcdError } from '../../../base/errors.ts'
import { listed } from '../../../intention/questions.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { endpoint } from '../../context.ts'
import type { ApiEndpoint } from '../../context.ts'
import { flagParameter, parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import { nodeAndService } from '../../../http/permissions.ts'
import * as query from '../../../http/query-docs.ts'
import type { Question } from '../../../http/renderer.ts'
import type { RowKeyOf } from '../../../http/row-deltas.ts'
import { eventStream, flag, text } from '../../../http/schemas.ts'
import { watches } from '../../streams/watches.ts'
import { watchedKey, watchedTree } from '../kv/questions.ts'
import { kvWatch } from '../kv/watch.ts'
import { choiceQuery } from '../event/event.ts'
import { watchEvents } from '../event/watch.ts'
import { allNodes, allServices, named, nodeWithServices } from '../catalog/questions.ts'
import type { CatalogContext } from '../catalog/questions.ts'
import { nodeSummaries } from '../health/node-summary.ts'
import { checksInState, nodeChecks, serviceChecks, serviceHealth } from '../health/questions.ts'
import { serviceSummaries } from '../health/summary.ts'

interface KeyFields {
  readonly Name: string
  readonly Node: string
  readonly CheckID: string
}

interface InstanceFields {
  readonly Node: { readonly Node: string }
  readonly Service: { readonly ID: string }
}

/** What tells the rows of a list apart, for `?deltas`. */
const keys = {
  instance: (row) => {
    const { Node, Service } = row as InstanceFields
    return [Node.Node, Service.ID]
  },
  summary: (row) => [(row as KeyFields).Name],
  nodeSummary: (row) => [(row as KeyFields).Node],
  check: (row) => {
    const { Node, CheckID } = row as KeyFields
    return [Node, CheckID]
  },
} satisfies Readonly<Record<string, RowKeyOf>>

/**
 * watch/*: reads as server-sent events. They take the parameters of the reads whose answers they stream.
 */
export const watchEndpoints: readonly ApiEndpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/watch/service/{service}',
    permission: nodeAndService.read,
    summary: 'Stream health/service as events',
    query: {
      ...query.passing,
      ...query.tag,
      ...query.nodeMeta,
      ...query.deltas,
      ...query.watchQuery,
    },
    media: eventStream,
    handle: watches(
      (context, parameters, name) => serviceHealth(named(name), parameters, context),
      keys.instance,
    ),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/node/{node}',
    permission: nodeAndService.read,
    summary: 'Stream catalog/node as events',
    query: {
      checks: { ...flag, description: 'Add the checks of the node and of its services' },
      ...query.watchQuery,
    },
    media: eventStream,
    handle: watches((context, parameters, name) => nodeQuestion(name, parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/services',
    permission: { filteredBy: [{ resource: 'service', access: 'read' }] },
    summary: 'Stream catalog/services as events',
    query: { ...query.nodeMeta, ...query.watchQuery },
    media: eventStream,
    handle: watches((context, parameters) => allServices(parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/nodes',
    permission: { filteredBy: [{ resource: 'node', access: 'read' }] },
    summary: 'Stream catalog/nodes as events',
    query: { ...query.nodeMeta, ...query.watchQuery },
    media: eventStream,
    handle: watches((context, parameters) => allNodes(parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/summary',
    permission: nodeAndService.read,
    summary: 'Stream health/summary as events',
    query: {
      node: { ...text, description: 'Return only entries of this node' },
      ...query.tag,
      ...query.nodeMeta,
      ...query.deltas,
      ...query.watchQuery,
    },
    media: eventStream,
    handle: watches((context, parameters) => serviceSummaries(parameters, context), keys.summary),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/node-summary',
    permission: nodeAndService.read,
    summary: 'Stream health/node-summary as events',
    query: { ...query.nodeMeta, ...query.deltas, ...query.watchQuery },
    media: eventStream,
    handle: watches((context, parameters) => nodeSummaries(parameters, context), keys.nodeSummary),
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
      ...query.deltas,
      ...query.watchQuery,
    },
    media: eventStream,
    handle: watches((context, parameters) => checksQuestion(parameters, context), keys.check),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/intentions',
    permission: { filteredBy: [{ resource: 'intention', access: 'read' }] },
    summary: 'Stream connect/intentions as events',
    query: query.watchQuery,
    media: eventStream,
    handle: (context, request, reply) =>
      watches(() => listed(context, request.query))(context, request, reply),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/key/{key}',
    permission: { handlerChecks: [{ resource: 'key', access: 'read' }] },
    summary: 'Stream the entry of a key as events; null while it does not exist',
    query: { ...query.index, ...query.consistency },
    media: eventStream,
    handle: kvWatch('/v1/watch/key/', watchedKey),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/keyprefix/{prefix}',
    permission: { filteredBy: [{ resource: 'key', access: 'read' }] },
    summary:
      'Stream the entries whose key begins with a prefix as events; null while there are none',
    query: {
      keys: { ...text, description: 'Stream only the keys' },
      separator: {
        ...text,
        description: 'With keys: cut each key at the first separator behind the prefix',
      },
      ...query.index,
      ...query.consistency,
    },
    media: eventStream,
    handle: kvWatch('/v1/watch/keyprefix/', watchedTree),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/event',
    permission: { filteredBy: [{ resource: 'event', access: 'read' }] },
    summary: 'Stream user events for this agent, as lists of those that the client has not seen',
    query: { ...choiceQuery, ...query.index, ...query.consistency },
    media: eventStream,
    handle: watchEvents,
  }),
]

/** catalog/node; with `?checks` also what health/node answers. */
function nodeQuestion(
  name: string,
  parameters: Parameters,
  context: CatalogContext,
): Question<CatalogReader> {
  const question = nodeWithServices(name, parameters, context)
  if (!flagParameter(parameters, 'checks')) return question
  const checks = nodeChecks(name, {}, context)
  return {
    ...question,
    answer: (catalog, viewer) => {
      const node = question.answer(catalog, viewer)
      const own = checks.answer(catalog, viewer)
      if (node.kind !== 'object' || own.kind !== 'list') return node
      return { ...node, fields: [...node.fields, ['Checks', own]] }
    },
  }
}

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
