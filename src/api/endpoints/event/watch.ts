import type { FastifyReply } from 'fastify'
import { eventFamily } from '../../../state/event/family.ts'
import type { ApiContext } from '../../context.ts'
import { addReadHeaders, reach } from '../../../http/consistency.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { parameter, readOptions } from '../../../http/parameters.ts'
import { answerKey } from '../../../http/read.ts'
import { addStreamHeaders, sendStream, withLastEventId } from '../../streams/stream-reply.ts'
import { Arrivals } from './arrivals.ts'
import { choiceOf } from './choice.ts'
import type { Choice } from './choice.ts'
import { emptyIndex, eventIndex } from './event-json.ts'
import { catchUp, seenIndex } from './list.ts'
import { recentOf } from './recent.ts'

/** The stream of event/list: the events that there are, and then those that arrive. */
export async function watchEvents(
  context: ApiContext,
  request: Asked,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { freshness, identity, streams } = context
  const parameters = withLastEventId(request)
  const { consistency } = readOptions(parameters, identity)
  const choice = choiceOf(parameters, identity)
  const seen = seenIndex(parameter(parameters, 'index'))
  const state = context.families.of(eventFamily)
  await reach(context, consistency)
  await catchUp(context, state, seen)
  await choice.prepare(recentOf(state).events)
  if (reply.raw.destroyed) return reply.hijack()
  // With the rights that it has after these waits.
  const { caller } = context.requesterNow(request)
  const allowed: Choice = {
    ...choice,
    has: (event) => caller.rights.allows('event', event.name, 'read') && choice.has(event),
  }
  choice.begin()
  const recent = recentOf(state)
  const last = recent.events.findLast(allowed.has)
  addReadHeaders(reply, freshness, consistency, last === undefined ? emptyIndex : eventIndex(last))
  addStreamHeaders(reply)
  if (request.method === 'HEAD') return reply.send()
  const place = { caller, key: answerKey(request) }
  const feed = streams.feed(place, () => new Arrivals(state, allowed))
  const upTo = seen === undefined ? undefined : recent.withIndex(seen)?.ltime
  return sendStream(context, request, reply, { place, feed, next: feed.source.next(upTo) })
}
