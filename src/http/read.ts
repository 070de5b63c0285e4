import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../access/caller.ts'
import type { Random } from '../base/random.ts'
import type { Requester } from '../access/requester.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import { timeoutMs, untilFound } from './blocking.ts'
import type { BlockingContext } from './blocking.ts'
import { addReadHeaders, reach } from './consistency.ts'
import type { ReachContext } from './consistency.ts'
import type { Handle } from './endpoint.ts'
import type { FamilyReads } from '../ports/reads.ts'
import { parametersOf, readOptions } from './parameters.ts'
import type { Parameters, ReadOptions } from './parameters.ts'
import type { Rendered } from './render-cache.ts'
import type { Indexed, Question, Render, Renderer } from './renderer.ts'
import { mustAllow } from './requesters.ts'
import type { RequesterContext } from './requesters.ts'
import { isPretty, sendRendered } from './reply.ts'

/** What reads are answered from. */
export interface ReadContext extends ReachContext, BlockingContext, RequesterContext {
  readonly random: Random
  readonly renderer: Renderer
  readonly catalog: FamilyReads<CatalogReader>
}

/** What an endpoint asks, by its parameters and the argument of its path. */
export type QuestionOf<Reader extends Indexed> = (
  context: ReadContext,
  parameters: Parameters,
  argument: string,
) => Question<Reader>

/**
 * The handler of a read: consistency, blocking and Consul's headers. With `?index=N` the answer waits
 * until the index of the question is above N, or the wait is over.
 */
export function reads<Reader extends Indexed>(questionOf: QuestionOf<Reader>): Handle<ReadContext> {
  return (context, request, reply) =>
    answerRead(context, request, reply, questionOf(context, request.query, request.params))
}

async function answerRead<Reader extends Indexed>(
  context: ReadContext,
  request: FastifyRequest,
  reply: FastifyReply,
  question: Question<Reader>,
): Promise<FastifyReply> {
  const { freshness, identity } = context
  const options = readOptions(parametersOf(request), identity)
  mustAllowQuestion(context.requesterOf(request), question)
  await reach(context, options.consistency)
  // In the newest state its token may have other rights, or be gone.
  mustAllowQuestion(context.requesterNow(request), question)
  const rendered = await read(context, request, reply, options, question)
  if (reply.raw.destroyed) return reply.hijack()
  addReadHeaders(reply, freshness, options.consistency, rendered.index)
  reply.header('X-Consul-Query-Backend', 'blocking-query')
  if (parametersOf(request)['cached'] !== undefined) addCacheHeaders(reply)
  return sendRendered(request, reply, rendered, question.headers)
}

/** This server's own copy stands in for the cache of an agent, and has just been confirmed. */
function addCacheHeaders(reply: FastifyReply): void {
  reply.header('X-Cache', 'HIT').header('Age', '0')
}

function read<Reader extends Indexed>(
  context: ReadContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { index, waitMs }: ReadOptions,
  question: Question<Reader>,
): Promise<Rendered> {
  const [key, pretty] = [answerKey(request), isPretty(request)]
  const renderFor = (caller: Caller): Render =>
    context.renderer.of({ caller, key, pretty, question })
  let requester = context.requesterOf(request)
  let render = renderFor(requester.caller)
  let hasLooked = false
  const { state, subject } = question
  const limitMs = (): number => timeoutMs(waitMs, context.random)
  const look = (since: number, isLast: boolean) => {
    if (hasLooked) {
      // During the wait, the rights of the token may have changed, or the token was deleted.
      const before = requester
      requester = context.requesterNow(request)
      if (requester !== before) mustAllowQuestion(requester, question)
      if (requester.caller !== before.caller) render = renderFor(requester.caller)
    }
    hasLooked = true
    return render(since, isLast ? 0 : index)
  }
  return untilFound(context, reply, { state, subject, limitMs }, look)
}

/** Throws `permission-denied`. */
export function mustAllowQuestion(
  requester: Requester,
  { needs }: Pick<Question<never>, 'needs'>,
): void {
  if (needs !== undefined) mustAllow(requester, needs)
}

// The parameters that say how to read, not what to read.
const manner = new Set([
  'index',
  'wait',
  'stale',
  'consistent',
  'cached',
  'leader',
  'max_stale',
  'token',
])

/** Two requests of one caller with the same key have the same answer as long as the state does not change. */
export function answerKey(request: FastifyRequest): string {
  const { url } = request
  const end = url.indexOf('?')
  if (end < 0) return url
  const filters = Object.entries(parametersOf(request)).filter(([name]) => !manner.has(name))
  return url.slice(0, end) + JSON.stringify(filters)
}
