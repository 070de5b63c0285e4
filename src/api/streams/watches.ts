import type { FastifyReply, FastifyRequest } from 'fastify'
import { must } from '../../base/assert.ts'
import type { ApiContext } from '../context.ts'
import { addReadHeaders, reach } from '../http/consistency.ts'
import type { Handle } from '../http/endpoint.ts'
import { parametersOf, readOptions } from '../http/parameters.ts'
import type { Parameters } from '../http/parameters.ts'
import { answerKey } from '../http/read.ts'
import type { QuestionOf } from '../http/read.ts'
import type { Rendered } from '../http/render-cache.ts'
import type { Indexed, Question } from '../http/renderer.ts'

/** The handler of a stream: the state that there is as one event, then one for each change. */
export function watches<Reader extends Indexed>(
  questionOf: QuestionOf<Reader>,
): Handle<ApiContext> {
  return (context, request, reply) =>
    answerWatch(context, request, reply, questionOf(context, request.query, request.params))
}

async function answerWatch<Reader extends Indexed>(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  question: Question<Reader>,
): Promise<FastifyReply> {
  const { freshness, identity, streams } = context
  const options = readOptions(withLastEventId(request), identity)
  await reach(context, options.consistency)
  if (reply.raw.destroyed) return reply.hijack()
  const place = { caller: context.callerOf(request), key: answerKey(request) }
  const render = context.renderer.of({ ...place, pretty: false, question })
  const now = async (since: number): Promise<Rendered> => must(await render(since, 0))
  const { state, subject } = question
  const first = await now(state.version())
  if (reply.raw.destroyed) return reply.hijack()
  addReadHeaders(reply, freshness, options.consistency, first.index)
  addStreamHeaders(reply)
  if (request.method === 'HEAD') return reply.send()
  const feed = streams.feed(place, { state, subject, render: now }, first)
  // Nothing is waited for from here on: the feed would end with the last of its other readers.
  const { body } = feed.see(first)
  // It has the state with which a blocking query would wait.
  const isKnown = context.renderer.isUnchanged(question, options.index)
  reply.hijack()
  reply.raw.writeHead(200, reply.getHeaders() as Record<string, string | string[]>)
  streams.open(place, feed, reply.raw, isKnown ? body : undefined)
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
    // nginx holds answers back without this.
    .header('X-Accel-Buffering', 'no')
    // A stream ends with its connection, so that no client waits to use it again.
    .header('Connection', 'close')
}
