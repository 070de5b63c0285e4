import type { FastifyReply, FastifyRequest } from 'fastify'
import { must } from '../../base/assert.ts'
import type { ApiContext } from '../context.ts'
import { addReadHeaders, reach } from '../../http/consistency.ts'
import type { Handle } from '../../http/endpoint.ts'
import { flagParameter, parametersOf, readOptions } from '../../http/parameters.ts'
import { answerKey, mustAllowQuestion } from '../../http/read.ts'
import type { QuestionOf } from '../../http/read.ts'
import type { Rendered } from '../../http/render-cache.ts'
import type { Indexed, Question } from '../../http/renderer.ts'
import { tellFiltered } from '../../http/requesters.ts'
import type { RowKeyOf } from '../../http/row-deltas.ts'
import { LatestRows } from './latest-rows.ts'
import { LatestState } from './latest-state.ts'
import { addStreamHeaders, sendStream, withLastEventId } from './stream-reply.ts'

/**
 * The handler of a stream: the state that there is as one event, then one for each change. `keyOf` tells the rows of
 * a list apart; with `?deltas` the later events have only the rows that changed.
 */
export function watches<Reader extends Indexed>(
  questionOf: QuestionOf<Reader>,
  keyOf?: RowKeyOf,
): Handle<ApiContext> {
  return (context, request, reply) => {
    const question = questionOf(context, request.query, request.params)
    return keyOf !== undefined && flagParameter(request.query, 'deltas')
      ? answerDeltas(context, request, reply, question, keyOf)
      : answerWatch(context, request, reply, question)
  }
}

async function answerDeltas<Reader extends Indexed>(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  question: Question<Reader>,
  keyOf: RowKeyOf,
): Promise<FastifyReply> {
  const { freshness, identity, streams } = context
  const { consistency } = readOptions(parametersOf(request), identity)
  mustAllowQuestion(context.requesterOf(request), question)
  await reach(context, consistency)
  if (reply.raw.destroyed) return reply.hijack()
  mustAllowQuestion(context.requesterNow(request), question)
  const place = { caller: context.callerOf(request), key: answerKey(request) }
  const known = streams.source(place) as LatestRows<Reader> | undefined
  const source = known ?? new LatestRows(question, place.caller, keyOf)
  if (!source.isRead) {
    const end = context.longAnswers.begin(request, reply)
    await source.look(question.state.version()).finally(end)
    if (reply.raw.destroyed) return reply.hijack()
  }
  addReadHeaders(reply, freshness, consistency, source.index)
  addStreamHeaders(reply)
  if (source.isFiltered) tellFiltered(request, reply)
  if (request.method === 'HEAD') return reply.send()
  const feed = streams.feed(place, () => source)
  return sendStream(context, request, reply, { place, feed, next: feed.source.next() })
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
  const asking = { ...place, pretty: false, question }
  const render = context.renderer.of(asking)
  const now = async (since: number): Promise<Rendered> => must(await render(since, 0))
  const { state, subject } = question
  // Later states are made for all readers of the feed.
  const beginLong = (): (() => void) => context.longAnswers.begin(request, reply)
  const renderFirst = context.renderer.of({ ...asking, beginLong })
  const first = must(await renderFirst(state.version(), 0))
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
