import type { Logger } from '../base/log.ts'
import { defaultLimits } from '../raft/options.ts'
import type { Stamp } from './messages.ts'
import { StallNotice } from '../process/stall-notice.ts'
import { heapBytes } from '../process/thread-heaps.ts'
import { Ticker } from './ticker.ts'

/** Of Raft. */
export const tickMs = 50
/** A server without a leader waits for so long, to twice as long, before it campaigns. */
export const electionMs = defaultLimits.electionTicks * tickMs

export interface ReplicaTickerParts {
  readonly stamp: Stamp
  readonly logger: Logger
  readonly nowMs: () => number
  readonly onTicks: (count: number) => void
}

/** The ticks of the replica thread, whose delays are told to main, and to the log when they are long. */
export function replicaTicker({ stamp, logger, nowMs, onTicks }: ReplicaTickerParts): Ticker {
  const stalls = new StallNotice({ logger, nowMs, thread: 'replica' })
  return new Ticker({
    tickMs,
    electionTicks: defaultLimits.electionTicks,
    nowMs,
    onTicks,
    onTimer: (lateMs) => {
      stamp.tickDelays.note(lateMs)
      stamp.heapBytes = heapBytes()
      stalls.check()
    },
    onStall: (elapsedMs) => stalls.note(elapsedMs),
  })
}
