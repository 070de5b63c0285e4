import { reasonOf, svcdError } from '../../base/errors.ts'
import type { Indexed } from '../kv.ts'
import type { HeldSession } from './held-session.ts'
import { isPassing, pause, pauseForRetry } from './retry.ts'

/** What an attempt to take a lock came to. */
export type Attempt =
  | { readonly kind: 'held'; readonly token: number }
  /** Another one has it: look again when the index has moved. */
  | { readonly kind: 'taken'; readonly index: number }
  /** It is free and was not given. Undefined: the agent does not say for how long. */
  | { readonly kind: 'refused'; readonly delayMs: number | undefined }

/**
 * Attempts until the lock is held, with the index to wait for. Resolves with the fencing token, even if the signal
 * has ended since then; or with undefined when the signal ended the wait. Throws `lock-session-lost`, and errors that a repetition would not fix.
 */
export async function attemptUntilHeld(
  key: string,
  session: HeldSession,
  signal: AbortSignal,
  attempt: (index: number, signal: AbortSignal) => Promise<Attempt>,
): Promise<number | undefined> {
  const either = AbortSignal.any([signal, session.lost])
  let index = 0
  let refusals = 0
  while (!either.aborted) {
    try {
      const found = await attempt(index, either)
      if (found.kind === 'held') {
        await session.guard(either)
        if (session.lost.aborted) break
        return found.token
      }
      if (found.kind === 'taken') {
        // A restore may take indexes back.
        index = found.index < index ? 0 : found.index
        refusals = 0
        continue
      }
      index = 0
      if (found.delayMs !== undefined) await pause(found.delayMs, either)
      // Either another one was faster, which the next attempt shows, or a lock-delay runs.
      else if (refusals++ > 0) await pauseForRetry(either)
    } catch (error) {
      if (either.aborted) break
      if (!isPassing(error)) throw error
      index = 0
      await pauseForRetry(either)
    }
  }
  if (signal.aborted) return undefined
  throw svcdError('lock-session-lost', { key, reason: session.lossReason })
}

/**
 * Repeats what gives a lock back while no agent answers, or it has no leader, as long as the session lives: the
 * lock is free when that has ended.
 */
export async function repeatWhileHeld(
  session: HeldSession,
  action: () => Promise<unknown>,
): Promise<void> {
  for (;;) {
    try {
      await action()
      return
    } catch (error) {
      if (!isPassing(error) || session.lost.aborted) throw error
      await pauseForRetry(session.lost)
    }
  }
}

/**
 * Watches a lock that is held. Resolves with the reason when it is lost, and with undefined when the signal
 * ends. `retries`: how many errors in a row it tolerates.
 */
export async function watchUntilLost(
  session: HeldSession,
  signal: AbortSignal,
  retries: number,
  holds: (index: number, signal: AbortSignal) => Promise<Indexed<boolean>>,
): Promise<string | undefined> {
  const either = AbortSignal.any([signal, session.lost])
  let index = 0
  let left = retries
  while (!either.aborted) {
    try {
      const { value, index: next } = await holds(index, either)
      if (!value) return 'another session holds it, or it was released'
      index = next < index ? 0 : next
      left = retries
    } catch (error) {
      if (either.aborted) break
      if (left-- <= 0 || !isPassing(error)) return reasonOf(error)
      index = 0
      await pauseForRetry(either)
    }
  }
  return signal.aborted ? undefined : session.lossReason
}
