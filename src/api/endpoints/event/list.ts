import type { FastifyReply } from 'fastify'
import type { Caller } from '../../../access/caller.ts'
import { Viewer } from '../../../access/viewer.ts'
import { eventFamily } from '../../../state/event/family.ts'
import type { EventReader, UserEvent } from '../../../state/event/reader.ts'
import type { FamilyReads } from '../../../ports/reads.ts'
import type { ApiContext } from '../../context.ts'
import { timeoutMs, untilFound } from '../../../http/blocking.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { parameter, readOptions } from '../../../http/parameters.ts'
import { answerKey } from '../../../http/read.ts'
import { isPretty, sendJson, sendRendered } from '../../../http/reply.ts'
import { tellFiltered } from '../../../http/requesters.ts'
import { choiceOf } from './choice.ts'
import type { Choice } from './choice.ts'
import { emptyIndex, eventIndex, eventJson } from './event-json.ts'
import { recentOf } from './recent.ts'
import type { Recent } from './recent.ts'

/** Consul's, for this endpoint alone. */
const waitMsDefault = 600_000

/**
 * Answers with the events that are for this agent. With `?index=N` it waits while the last one is the event
 * with the index N. It reads this server's own copy, also without a leader.
 */
export async function listEvents(
  context: ApiContext,
  request: Asked,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { identity, random } = context
  const { waitMs } = readOptions(request.query, identity)
  const choice = choiceOf(request.query, identity)
  const seen = seenIndex(parameter(request.query, 'index'))
  const state = context.families.of(eventFamily)
  await catchUp(context, state, seen)
  await choice.prepare(recentOf(state).events)
  const limitMs = (): number => timeoutMs(waitMs, random, waitMsDefault)
  const blocking = { state, subject: choice.subject, limitMs }
  let hasLooked = false
  const view = await untilFound(context, reply, blocking, (_since, isLast) => {
    choice.begin()
    // After a wait its token may have other rights, or none.
    const { caller } = hasLooked ? context.requesterNow(request) : context.requesterOf(request)
    hasLooked = true
    const found = viewOf(recentOf(state), choice, seen, caller)
    return found.isNew || isLast ? found : undefined
  })
  if (reply.raw.destroyed) return reply.hijack()
  reply.header('X-Consul-Index', view.index)
  const { recent, events } = view
  if (view.hasHidden) tellFiltered(request, reply)
  if (!view.isWhole) return sendJson(request, reply, events.map(eventJson))
  const [caller, key] = [context.callerOf(request), answerKey(request)]
  return sendRendered(request, reply, recent.list(caller, key, events, isPretty(request)))
}

/** The index of the event that a client saw last; undefined: it asks for no change. */
export function seenIndex(text: string | undefined): string | undefined {
  const index = BigInt(text === undefined || text === '' ? 0 : text).toString()
  return index === '0' ? undefined : index
}

/**
 * Somebody who followed another server may be ahead of this one, and would get again what it has seen. So an
 * unknown event is looked for once more when this copy is as new as the leader's. Without a leader it
 * remains unknown.
 */
export async function catchUp(
  { freshness }: Pick<ApiContext, 'freshness'>,
  state: FamilyReads<EventReader>,
  seen: string | undefined,
): Promise<void> {
  if (seen === undefined || seen === emptyIndex || freshness.leader() === '') return
  if (recentOf(state).withIndex(seen) !== undefined) return
  await freshness.barrier().catch(() => {})
}

interface View {
  readonly recent: Recent
  readonly events: readonly UserEvent[]
  readonly index: string
  /** There is something that the client has not seen. */
  readonly isNew: boolean
  /** The events are all of the choice. */
  readonly isWhole: boolean
  /** There are others that the client may not see. */
  readonly hasHidden: boolean
}

/**
 * What a client gets that has seen the event with the index `seen` last. It gets all, and looks for that
 * event in it. If that event is not in this list, because it was for another node only, the client would
 * take all for new. So it gets only the events after it.
 */
function viewOf(recent: Recent, choice: Choice, seen: string | undefined, caller: Caller): View {
  const viewer = new Viewer(caller)
  const events = recent.events.filter(
    (event) => choice.has(event) && viewer.sees('event', event.name),
  )
  const { hasHidden } = viewer
  const isSeen = (event: UserEvent): boolean =>
    choice.has(event) && caller.rights.allows('event', event.name, 'read')
  const last = events.at(-1)
  const index = last === undefined ? emptyIndex : eventIndex(last)
  const seenEvent = seen === undefined ? undefined : recent.withIndex(seen)
  if (seen === undefined || seenEvent === undefined || isSeen(seenEvent)) {
    return { recent, events, index, isNew: index !== seen, isWhole: true, hasHidden }
  }
  const later = events.filter(({ ltime }) => ltime > seenEvent.ltime)
  const isNew = later.length > 0
  return { recent, events: later, index: isNew ? index : seen, isNew, isWhole: false, hasHidden }
}
