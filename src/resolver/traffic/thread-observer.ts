import { randomInt } from 'node:crypto'
import { LogBudget } from './log-budget.ts'
import type { FromObserver, ObserverShare, ToObserver } from './messages.ts'
import { QueryObserver } from './query-observer.ts'

/** An observer on this thread. `flushes`: by `turn` of the event loop, or whenever the `caller` says so. */
export function openObserver(
  share: ObserverShare | undefined,
  send: (text: string) => void,
  flushes: 'turn' | 'caller' = 'turn',
  nowMs = (): number => performance.now(),
): QueryObserver {
  const observer = new QueryObserver({
    seed: randomInt(1, 2 ** 31),
    budget: new LogBudget(share?.budget),
    send,
    ...(flushes === 'turn' ? { onQueued: () => setImmediate(() => observer.flush()) } : {}),
    nowMs,
    wallMs: () => Date.now(),
  })
  observer.logEvery(share?.logEvery ?? 0)
  return observer
}

/** Obeys a message of the main thread. */
export function tellObserver(
  observer: QueryObserver,
  message: ToObserver,
  post: (message: FromObserver) => void,
): void {
  if (message.type === 'log-every') observer.logEvery(message.every)
  else post({ type: 'traffic-seen', sample: observer.traffic() })
}
