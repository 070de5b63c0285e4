import { SvcdError } from '../../base/errors.ts'
import { refusedReason, refusedStatus } from '../client.ts'

const retryMs = 1000
const leastMs = 50

/** Whether the same request may succeed soon: no agent answers, or it has no leader. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof SvcdError)) return false
  const status = refusedStatus(error)
  // With status 500, in Consul's words.
  if (/^invalid session\b/.test(refusedReason(error) ?? '')) return false
  return status === undefined ? error.row.exit === 2 : status >= 500 || status === 429
}

/** Resolves after the time, or when the signal ends it. */
export function pause(timeMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, timeMs)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}

/**
 * Until a request may be repeated. Spread, so that not all clients do it at the same moment. `mostMs`: for what
 * must succeed soon.
 */
export function pauseForRetry(signal: AbortSignal, mostMs = Infinity): Promise<void> {
  const timeMs = retryMs * (0.75 + Math.random() / 2)
  return pause(Math.min(timeMs, Math.max(leastMs, mostMs)), signal)
}
