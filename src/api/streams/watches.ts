import type { FastifyReply, FastifyRequest } from 'fastify'
import { must } from '../../base/assert.ts'
import type { ApiContext } from '../context.ts'
import { addReadHeaders, reach } from '../../http/consistency.ts'
import type { Handle } from '../../http/endpoint.ts'
import { readOptions } from '../../http/parameters.ts'
import { answerKey, mustAllowQuestion } from '../../http/read.ts'
import type { QuestionOf } from '../../http/read.ts'
import type { Rendered } from '../../http/render-cache.ts'
import type { Indexed, Question } from '../../http/renderer.ts'
import { tellFiltered } from '../../http/requesters.ts'
import { LatestState } from './latest-state.ts'
import { addStreamHeaders, sendStream, withLastEventId } from './stream-reply.ts'

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
  mustAllowQuestion(context.requesterOf(request), question)
  await reach(context, options.consistency)
  if (reply.raw.destroyed) return reply.hijack()
  mustAllowQuestion(context.requesterNow(request), question)
  const place = { caller: context.callerOf(request), key: answerKey(request) }
  const render = context.renderer.of({ ...place, pretty: false, question })
  const now = async (since: number): Promise<Rendered> => must(await render(since, 0))
  const { state, subject } = question
  const first = await now(state.version())
  if (reply.raw.destroyed) return reply.hijack()
  addReadHeaders(reply, freshness, options.consistency, first.index)
  addStreamHeaders(reply)
  if (first.isFiltered) tellFiltered(request, reply)
  if (request.method === 'HEAD') return reply.send()
  const feed = streams.feed(place, () => new LatestState({ state, subject, render: now }, first))
  // Nothing is waited for from here on: the feed would end with the last of its other readers.
  const body = feed.source.see(first)
  // It has the state with which a blocking query would wait.
  const isKnown = context.renderer.isUnchanged(question, place.caller, options.index)
  const next = feed.source.next(isKnown ? body : undefined)
  return sendStream(context, request, reply, { place, feed, next })
}
