import type { After } from '../base/timeouts.ts'

/** Time-outs on the event loop of this thread. */
export const afterByEventLoop: After = (delayMs, call) => {
  const timer = setTimeout(call, delayMs)
  return () => clearTimeout(timer)
}
