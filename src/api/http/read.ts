import type { FastifyReply, FastifyRequest } from 'fastify'
import { must } from '../../base/assert.ts'
import type { Random } from '../../base/random.ts'
import type { Wait } from '../../ports/backend.ts'
import { addReadHeaders, reach } from './consistency.ts'
import type { ReachContext } from './consistency.ts'
import type { Handle } from './endpoint.ts'
import { parametersOf, readOptions } from './parameters.ts'
import type { Parameters, ReadOptions } from './parameters.ts'
import type { Rendered } from './render-cache.ts'
import type { Question, Render, Renderer } from './renderer.ts'
import { isPretty, sendRendered } from './reply.ts'

const waitMsDefault = 300_000
const waitMsMax = 600_000
const jitterFraction = 16

/** What the catalog endpoints answer from. */
export interface ReadContext extends ReachContext {
  readonly random: Random
  readonly waits: Waits
  readonly renderer: Renderer
}

/** The waits that are under way, so that a stopping server can end them all. */
export class Waits {
  readonly #open = new Set<Wait>()
  #stopped = false

  /** Ends every wait; each read then answers with what there is. */
  stop(): void {
    this.#stopped = true
    for (const wait of this.#open) wait.end()
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Resolves when the wait has ended, or its client is gone. */
  async run(reply: FastifyReply, wait: Wait): Promise<void> {
    const end = (): void => wait.end()
    this.#open.add(wait)
    // Not `once`, which keeps two objects more for each.
    reply.raw.on('close', end)
    await wait.ended
    this.#open.delete(wait)
    reply.raw.off('close', end)
  }
}

/** What an endpoint asks, by its parameters and the argument of its path. */
export type QuestionOf = (
  context: ReadContext,
  parameters: Parameters,
  argument: string,
) => Question

/** The handler of a read. */
export function reads(questionOf: QuestionOf): Handle<ReadContext> {
  return (context, request, reply) =>
    answerRead(context, request, reply, questionOf(context, request.query, request.params))
}

/**
 * Answers a read of the catalog: consistency, blocking and Consul's headers. With `?index=N` the
 * answer waits until the subject's index is above N, or the wait is over.
 */
async function answerRead(
  context: ReadContext,
  request: FastifyRequest,
  reply: FastifyReply,
  question: Question,
): Promise<FastifyReply> {
  const { backend } = context
  const options = readOptions(parametersOf(request), backend.identity)
  await reach(context, options.consistency)
  const render = context.renderer.of(answerKey(request), isPretty(request), question)
  const rendered = await read(context, reply, options, question.subject, render)
  if (reply.raw.destroyed) return reply.hijack()
  addReadHeaders(reply, backend, options.consistency, rendered.index)
  reply.header('X-Consul-Query-Backend', 'blocking-query')
  if (parametersOf(request)['cached'] !== undefined) addCacheHeaders(reply)
  return sendRendered(request, reply, rendered)
}

/** This server's own copy stands in for the cache of an agent, and has just been confirmed. */
function addCacheHeaders(reply: FastifyReply): void {
  reply.header('X-Cache', 'HIT').header('Age', '0')
}

async function read(
  { backend, clock, random, waits }: ReadContext,
  reply: FastifyReply,
  options: ReadOptions,
  subject: string,
  render: Render,
): Promise<Rendered> {
  let deadline: number | undefined
  for (;;) {
    // Taken before the read, so that a change between the read and the wait ends the wait.
    const since = backend.version()
    const newer = render(since, options.index)
    if (newer !== undefined) return newer
    deadline ??= clock.monotonicMs() + timeoutMs(options.waitMs, random)
    const remainingMs = deadline - clock.monotonicMs()
    if (remainingMs <= 0 || waits.stopped || reply.raw.destroyed) return must(render(since, 0))
    await waits.run(reply, backend.waitForChange(subject, since, remainingMs))
  }
}

// What says how to read, not what.
const manner = new Set(['index', 'wait', 'stale', 'consistent', 'cached', 'leader', 'max_stale'])

/** Two requests with the same key have the same answer as long as the catalog does not change. */
export function answerKey(request: FastifyRequest): string {
  const { url } = request
  const end = url.indexOf('?')
  if (end < 0) return url
  const filters = Object.entries(parametersOf(request)).filter(([name]) => !manner.has(name))
  return url.slice(0, end) + JSON.stringify(filters)
}

/**
 * Consul's wait: the default if none is given, at most 10 minutes, and up to a sixteenth more
 * against stampedes.
 */
export function timeoutMs(askedMs: number, random: Random, defaultMs = waitMsDefault): number {
  const waitMs = askedMs <= 0 ? defaultMs : Math.min(askedMs, waitMsMax)
  return waitMs + (random() * waitMs) / jitterFraction
}
