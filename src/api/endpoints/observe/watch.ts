import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { must } from '../../../base/assert.ts'
import { svcdError } from '../../../base/errors.ts'
import { allNodes, allServices, named, nodeWithServices } from '../catalog/questions.ts'
import { answerKey } from '../../http/read.ts'
import type { ReadContext } from '../../http/read.ts'
import { addReadHeaders, reach } from '../../http/consistency.ts'
import { checksInState, nodeChecks, serviceChecks, serviceHealth } from '../health/questions.ts'
import { parameter, parametersOf, readOptions } from '../../http/parameters.ts'
import type { Parameters } from '../../http/parameters.ts'
import type { Rendered } from '../../http/render-cache.ts'
import type { Question } from '../../http/renderer.ts'
import { addRoute, tailOf } from '../../http/route.ts'
import type { Streams } from '../../streams/streams.ts'

export interface WatchContext extends ReadContext {
  readonly streams: Streams
}

const paths = { service: '/v1/watch/service/', node: '/v1/watch/node/' }

/**
 * watch/*: reads of the catalog as server-sent events, one with the state that there is and one for
 * each change. They take the parameters of the reads whose answers they stream.
 */
export function addWatchRoutes(app: FastifyInstance, context: WatchContext): void {
  const { backend } = context
  const add = (path: string, questionOf: (request: FastifyRequest) => Question): void =>
    addRoute(app, 'GET', path, async (request, reply) =>
      answerWatch(context, request, reply, questionOf(request)),
    )
  add(`${paths.service}*`, (request) =>
    serviceHealth(named(tailOf(request, paths.service)), parametersOf(request), backend),
  )
  add(`${paths.node}*`, (request) =>
    nodeWithServices(tailOf(request, paths.node), parametersOf(request), backend),
  )
  add('/v1/watch/services', (request) => allServices(parametersOf(request), backend))
  add('/v1/watch/nodes', (request) => allNodes(parametersOf(request), backend))
  add('/v1/watch/checks', (request) => checksQuestion(parametersOf(request), context))
}

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
  context: WatchContext,
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
