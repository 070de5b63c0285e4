import type { FastifyReply } from 'fastify'
import { must } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Wait } from '../ports/waits.ts'
import type { FamilyReads } from '../ports/reads.ts'

const waitMsDefault = 300_000
const waitMsMax = 600_000
const jitterFraction = 16

/** The waits that are under way, so that a stopping server can end them all. */
export class Waits {
  readonly #open = new Set<Wait>()
  #stopped = false

  /** Ends every wait; each read then answers with the present state. */
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

export interface BlockingContext {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly waits: Waits
}

export interface Blocking {
  readonly state: Pick<FamilyReads<never>, 'version' | 'waitForChange'>
  readonly subject: string
  /** How long it may wait in all. Called when it waits at all. */
  readonly limitMs: () => number
  /** How long until it looks again without a change; default as long as it may wait. */
  readonly stepMs?: number
}

/**
 * Looks until there is something, at each change of a subject. `look` gets the version of the state, taken
 * before; undefined: it is to wait. When the time is over, the client gone or the server stopping, it is
 * called once more with `isLast`, and must find something.
 */
export async function untilFound<T>(
  { clock, waits }: BlockingContext,
  reply: FastifyReply,
  { state, subject, limitMs, stepMs = Infinity }: Blocking,
  look: (since: number, isLast: boolean) => T | Promise<T> | undefined,
): Promise<T> {
  let deadline: number | undefined
  for (;;) {
    // Taken before the look, so that a change between the look and the wait ends the wait.
    const since = state.version()
    const found = look(since, false)
    if (found !== undefined) return found
    deadline ??= clock.monotonicMs() + limitMs()
    const leftMs = deadline - clock.monotonicMs()
    if (leftMs <= 0 || waits.stopped || reply.raw.destroyed) return must(look(since, true))
    await waits.run(reply, state.waitForChange(subject, since, Math.min(leftMs, stepMs)))
  }
}

/**
 * Consul's wait: the default if none is given, at most 10 minutes, and up to a sixteenth more
 * against stampedes.
 */
export function timeoutMs(askedMs: number, random: Random, defaultMs = waitMsDefault): number {
  const waitMs = askedMs <= 0 ? defaultMs : Math.min(askedMs, waitMsMax)
  return waitMs + (random() * waitMs) / jitterFraction
}
