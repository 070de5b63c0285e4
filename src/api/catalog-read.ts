import type { FastifyReply, FastifyRequest } from 'fastify'
import { must } from '../base/assert.ts'
import type { Random } from '../base/random.ts'
import type { CatalogReader } from '../catalog/query.ts'
import { addReadHeaders, reach } from './consistency.ts'
import type { ReachContext } from './consistency.ts'
import { parametersOf, readOptions } from './parameters.ts'
import type { ReadOptions } from './parameters.ts'
import type { RenderCache, Rendered } from './render-cache.ts'
import { isPretty, renderJson, sendBody } from './reply.ts'

const waitMsDefault = 300_000
const waitMsMax = 600_000
const jitterFraction = 16

/** What the catalog endpoints answer from. */
export interface ReadContext extends ReachContext {
  readonly random: Random
  readonly waits: Waits
  readonly answers: RenderCache
}

/** The waits that are under way, so that a stopping server can end them all. */
export class Waits {
  readonly #open = new Set<AbortController>()
  #stopped = false

  /** Ends every wait; each read then answers with what there is. */
  stop(): void {
    this.#stopped = true
    for (const controller of this.#open) controller.abort()
  }

  get stopped(): boolean {
    return this.#stopped
  }

  async run(reply: FastifyReply, wait: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController()
    const abort = (): void => controller.abort()
    this.#open.add(controller)
    reply.raw.once('close', abort)
    try {
      await wait(controller.signal)
    } finally {
      this.#open.delete(controller)
      reply.raw.off('close', abort)
    }
  }
}

/** What an endpoint reads: `subject` moves when `query` may give another answer. */
export interface Question {
  readonly subject: string
  query(catalog: CatalogReader): unknown
}

/**
 * Answers a read of the catalog: consistency, blocking and Consul's headers. With `?index=N` the
 * answer waits until the subject's index is above N, or the wait is over.
 */
export async function answerRead(
  context: ReadContext,
  request: FastifyRequest,
  reply: FastifyReply,
  question: Question,
): Promise<FastifyReply> {
  const { backend } = context
  const options = readOptions(parametersOf(request), backend.identity)
  await reach(context, options.consistency)
  const render = renderer(context, answerKey(request), isPretty(request), question)
  const { index, body } = await read(context, reply, options, question.subject, render)
  if (reply.raw.destroyed) return reply.hijack()
  addReadHeaders(reply, backend, options.consistency, index)
  reply.header('X-Consul-Query-Backend', 'blocking-query')
  return sendBody(reply, body)
}

/** Answers when the subject's index is above `above`; undefined when the caller should wait. */
export type Render = (since: number, above: number) => Rendered | undefined

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
    await waits.run(reply, (signal) => backend.waitForChange(subject, since, remainingMs, signal))
  }
}

export function renderer(
  { backend, answers }: Pick<ReadContext, 'backend' | 'answers'>,
  key: string,
  pretty: boolean,
  question: Question,
): Render {
  return (since, above) =>
    backend.read((catalog) => {
      const index = indexOf(catalog, question.subject)
      if (mustWait(catalog, index, above)) return undefined
      const known = answers.get(since, key)
      // A commit shows in the index a moment before it shows in the version.
      if (known?.index === index) return known
      const rendered = { index, body: renderJson(question.query(catalog), pretty) }
      answers.put(since, key, rendered)
      return rendered
    })
}

function mustWait(catalog: CatalogReader, index: number, above: number): boolean {
  if (above === 0 || index > above) return false
  // An index that this catalog has not reached comes from before a restore: waiting for it would
  // leave the client with what it knew then.
  return above <= Math.max(1, catalog.appliedIndex())
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

/** Never 0: clients take 0 for "no index" and would spin. */
function indexOf(catalog: CatalogReader, subject: string): number {
  return Math.max(1, catalog.indexOf(subject))
}

/** Consul's wait: 5 minutes unless told, at most 10, and up to a sixteenth more against stampedes. */
function timeoutMs(askedMs: number, random: Random): number {
  const waitMs = askedMs <= 0 ? waitMsDefault : Math.min(askedMs, waitMsMax)
  return waitMs + (random() * waitMs) / jitterFraction
}
