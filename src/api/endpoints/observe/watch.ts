import type { FastifyReply, FastifyRequest } from 'fastify'
import { must } from '../../../base/assert.ts'
import { svcdError } from '../../../base/errors.ts'
import { endpoint } from '../../context.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { addReadHeaders, reach } from '../../http/consistency.ts'
import type { Handle } from '../../http/endpoint.ts'
import { parameter, parametersOf, readOptions } from '../../http/parameters.ts'
import type { Parameters } from '../../http/parameters.ts'
import { nodeAndService } from '../../http/permissions.ts'
import * as query from '../../http/query-docs.ts'
import { answerKey } from '../../http/read.ts'
import type { QuestionOf, ReadContext } from '../../http/read.ts'
import type { Rendered } from '../../http/render-cache.ts'
import type { Question } from '../../http/renderer.ts'
import { eventStream, text } from '../../http/schemas.ts'
import { allNodes, allServices, named, nodeWithServices } from '../catalog/questions.ts'
import { checksInState, nodeChecks, serviceChecks, serviceHealth } from '../health/questions.ts'

/** The handler of a stream: the state that there is as one event, then one for each change. */
function watches(questionOf: QuestionOf): Handle<ApiContext> {
  return (context, request, reply) =>
    answerWatch(context, request, reply, questionOf(context, request.query, request.params))
}

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
    handle: watches(({ backend }, parameters, name) =>
      serviceHealth(named(name), parameters, backend),
    ),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/node/{node}',
    permission: nodeAndService.read,
    summary: 'Stream catalog/node as events',
    query: query.watchQuery,
    media: eventStream,
    handle: watches(({ backend }, parameters, name) => nodeWithServices(name, parameters, backend)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/services',
    permission: { resource: 'service', access: 'read' },
    summary: 'Stream catalog/services as events',
    query: { ...query.nodeMeta, ...query.watchQuery },
    media: eventStream,
    handle: watches(({ backend }, parameters) => allServices(parameters, backend)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/watch/nodes',
    permission: { resource: 'node', access: 'read' },
    summary: 'Stream catalog/nodes as events',
    query: { ...query.nodeMeta, ...query.watchQuery },
    media: eventStream,
    handle: watches(({ backend }, parameters) => allNodes(parameters, backend)),
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
function checksQuestion(parameters: Parameters, { backend }: ReadContext): Question {
  const given = ['service', 'node', 'state'].filter((name) => parameters[name] !== undefined)
  const [a, b] = given
  if (a !== undefined && b !== undefined) throw svcdError('conflicting-parameters', { a, b })
  const value = parameter(parameters, a ?? '') ?? ''
  if (a === 'service') return serviceChecks(value, parameters)
  if (a === 'node') return nodeChecks(value, parameters, backend)
  return checksInState(a === 'state' ? value : 'any', parameters)
}

async function answerWatch(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  question: Question,
): Promise<FastifyReply> {
  const { backend, streams } = context
  const options = readOptions(withLastEventId(request), backend.identity)
  await reach(context, options.consistency)
  if (reply.raw.destroyed) return reply.hijack()
  const key = answerKey(request)
  const render = context.renderer.of(key, false, question)
  const now = async (since: number): Promise<Rendered> => must(await render(since, 0))
  const first = await now(backend.version())
  if (reply.raw.destroyed) return reply.hijack()
  addReadHeaders(reply, backend, options.consistency, first.index)
  addStreamHeaders(reply)
  if (request.method === 'HEAD') return reply.send()
  const feed = streams.feed(key, { subject: question.subject, render: now }, first)
  // Nothing is waited for from here on: the feed would end with the last of its other readers.
  const { body } = feed.see(first)
  // It has the state with which a blocking query would wait.
  const isKnown = context.renderer.isUnchanged(question, options.index)
  reply.hijack()
  reply.raw.writeHead(200, reply.getHeaders() as Record<string, string | string[]>)
  streams.open(key, feed, reply.raw, isKnown ? body : undefined)
  return reply
}

/** What a client saw last, as browsers say it when they connect again; else `?index`. */
function withLastEventId(request: FastifyRequest): Parameters {
  const header = request.headers['last-event-id']
  const parameters = parametersOf(request)
  return typeof header === 'string' ? { ...parameters, index: header } : parameters
}

function addStreamHeaders(reply: FastifyReply): void {
  reply
    .header('Content-Type', 'text/event-stream')
    .header('Cache-Control', 'no-store')
    // nginx holds answers back unless it is told.
    .header('X-Accel-Buffering', 'no')
    // A stream ends with its connection, so that no client waits to use it again.
    .header('Connection', 'close')
}
